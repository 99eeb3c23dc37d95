// Modal dialogs: a heading, a form, a place for the refusal, and buttons. They resolve when they close.

import { h } from "./dom.js";

/**
 * Opens a dialog and runs `submit` when its form is sent. An error that `submit` throws is shown and the dialog
 * stays open. Resolves to true once submit succeeded, to false when the dialog was dismissed.
 * @param {{heading: string, content: import("./dom.js").Child[], action: string, danger?: boolean,
 *   submit: (form: HTMLFormElement) => Promise<void>}} options
 * @returns {Promise<boolean>}
 */
export function openDialog({ heading, content, action, danger, submit }) {
  const refusal = h("p", { class: "refusal", role: "alert" });
  const confirm = h("button", { class: danger ? "button danger" : "button primary" }, action);
  const cancel = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Cancel");
  const form = h(
    "form",
    {},
    h("h2", {}, heading),
    content,
    refusal,
    h("p", { class: "actions" }, confirm, cancel),
  );
  const dialog = h("dialog", { "aria-label": heading }, form);
  let done = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    confirm.disabled = true;
    refusal.textContent = "";
    try {
      await submit(form);
      done = true;
      dialog.close();
    } catch (error) {
      refusal.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      confirm.disabled = false;
    }
  });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(done);
    });
  });
}
