// One chosen file: its preview, what the artist says of it, and how far it has come.

import { artworkPath } from "../address.js";
import { h } from "../dom.js";
import { draftOf, forgetDraft, readDraft, restoreDraft, writeDraft } from "../drafts.js";
import { altField, detailFields, titleField, valuesOf } from "../fields.js";
import { sizeName, titleOf } from "../words.js";

/** @typedef {import("../api.js").Artwork} Artwork */
/** @typedef {import("../api.js").Readiness} Readiness */

/**
 * ready: chosen, not yet sent · parked: no room for it in the quota · waiting: in the queue · sending · rendering ·
 * cancelling · done · failed
 * @typedef {"ready" | "parked" | "waiting" | "sending" | "rendering" | "cancelling" | "done" | "failed"} State
 */

const STEPS = /** @type {const} */ ([
  ["sending", "Sending"],
  ["rendering", "Preparing"],
  ["done", "In the gallery"],
]);
// Sending takes most of the time; the rest is for the three renditions.
const SENT = 0.7;
export const DRAFTS = "upload:";

export class Row {
  /** @type {State} */
  state = "ready";
  /** How much of its way it has come, from 0 to 1. */
  share = 0;
  /** The original's key, once it is uploaded. @type {string | null} */
  originalKey = null;
  /** @type {Artwork | null} */
  artwork = null;
  /** Why it failed, as the API or the network named it. @type {string | null} */
  code = null;
  ticketRenewed = false;
  /** How often the connection broke off while it seemed to be there. */
  breaks = 0;

