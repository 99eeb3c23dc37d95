// Modal dialogs: a heading, a form, a place for the refusal, and buttons. They resolve when they close.

import { notify } from "./announce.js";
import { h } from "./dom.js";

/**
 * Opens a dialog and runs `submit` when its form is sent. An error that `submit` throws is shown and the dialog
 * stays open; it cannot be dismissed before submit has settled. Resolves to true once submit succeeded, to false
 * when the dialog was dismissed.
 * @param {{heading: string, content: import("./dom.js").Child[], action: string, danger?: boolean,
 *   submit: (form: HTMLFormElement) => Promise<void>}} options
 * @returns {Promise<boolean>}
 */
export function openDialog({ heading, content, action, danger, submit }) {
  const refusal = h("p", { class: "refusal", role: "alert" });
  const confirm = h("button", { class: danger ? "button danger" : "button primary" }, action);
  // Nothing is lost for good by pressing Enter once too often.
  const cancel = h("button", { type: "button", class: "button", autofocus: danger }, "Cancel");
  const actions = h("p", { class: "actions" }, confirm, cancel);
  const form = h("form", {}, h("h2", {}, heading), content, refusal, actions);
  const dialog = h("dialog", { "aria-label": heading }, form);
  /** @type {Promise<boolean> | null} */
  let running = null;
  let done = false;

  const run = async () => {
    try {
      await submit(form);
      return true;
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      if (dialog.open) refusal.textContent = sentence;
      else notify(sentence);
      return false;
    }
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return;
    refusal.textContent = "";
    running = run();
    wait(actions, true);
    done = await running;
    running = null;
    wait(actions, false);
    if (done) end();
  });
  cancel.addEventListener("click", () => running || end());
  dialog.addEventListener("cancel", (event) => running && event.preventDefault());
  /** @type {(outcome: boolean) => void} */
  let settle;
  /** @type {Promise<boolean>} */
  const outcome = new Promise((resolve) => (settle = resolve));
  // Not left to the event alone, which may be long in coming: meanwhile the button that led here would be deaf.
  const end = async () => {
    dialog.close();
    dialog.remove();
    // A browser's Back, or its second Escape, closes it while submit runs: what comes of that still counts.
    settle((await running) ?? done);
  };
  dialog.addEventListener("close", end);
  document.body.append(dialog);
  dialog.showModal();
  return outcome;
}

/**
 * Marks buttons as waiting. Disabled ones would lose the focus.
 * @param {HTMLElement} actions
 * @param {boolean} waiting
 */
function wait(actions, waiting) {
  for (const button of actions.querySelectorAll("button")) button.setAttribute("aria-disabled", String(waiting));
}
