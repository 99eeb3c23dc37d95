// The upload desk: chosen files as rows, each on its way from the artist's disk to the gallery.

import { TaskQueue } from "@uppy/core/utils";
import { announce, notify } from "../announce.js";
import { ApiError, deleteArtwork, refreshAccount } from "../api.js";
import { h } from "../dom.js";
import * as session from "../session.js";
import { counted } from "../words.js";
import { create } from "./creation.js";
import { Footer } from "./footer.js";
import { noRoom, quotaLine } from "./quota.js";
import { BROKEN_OFF, NO_PICTURE, OFFLINE, sentenceOf, UNREACHABLE, UNSENT } from "./refusals.js";
import { Row } from "./row.js";
import { makeTransfer } from "./transfer.js";

/** @typedef {import("../session.js").Account} Account */
/** @typedef {import("@uppy/core").UppyFile<any, any>} UppyFile */

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
  #creates = new TaskQueue({ concurrency: CREATES_AT_ONCE });
  #leaving = new AbortController();
  #onartwork;

  #quota = h("div");
  #drop = h("div", { class: "drop" });
  #list = h("ul", { class: "rows", "aria-label": "Chosen pictures" });
  #footer = new Footer(() => this.#clearDone());
  #form = h("form", { hidden: true }, this.#list, this.#footer.element);
  #uppy;

  /**
   * @param {string} owner the id of the account that uploads
   * @param {() => void} onartwork
   */
  constructor(owner, onartwork) {
    this.owner = owner;
    this.#onartwork = onartwork;
    this.element = h("div", { class: "desk" }, this.#quota, this.#drop, this.#form);
    this.#uppy = makeTransfer(this.#drop, (id, seconds, reason) => {
      this.#rows.get(id)?.note(waiting(seconds, reason));
    });
    this.#listen();
    this.#arrange();
  }

  get busy() {
    return [...this.#rows.values()].some((row) => row.busy);
  }

  dispose() {
    this.#leaving.abort();
    this.#uppy.destroy();
  }

  /** @param {File[]} files */
  add(files) {
    if (files.length > 0)
      this.#uppy.addFiles(files.map((data) => ({ name: data.name, type: data.type, data, source: "page" })));
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
    uppy.on("file-added", (file) => this.#added(file));
    uppy.on("restriction-failed", (file, error) => this.#notTaken(file, error));
    uppy.on("thumbnail:generated", (file, preview) => this.#rows.get(file.id)?.show(preview));
    uppy.on("upload-progress", (file, { bytesUploaded, bytesTotal }) => {
      const row = file && this.#rows.get(file.id);
      if (row?.busy && bytesTotal) row.send((bytesUploaded || 0) / bytesTotal);
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

  /** @param {UppyFile} file */
  #added(file) {
    if (this.#rows.has(file.id)) return this.#arrange();
    this.#append(file);
    this.#uppy.emit("thumbnail:request", file);
    this.#arrange();
  }

  /** @param {UppyFile} file */
  #append(file) {
    const on = { remove: () => this.#remove(row), retry: () => this.#retryByHand(row) };
    const row = new Row({ id: file.id, name: file.name, file: /** @type {Blob} */ (file.data) }, on);
    this.#rows.set(file.id, row);
    this.#list.append(row.element);
    return row;
  }

  /**
   * A file that is in the list already, or that is no picture.
   * @param {UppyFile | undefined} file
   * @param {Error} error
   */
  #notTaken(file, error) {
    if (!file || this.#rows.has(file.id)) return notify(error.message);
    this.#fail(this.#append(file), NO_PICTURE, "unsupported_type");
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
          onready: (flags) => row.tick(flags),
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
    row.element.remove();
    if (this.#uppy.getFile(row.id)) this.#uppy.removeFile(row.id);
    announce(`Removed ${row.name}`);
    this.#arrange();
    if (hadFocus) /** @type {HTMLElement | null} */ ((beside ?? this.#drop).querySelector("button, input, a"))?.focus();
  }

  #clearDone() {
    for (const row of this.#those("done")) this.#forget(row);
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
    this.#form.hidden = this.#rows.size === 0;
    this.#footer.show([...this.#rows.values()], account?.username);
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
