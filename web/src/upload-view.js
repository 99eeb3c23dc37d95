// The upload page. The uploader itself is fetched only here, once somebody who is signed in wants to upload.

import { refreshAccount } from "./api.js";
import { h } from "./dom.js";
import { forgetDrafts } from "./drafts.js";
import * as session from "./session.js";
import { restore, signIn } from "./sign-in.js";
import { emptyState, errorState, loadingState } from "./states.js";
import { loadStyle } from "./styles.js";

const STYLE = "/assets/upload/desk.css";

export class UploadView {
  title = "Upload";
  heading = h("h1", { tabindex: -1 }, "Upload");

  /** @type {import("./upload/desk.js").Desk | null} */
  #desk = null;
  /** @type {File[]} */
  #waiting = [];
  #place = h("div");
  #restored;
  #on;
  #opened = false;

  /**
   * @param {Promise<void>} restored settles once it is known who is signed in
   * @param {{onartwork: () => void, onprogress: (share: number | null) => void}} on called when the gallery has got
   *   another artwork, and with how much of all uploads is done, or null when none is under way
   */
  constructor(restored, on) {
    this.#restored = restored;
    this.#on = on;
    this.element = h("section", { class: "upload" }, this.heading, this.#place);
    session.changes.addEventListener("change", () => this.#opened && this.#settle());
    session.changes.addEventListener("leaving", (event) => this.busy && event.preventDefault());
    session.changes.addEventListener("leave", () => {
      this.#close();
      // Whoever signs in next is not shown what somebody else has typed.
      forgetDrafts();
    });
  }

  /** Whether something is chosen that leaving the page would lose. */
  get unsent() {
    return this.#desk?.unsent ?? false;
  }

  /** Whether something is on its way. */
  get busy() {
    return this.#desk?.busy ?? false;
  }

  async open() {
    this.#opened = true;
    if (!this.#desk) this.#place.replaceChildren(loadingState("One moment…"));
    await this.#restored;
    if (session.currentAccount()) await refreshAccount().catch(() => undefined);
    await this.#settle();
  }

  #close() {
    this.#desk?.dispose();
    this.#desk = null;
  }

  /** @param {File[]} files */
  add(files) {
    if (this.#desk) this.#desk.add(files);
    else this.#waiting.push(...files);
  }

  async #settle() {
    const account = session.currentAccount();
    // A session that ends by itself takes no chosen files with it: their owner signs in again and goes on.
    if (this.#desk && (!account || account.id === this.#desk.owner)) return;
    this.#close();
    const doubt = session.currentDoubt();
    if (account) await this.#fetchDesk(account.id);
    else if (doubt) this.#place.replaceChildren(errorState(doubt, () => this.#restore()));
    else this.#place.replaceChildren(askToSignIn());
  }

  #restore() {
    this.#place.replaceChildren(loadingState("One moment…"));
    this.heading.focus();
    restore();
  }

  /** @param {string} owner */
  async #fetchDesk(owner) {
    this.#place.replaceChildren(loadingState("Fetching the uploader…"));
    try {
      const [{ Desk }] = await Promise.all([import("./upload/desk.js"), loadStyle(STYLE)]);
      if (this.#desk || session.currentAccount()?.id !== owner) return;
      this.#desk = new Desk(owner, this.#on);
      this.#place.replaceChildren(this.#desk.element);
      this.#desk.add(this.#waiting.splice(0));
    } catch (error) {
      console.warn(error);
      // A newer page may have replaced the files of this one; only a reload fetches what belongs together.
      const sentence = "The uploader could not be fetched. Check your connection.";
      this.#place.replaceChildren(errorState(new Error(sentence), () => location.reload()));
    }
  }
}

function askToSignIn() {
  const button = h("button", { type: "button", class: "button primary", onclick: signIn }, "Sign in");
  return emptyState("Sign in to upload", "Pictures are hung under your name.", button);
}