  /** @type {[HTMLFieldSetElement, HTMLFieldSetElement]} */
  #fields;
  #body = h("div", { class: "body" });
  #preview = h("div", { class: "preview" });
  #named = h("p", { class: "named", dir: "auto", hidden: true });
  #status = h("p", { class: "status" });
  #refusal = h("p", { class: "refusal", role: "alert" });
  #steps = h(
    "ol",
    { class: "steps", "aria-label": "Progress" },
    STEPS.map(([step, label]) => h("li", { "data-step": step }, label)),
  );
  #actions = h("p", { class: "row-actions" });
  #on;

  /**
   * @param {{id: string, name: string, file: File, note?: string}} chosen
   * @param {{remove: () => void, retry: () => void}} on
   */
  constructor({ id, name, file, note }, on) {
    this.id = id;
    this.name = name;
    this.file = file;
    this.#on = on;
    this.draft = `${DRAFTS}${name}:${file.size}`;
    const details = h("details", {}, h("summary", {}, "Details"), detailFields());
    // A browser cannot point at an invalid field that is folded away.
    details.addEventListener("invalid", () => (details.open = true), true);
    const main = h("div", { class: "fields" }, titleField(titleOf(name)), altField());
    this.#fields = [fieldset(`Title of ${name}`, main), fieldset(`Details of ${name}`, details)];
    const about = [name, sizeName(file.size), note].filter(Boolean);
    const filename = h("p", { class: "filename" }, h("bdi", {}, name), ` · ${about.slice(1).join(" · ")}`);
    this.#body.append(
      this.#named,
      this.#fields[0],
      h("div", { class: "meta" }, filename, this.#status),
      this.#steps,
      this.#refusal,
      this.#fields[1],
    );
    const typed = readDraft(this.draft);
    if (typed) restoreDraft(this.#body, typed);
    this.#body.addEventListener("input", () => writeDraft(this.draft, draftOf(this.#body)));
    this.element = h("li", { class: "row" }, this.#preview, this.#body, this.#actions);
    this.#become("ready", "");
  }

  get values() {
    return valuesOf(this.#body);
  }

  get title() {
    return this.values.title || this.name;
  }

  get busy() {
    return ["waiting", "sending", "rendering", "cancelling"].includes(this.state);
  }

  /** Whether what was typed, or the file itself, would be lost with the page. */
  get unsent() {
    return this.state !== "done" && !FINAL.includes(this.code ?? "");
  }

  /** Whether something can still be said of it. */
  get open() {
    return ["ready", "parked", "waiting", "sending"].includes(this.state);
  }

  /** Whether its fields can be sent as they are; points at the first that cannot. */
  check() {
    /** @type {NodeListOf<HTMLInputElement>} */
    const fields = this.#body.querySelectorAll("input, textarea");
    return [...fields].every((field) => field.reportValidity());
  }

  /**
   * Says what is said of all pictures, unless something else is said of this one.
   * @param {string} name of the field
   * @param {string} value
   * @param {string} before what was said of all until now
   */
  say(name, value, before) {
    const field = /** @type {HTMLInputElement | null} */ (this.#body.querySelector(`[name="${name}"]`));
    if (!field || (field.value !== "" && field.value !== before)) return;
    field.value = value;
    writeDraft(this.draft, draftOf(this.#body));
  }

  /** @param {HTMLElement | string} picture or the name of a format that the browser cannot draw */
  show(picture) {
    this.#preview.replaceChildren(picture);
  }

  choose() {
    this.#become("ready", "");
  }

  /** @param {string} sentence */
  park(sentence) {
    this.code = "artwork_limit_reached";
    this.#become("parked", "", sentence);
  }

  wait() {
    this.share = 0;
    this.code = null;
    this.#become("waiting", navigator.onLine ? "Waiting for its turn" : "Waiting for a connection");
  }

  /** @param {number} share of its bytes, from 0 to 1 */
  send(share) {
    // Told again from the beginning where Uppy tries again: the bar waits until that is caught up with.
    this.share = Math.max(this.share, share * SENT);
    this.#become("sending", `Sending: ${Math.round(share * 100)} %`);
  }

  /** @param {string} originalKey */
  render(originalKey) {
    this.originalKey = originalKey;
    this.share = SENT;
    this.#become("rendering", "Preparing");
  }

  /** @param {Readiness} flags */
  tick({ display, thumbnail, icon }) {
    this.share = SENT + 0.09 * [display, thumbnail, icon].filter(Boolean).length;
  }

  /** @param {string} sentence */
  note(sentence) {
    this.#status.textContent = sentence;
  }

  cancel() {
    this.#become("cancelling", "Cancelling");
  }

  /** @param {Artwork} artwork */
  finish(artwork) {
    this.artwork = artwork;
    this.share = 1;
    if (artwork.thumbnailUrl && !this.#preview.querySelector("canvas"))
      this.show(h("img", { src: artwork.thumbnailUrl, alt: "" }));
    this.#close(artwork.title);
    this.forget();
    this.#become("done", "In the gallery");
  }

  /** What was typed is sent, or is wanted no more. */
  forget() {
    forgetDraft(this.draft);
  }

  /**
   * @param {string} sentence
   * @param {string} code
   */
  fail(sentence, code) {
    this.code = code;
    if (FINAL.includes(code)) this.#close(this.title);
    this.#become("failed", "", sentence);
  }

  /**
   * Nothing more can be said of it here.
   * @param {string} title
   */
  #close(title) {
    this.#named.textContent = title;
    this.#named.hidden = false;
    for (const fields of this.#fields) fields.hidden = true;
  }

  /**
   * @param {State} state
   * @param {string} status
   * @param {string} [refusal]
   */
  #become(state, status, refusal = "") {
    const changed = this.state !== state || !this.#actions.hasChildNodes();
    this.state = state;
    this.element?.setAttribute("data-state", state);
    this.#status.textContent = status;
    if (this.#refusal.textContent !== refusal) this.#refusal.textContent = refusal;
    const closed = ["rendering", "cancelling", "done"].includes(state);
    for (const fields of this.#fields) fields.disabled = closed;
    this.#mark(state);
    if (changed) this.#offer();
  }

  /** @param {State} state */
  #mark(state) {
    const current = STEPS.findIndex(([step]) => step === state);
    for (const [index, item] of [...this.#steps.children].entries()) {
      item.classList.toggle("made", index < current || state === "done");
      if (index === current) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    }
  }

  /** Shows the buttons of a state. A focus that was on one of the last state's goes on to one of these. */
  #offer() {
    const focused = this.#actions.contains(document.activeElement);
    this.#actions.replaceChildren(...this.#buttons());
    if (!focused) return;
    const next = this.#actions.querySelector("a, button") ?? this.#status;
    if (next === this.#status) next.setAttribute("tabindex", "-1");
    /** @type {HTMLElement} */ (next).focus();
  }

  #buttons() {
    const button = (/** @type {string} */ text, /** @type {() => void} */ onclick, kind = "") =>
      h(
        "button",
        { type: "button", class: `button small ${kind}`, onclick, "aria-label": `${text}: ${this.name}` },
        text,
      );
    if (this.artwork && this.state === "done")
      return [h("a", { class: "button small", href: artworkPath(this.artwork) }, "View")];
    if (this.state === "cancelling") return [];
    if (this.busy) return [button("Cancel", this.#on.remove)];
    if (this.state !== "failed" || FINAL.includes(this.code ?? "")) return [button("Remove", this.#on.remove)];
    return [button("Try again", this.#on.retry, "primary"), button("Remove", this.#on.remove)];
  }
}

// Sending the same bytes again would be refused again.
const FINAL = ["empty", "too_large", "unsupported_type", "unreadable_image"];

/**
 * @param {string} name
 * @param {HTMLElement} content
 */
function fieldset(name, content) {
  return h("fieldset", {}, h("legend", { class: "visually-hidden" }, name), content);
}
