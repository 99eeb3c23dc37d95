// One chosen file: its preview, what the artist says of it, and how far it has come.

import { artworkPath } from "../address.js";
import { h } from "../dom.js";
import { detailFields, titleField, valuesOf } from "../fields.js";
import { sizeName, titleOf } from "../words.js";

/** @typedef {import("../api.js").Artwork} Artwork */
/** @typedef {import("../api.js").Readiness} Readiness */

/**
 * ready: chosen, not yet sent · parked: no room for it in the quota · waiting: in the queue · sending · rendering ·
 * cancelling · done · failed
 * @typedef {"ready" | "parked" | "waiting" | "sending" | "rendering" | "cancelling" | "done" | "failed"} State
 */

const RENDITIONS = /** @type {const} */ ([
  ["thumbnail", "Thumbnail"],
  ["icon", "Icon"],
  ["display", "Display"],
]);

export class Row {
  /** @type {State} */
  state = "ready";
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
  #bar;
  #renditions;
  #actions = h("p", { class: "row-actions" });
  #on;

  /**
   * @param {{id: string, name: string, file: Blob}} chosen
   * @param {{remove: () => void, retry: () => void}} on
   */
  constructor({ id, name, file }, on) {
    this.id = id;
    this.name = name;
    this.file = file;
    this.#on = on;
    const details = h("details", {}, h("summary", {}, "Details"), detailFields());
    // A browser cannot point at an invalid field that is folded away.
    details.addEventListener("invalid", () => (details.open = true), true);
    this.#fields = [fieldset(`Title of ${name}`, titleField(titleOf(name))), fieldset(`Details of ${name}`, details)];
    this.#bar = h("progress", { max: 100, value: 0, "aria-label": `Sending ${name}` });
    const steps = RENDITIONS.map(([key, label]) => h("li", { "data-rendition": key }, label));
    this.#renditions = h("ol", { class: "renditions", "aria-label": "Renditions" }, steps);
    const filename = h("p", { class: "filename" }, h("bdi", {}, name), ` · ${sizeName(file.size)}`);
    const course = [h("div", { class: "meta" }, filename, this.#status), this.#bar, this.#renditions, this.#refusal];
    this.#body.append(this.#named, this.#fields[0], ...course, this.#fields[1]);
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

  /** Whether its fields can be sent as they are; points at the first that cannot. */
  check() {
    /** @type {NodeListOf<HTMLInputElement>} */
    const fields = this.#body.querySelectorAll("input, textarea");
    return [...fields].every((field) => field.reportValidity());
  }

  /** @param {string} url */
  show(url) {
    this.#preview.replaceChildren(h("img", { src: url, alt: "" }));
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
    this.#bar.value = 0;
    this.#become("waiting", navigator.onLine ? "Waiting for its turn" : "Waiting for a connection");
  }

  /** @param {number} share from 0 to 1 */
  send(share) {
    this.#bar.value = Math.round(share * 100);
    this.#become("sending", `Sending: ${Math.round(share * 100)} %`);
  }

  /** @param {string} originalKey */
  render(originalKey) {
    this.originalKey = originalKey;
    this.#bar.value = 100;
    this.tick({ thumbnail: false, icon: false, display: false });
    this.#become("rendering", "Sent. Making the renditions");
  }

  /** @param {Readiness} flags */
  tick(flags) {
    for (const [key] of RENDITIONS) {
      const item = this.#renditions.querySelector(`[data-rendition="${key}"]`);
      item?.classList.toggle("made", flags[key]);
    }
  }

  /** @param {string} sentence */
  note(sentence) {
    this.#status.textContent = sentence;
  }

  cancel() {
    this.#become("cancelling", "Cancelling: waiting for the renditions, to remove them");
  }

  /** @param {Artwork} artwork */
  finish(artwork) {
    this.artwork = artwork;
    this.tick({ thumbnail: true, icon: true, display: true });
    if (artwork.thumbnailUrl) this.show(artwork.thumbnailUrl);
    this.#close(artwork.title);
    this.#become("done", "In the gallery");
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
    this.element.dataset.state = state;
    this.#status.textContent = status;
    if (this.#refusal.textContent !== refusal) this.#refusal.textContent = refusal;
    const closed = ["rendering", "cancelling", "done"].includes(state);
    for (const fields of this.#fields) fields.disabled = closed;
    if (changed) this.#actions.replaceChildren(...this.#buttons());
  }

  #buttons() {
    const button = (/** @type {string} */ text, /** @type {() => void} */ onclick) =>
      h("button", { type: "button", class: "button small", onclick, "aria-label": `${text}: ${this.name}` }, text);
    if (this.artwork && this.state === "done")
      return [h("a", { class: "button small", href: artworkPath(this.artwork) }, "View")];
    if (this.state === "cancelling") return [];
    if (this.busy) return [button("Cancel", this.#on.remove)];
    if (this.state !== "failed") return [button("Remove", this.#on.remove)];
    return [
      !FINAL.includes(this.code ?? "") && button("Try again", this.#on.retry),
      button("Remove", this.#on.remove),
    ].filter((each) => each !== false);
  }
}

// Sending the same bytes again would be refused again.
const FINAL = ["too_large", "unsupported_type", "unreadable_image"];

/**
 * @param {string} name
 * @param {HTMLElement} content
 */
function fieldset(name, content) {
  return h("fieldset", {}, h("legend", { class: "visually-hidden" }, name), content);
}
