// The upload desk: chosen files as rows, each on its way from the artist's disk to the gallery.

import { TaskQueue } from "@uppy/core/utils";
import { announce, notify } from "../announce.js";
import { ApiError, deleteArtwork, refreshAccount } from "../api.js";
import { h } from "../dom.js";
import { draftsLike } from "../drafts.js";
import * as session from "../session.js";
import { counted } from "../words.js";
import { create } from "./creation.js";
import { dropPlace } from "./drop.js";
import { Footer } from "./footer.js";
import { judge } from "./intake.js";
import { preview } from "./preview.js";
import { noRoom, quotaLine } from "./quota.js";
import { BROKEN_OFF, OFFLINE, sentenceOf, UNREACHABLE, UNSENT } from "./refusals.js";
import { DRAFTS, Row } from "./row.js";
import { Shared } from "./shared.js";
import { makeTransfer } from "./transfer.js";

/** @typedef {import("../session.js").Account} Account */
/** @typedef {import("./intake.js").Judged} Judged */

const CREATES_AT_ONCE = 2;
// How long to wait before each further try of a transfer that broke off although there is a connection.
const PAUSES_S = [2, 8];
// What storage answers to a ticket that has expired, or that an earlier try has used up.
const USED_UP = [403, 412];

export class Desk {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {Map<string, Promise<void>>} */
  #creating = new Map();
  #refusals = 0;
  #creates = new TaskQueue({ concurrency: CREATES_AT_ONCE });
  #leaving = new AbortController();
  #onartwork;
  #onprogress;

