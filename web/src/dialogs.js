// Modal dialogs: a heading, a form, a place for the refusal, and buttons. They resolve when they close.

import { notify } from "./announce.js";
import { h } from "./dom.js";
import { draftOf, forgetDraft, readDraft, restoreDraft, writeDraft } from "./drafts.js";

/** Forms of open dialogs that would be lost with what was typed into them, and whether something was. @type {Map<HTMLFormElement, () => boolean>} */
const guarded = new Map();

/** Whether a dialog is open with something that is not saved. */
export const hasUnsaved = () => [...guarded.values()].some((changed) => changed());

/**
 * Opens a dialog and runs `submit` when its form is sent. An error that `submit` throws is shown and the dialog
 * stays open; it cannot be dismissed before submit has settled. Resolves to true once submit succeeded, to false
 * when the dialog was dismissed. With `draft`, the name of a draft, what was typed is not dismissed without a question,
 * and survives a reload.
 * @param {{heading: string, content: import("./dom.js").Child[], action: string, danger?: boolean, draft?: string,
 *   onopen?: (submit: () => void) => void, submit: (form: HTMLFormElement) => Promise<void>}} options
 * @returns {Promise<boolean>}
 */
export function openDialog({ heading, content, action, danger, draft, onopen, submit }) {
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
    if (done && draft) forgetDraft(draft);
    if (done) end();
  });
  const changed = draft ? keep(form, draft) : () => false;
  const dismiss = async () => {
    if (running || (changed() && !(await askToDiscard()))) return;
    if (draft) forgetDraft(draft);
    end();
  };
  cancel.addEventListener("click", dismiss);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    dismiss();
  });
  /** @type {(outcome: boolean) => void} */
  let settle;
  /** @type {Promise<boolean>} */
  const outcome = new Promise((resolve) => (settle = resolve));
  // Not left to the event alone, which may be long in coming: meanwhile the button that led here would be deaf.
  const end = async () => {
    dialog.close();
    dialog.remove();
    guarded.delete(form);
    // A browser's Back, or its second Escape, closes it while submit runs: what comes of that still counts.
    settle((await running) ?? done);
  };
  dialog.addEventListener("close", end);
  document.body.append(dialog);
  dialog.showModal();
  onopen?.(() => form.requestSubmit());
  return outcome;
}

/**
 * Keeps a form's draft, and puts back what is kept of it.
 * @param {HTMLFormElement} form
 * @param {string} draft
 * @returns {() => boolean} whether something differs from what the form said at first
 */
function keep(form, draft) {
  const first = JSON.stringify(draftOf(form));
  const changed = () => JSON.stringify(draftOf(form)) !== first;
  const kept = readDraft(draft);
  if (kept) restoreDraft(form, kept);
  if (changed()) form.querySelector("h2")?.after(h("p", { class: "muted" }, "What you typed last is here again."));
  form.addEventListener("input", () => writeDraft(draft, draftOf(form)));
  guarded.set(form, changed);
  return changed;
}

function askToDiscard() {
  return openDialog({
    heading: "Discard your changes?",
    action: "Discard",
    danger: true,
    content: [h("p", {}, "What you typed is not saved.")],
    submit: async () => undefined,
  });
}

/**
 * Marks buttons as waiting. Disabled ones would lose the focus.
 * @param {HTMLElement} actions
 * @param {boolean} waiting
 */
function wait(actions, waiting) {
  for (const button of actions.querySelectorAll("button")) button.setAttribute("aria-disabled", String(waiting));
}