  #quota = h("div");
  #drop = dropPlace((files) => this.add(files));
  #kept = h("p", { class: "kept", hidden: true });
  #shared = new Shared((name, value, before) => {
    for (const row of this.#rows.values()) if (row.open) row.say(name, value, before);
  });
  #list = h("ul", { class: "rows", "aria-label": "Chosen pictures" });
  #footer = new Footer(() => this.#clearDone());
  #form = h("form", { hidden: true }, this.#shared.element, this.#list, this.#footer.element);
  #uppy;

  /**
   * @param {string} owner the id of the account that uploads
   * @param {{onartwork: () => void, onprogress: (share: number | null) => void}} on
   */
  constructor(owner, { onartwork, onprogress }) {
    this.owner = owner;
    this.#onartwork = onartwork;
    this.#onprogress = onprogress;
    this.element = h("div", { class: "desk" }, this.#quota, this.#drop, this.#kept, this.#form);
    this.#uppy = makeTransfer((id, seconds, reason) => {
      this.#rows.get(id)?.note(waiting(seconds, reason));
    });
    this.#listen();
    this.#arrange();
  }

  get busy() {
    return [...this.#rows.values()].some((row) => row.busy);
  }

  /** Whether something is chosen that is not in the gallery yet. */
  get unsent() {
    return [...this.#rows.values()].some((row) => row.unsent);
  }

  dispose() {
    this.#leaving.abort();
    this.#uppy.destroy();
    this.#onprogress(null);
  }

  /** @param {File[]} files */
  async add(files) {
    // All are looked at at once, and stand in the order in which they were chosen.
    for (const judging of files.map(judge)) this.#take(await judging);
  }

  /** @param {Judged} judged */
  #take(judged) {
    const { file } = judged;
    if (this.#leaving.signal.aborted) return;
    for (const { name, file: other } of this.#rows.values())
      if (name === file.name && other.size === file.size && other.lastModified === file.lastModified)
        return notify(`“${file.name}” is already in the list`);
    if (judged.kind === null) {
      const row = this.#append({ id: `refused ${this.#refusals++}`, name: file.name, file });
      return this.#fail(row, judged.refusal, judged.code);
    }
    const { kind, note } = judged;
    const id = this.#uppy.addFile({ name: file.name, type: file.type, data: file, source: "page" });
    const row = this.#append({ id, name: file.name, file, note });
    for (const [name, value] of this.#shared.values) row.say(name, value, "");
    row.show(kind);
    preview(file).then((picture) => picture && row.show(picture));
    this.#arrange();
  }

  #listen() {
    const { signal } = this.#leaving;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#upload();
    });
    session.changes.addEventListener("change", () => this.#arrange(), { signal });
    addEventListener("online", () => this.#resume(), { signal });
    const uppy = this.#uppy;
    uppy.on("upload-progress", (file, { bytesUploaded, bytesTotal }) => {
      const row = file && this.#rows.get(file.id);
      if (!row?.busy || !bytesTotal) return;
      row.send((bytesUploaded || 0) / bytesTotal);
      this.#report();
    });
    uppy.on("upload-success", (file, { body }) => {
      const row = file && this.#rows.get(file.id);
      if (!row || !body) return;
      row.breaks = 0;
      this.#create(row, String(body.key));
    });
    uppy.on("upload-error", (file, error) => {
      const row = file && this.#rows.get(file.id);
      if (row) this.#refused(row, error);
    });
    // Uppy's upload ends when its artworks are there, not when the last byte is sent.
    uppy.addPostProcessor(async (ids) => void (await Promise.allSettled(ids.map((id) => this.#creating.get(id)))));
  }

  /** @param {{id: string, name: string, file: File, note?: string}} chosen */
  #append(chosen) {
    const on = { remove: () => this.#remove(row), retry: () => this.#retryByHand(row) };
    const row = new Row(chosen, on);
    this.#rows.set(chosen.id, row);
    this.#list.append(row.element);
    return row;
  }

  #upload() {
    const ready = this.#those("ready");
    for (const row of ready) row.wait();
    // Uppy would first send what has failed once more, whoever asked for it, and let the others wait.
    for (const { id, error } of this.#uppy.getFiles()) if (error) this.#uppy.removeFile(id);
    this.#arrange();
    announce(`Uploading ${counted(ready.length, "picture")}`);
    this.#uppy.upload().catch(() => undefined);
  }

  /**
   * @param {Row} row
   * @param {unknown} error
   */
  #refused(row, error) {
    const status = error instanceof Error && "status" in error ? Number(error.status) : 0;
    if (!(error instanceof ApiError) && USED_UP.includes(status) && !row.ticketRenewed) {
      row.ticketRenewed = true;
      row.note("The upload ticket is no longer good: asking for a new one");
      setTimeout(() => this.#uppy.getFile(row.id) && this.#uppy.retryUpload(row.id));
      return;
    }
    if (error instanceof ApiError) this.#declined(row, error, false);
    else if (status === 0) this.#brokenOff(row);
    else this.#fail(row, `The storage refused the file (${status}). Please try again.`, "storage");
  }

  /**
   * What the API has answered, or that it did not answer however often it was asked.
   * @param {Row} row
   * @param {ApiError} error
   * @param {boolean} sent whether the file is there already
   */
  #declined(row, error, sent) {
    if (error.code === "network") this.#lost(row, UNREACHABLE);
    else this.#fail(row, sentenceOf(error, sent), error.code);
  }

  /**
   * A transfer broke off: a connection that is still there gets a few more tries.
   * @param {Row} row
   */
  #brokenOff(row) {
    const seconds = PAUSES_S[row.breaks];
    if (!navigator.onLine || seconds === undefined) return this.#lost(row, UNSENT);
    row.breaks += 1;
    row.wait();
    row.note(waiting(seconds, BROKEN_OFF));
    this.#arrange();
    const goOn = () => !this.#leaving.signal.aborted && this.#rows.get(row.id) === row && this.#retry(row);
    setTimeout(goOn, seconds * 1000);
  }

  /**
   * Without a connection a row goes on once there is one again; with one, its owner has to say when.
   * @param {Row} row
   * @param {string} sentence
   */
  #lost(row, sentence) {
    if (navigator.onLine) this.#fail(row, sentence, "network");
    else this.#fail(row, OFFLINE, "offline");
  }

  /**
   * @param {Row} row
   * @param {string} sentence
   * @param {string} code
   */
  #fail(row, sentence, code) {
    row.fail(sentence, code);
    if (!this.element.isConnected) notify(`${row.name}: ${sentence}`);
    this.#arrange();
  }

  /**
   * @param {Row} row
   * @param {string} originalKey
   */
  #create(row, originalKey) {
    row.render(originalKey);
    this.#arrange();
    const job = this.#creates.add(() => this.#make(row, originalKey));
    this.#creating.set(row.id, job);
  }

  /**
   * @param {Row} row
   * @param {string} originalKey
   */
  async #make(row, originalKey) {
    if (row.state === "cancelling") return this.#forget(row);
    try {
      const artwork = await create(
        { originalKey, ...row.values },
        {
          onready: (flags) => {
            row.tick(flags);
            this.#report();
          },
          onwait: (seconds, reason) => row.note(waiting(seconds, reason)),
        },
      );
      if (isCancelling(row)) await this.#undo(row, artwork);
      else this.#finish(row, artwork);
    } catch (error) {
      if (isCancelling(row)) this.#forget(row);
      else if (error instanceof ApiError) this.#declined(row, error, true);
      else throw error;
    }
    if (!this.busy) await refreshAccount().catch(() => undefined);
  }

  /**
   * @param {Row} row
   * @param {import("../api.js").Artwork} artwork
   */
  #finish(row, artwork) {
    row.finish(artwork);
    this.#onartwork();
    const tell = this.element.isConnected ? announce : notify;
    tell(`“${artwork.title}” is in the gallery`);
    const account = session.currentAccount();
    if (account?.id === this.owner)
      session.setAccount({
        ...account,
        artworkCount: account.artworkCount + 1,
        artworkRemaining: Math.max(0, account.artworkRemaining - 1),
      });
  }

  /**
   * @param {Row} row
   * @param {import("../api.js").Artwork} artwork
   */
  async #undo(row, artwork) {
    try {
      await deleteArtwork(artwork.id);
      this.#forget(row);
    } catch {
      this.#finish(row, artwork);
      notify(`“${artwork.title}” could not be cancelled any more. Delete it in the gallery.`);
    }
  }

  /** @param {Row} row */
  #retryByHand(row) {
    if (!row.check()) return;
    row.breaks = 0;
    this.#retry(row);
  }

  /** @param {Row} row */
  #retry(row) {
    const file = this.#uppy.getFile(row.id);
    row.wait();
    if (row.originalKey && row.code !== "not_found") this.#create(row, row.originalKey);
    else {
      row.originalKey = null;
      row.ticketRenewed = false;
      if (!file || file.progress.uploadComplete) this.#offer(row, true);
      this.#uppy.retryUpload(row.id).catch(() => undefined);
    }
    this.#arrange();
  }

  /** Goes on with what the lost connection had stopped. */
  #resume() {
    for (const row of this.#those("failed")) if (row.code === "offline") this.#retry(row);
  }

  /** @param {Row} row */
  #remove(row) {
    if (row.state === "rendering") {
      row.cancel();
      return;
    }
    this.#forget(row);
  }

  /** @param {Row} row */
  #forget(row) {
    const beside = row.element.nextElementSibling ?? row.element.previousElementSibling;
    const hadFocus = row.element.contains(document.activeElement);
    this.#rows.delete(row.id);
    row.forget();
    row.element.remove();
    if (this.#uppy.getFile(row.id)) this.#uppy.removeFile(row.id);
    announce(`Removed ${row.name}`);
    this.#arrange();
    if (hadFocus) /** @type {HTMLElement | null} */ ((beside ?? this.#drop).querySelector("button, input, a"))?.focus();
  }

  #clearDone() {
    for (const row of this.#those("done")) this.#forget(row);
    // The button that was pressed for it is gone.
    if (this.#rows.size === 0) this.#drop.querySelector("button")?.focus();
    else this.#footer.focus();
  }

  /** @param {import("./row.js").State} state */
  #those(state) {
    return [...this.#rows.values()].filter((row) => row.state === state);
  }

  /** Brings quota, rows and buttons in line with each other. */
  #arrange() {
    const account = session.currentAccount();
    if (account) {
      this.#quota.replaceChildren(quotaLine(account));
      this.#allot(account);
    }
    const rows = [...this.#rows.values()];
    this.#form.hidden = rows.length === 0;
    this.#shared.show(rows.filter((row) => row.open).length);
    this.#remind();
    this.#report();
  }

  /** Tells how far all that was started has come. */
  #report() {
    const rows = [...this.#rows.values()];
    const started = rows.filter((row) => row.busy || row.state === "done");
    const share = this.busy ? started.reduce((sum, row) => sum + row.share, 0) / started.length : null;
    this.#footer.show(rows, share, session.currentAccount()?.username);
    this.#onprogress(share);
  }

  /** Names files that were described before the page was loaded anew: a browser does not hand them over again. */
  #remind() {
    const here = new Set([...this.#rows.values()].map((row) => row.draft));
    const names = draftsLike(DRAFTS)
      .filter((draft) => !here.has(draft))
      .map((draft) => draft.slice(DRAFTS.length, draft.lastIndexOf(":")));
    this.#kept.hidden = names.length === 0;
    this.#kept.textContent = `What you typed is kept. Choose ${names.map((name) => `“${name}”`).join(", ")} again.`;
  }

  /**
   * Parks what the quota has no room for, and takes it back when there is room again.
   * @param {Account} account
   */
  #allot({ artworkLimit, artworkRemaining }) {
    let room = artworkRemaining - [...this.#rows.values()].filter((row) => row.busy).length;
    for (const row of this.#rows.values()) {
      if (row.state !== "ready" && row.state !== "parked") continue;
      const fits = room-- > 0;
      if (fits && row.state === "parked") {
        this.#offer(row);
        row.choose();
      }
      if (!fits) {
        if (this.#uppy.getFile(row.id)) this.#uppy.removeFile(row.id);
        row.park(noRoom(artworkLimit));
      }
    }
  }

  /**
   * Gives Uppy a row's file (again).
   * @param {Row} row
   * @param {boolean} [afresh]
   */
  #offer(row, afresh = false) {
    if (afresh && this.#uppy.getFile(row.id)) this.#uppy.removeFile(row.id);
    if (!this.#uppy.getFile(row.id))
      this.#uppy.addFile({ name: row.name, type: row.file.type, data: row.file, source: "page" });
  }
}

/**
 * @param {number} seconds
 * @param {string} reason
 */
const waiting = (seconds, reason) => `${reason} Trying again in ${counted(seconds, "second")}.`;

// The state moves on while a create is awaited, which the type checker cannot see.
/** @param {Row} row */
const isCancelling = (row) => row.state === "cancelling";
