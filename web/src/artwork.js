// One artwork: the picture as large as the window allows, what is known of it, and its neighbours.

import { artistPath, artworkPath } from "./address.js";
import { announce, notify } from "./announce.js";
import { listArtworks, readArtwork } from "./api.js";
import { h, icon } from "./dom.js";
import { crumbs, facts } from "./facts.js";
import { editArtwork, removeArtwork } from "./owner.js";
import { picture } from "./picture.js";
import * as session from "./session.js";
import { emptyState, errorState, loadingState } from "./states.js";
import { STRIP, Strip } from "./strip.js";

/** @typedef {import("./api.js").Artwork} Artwork */
/** @typedef {import("./dom.js").Child} Child */

const LINK =
  "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.7 1.7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.7-1.7";

/**
 * @typedef {object} Surroundings
 * @property {Artwork[]} known the grid's artworks, which are the neighbours when this one is among them
 * @property {() => void} more loads more of the grid
 * @property {(path: string, options?: {replace?: boolean}) => void} navigate
 * @property {() => void} changed the grid is out of date
 * @property {(title: string) => void} entitle
 */

export class ArtworkView {
  title = "Artwork";
  element = h("article", { class: "artwork" });

  #address;
  #around;
  /** @type {Artwork | null} */
  #artwork = null;
  /** @type {string | null} */
  #etag = null;
  #leaving = new AbortController();
  #crumbs = h("nav", { class: "crumbs", "aria-label": "You are here" });
  #stage = h("div", { class: "stage" });
  #strip = new Strip();
  // Heading and buttons stay in place while what is said around them changes: one of them may have the focus.
  #heading = h("h1", { tabindex: -1, dir: "auto" });
  #about = h("div", { class: "about" });
  #actions = h("p", { class: "actions" });
  #offered = "";
  #panel = h("div", { class: "panel" }, this.#heading, this.#about, this.#actions);

  /**
   * @param {{username: string, slug: string}} address
   * @param {Surroundings} around
   */
  constructor(address, around) {
    this.#address = address;
    this.#around = around;
    const { signal } = this.#leaving;
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    session.changes.addEventListener("change", () => this.#recognise(), { signal });
    const known = around.known.find((artwork) => artworkPath(artwork) === artworkPath(address));
    if (known) {
      this.#show(known);
      this.#findNeighbours(known);
    } else this.element.replaceChildren(loadingState("Fetching the picture…"));
    this.#read();
  }

  get heading() {
    return this.#heading;
  }

  dispose() {
    this.#leaving.abort();
  }

  /** Somebody signed in or out: an owner sees more. */
  #recognise() {
    if (!this.#artwork) return;
    this.#describe();
    const { userId, originalDownloadUrl } = this.#artwork;
    if (session.currentAccount()?.id === userId && !originalDownloadUrl) this.#read();
  }

  async #read() {
    const { signal } = this.#leaving;
    try {
      const { artwork, etag } = await readArtwork(this.#address.username, this.#address.slug, { signal });
      this.#etag = etag;
      this.#show(artwork);
      if (this.#strip.isEmpty) await this.#findNeighbours(artwork);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    const missing = error instanceof Error && "status" in error && error.status === 404;
    if (this.#artwork && !missing) return notify("The latest details could not be fetched.");
    const heading = h("h1", { class: "visually-hidden" }, "Artwork");
    this.element.replaceChildren(heading, missing ? notHere() : errorState(error, () => this.#read()));
    if (missing) this.#around.entitle("Not found");
  }

  /** @param {Artwork} artwork */
  #show(artwork) {
    const before = this.#artwork;
    this.#artwork = artwork;
    this.title = `${artwork.title} by ${artwork.username}`;
    this.#around.entitle(this.title);
    if (before?.displayUrl !== artwork.displayUrl) this.#hang(artwork);
    this.#describe();
    if (!before) {
      this.element.replaceChildren(this.#crumbs, this.#stage, this.#panel, this.#strip.element);
    }
  }

  /** @param {Artwork} artwork */
  #hang(artwork) {
    const { displayUrl: src, width, height } = artwork;
    const alt = artwork.description ? `${artwork.title}. ${artwork.description}` : artwork.title;
    const onfail = () => {
      this.#stage.replaceChildren(
        errorState(new Error("The picture could not be loaded."), () => this.#hang(artwork)),
      );
    };
    const frame = picture({ src, width, height, alt, onfail }, artwork);
    frame.style.setProperty("--ratio", String(width / height));
    this.#stage.replaceChildren(frame);
  }

  #describe() {
    const artwork = /** @type {Artwork} */ (this.#artwork);
    this.#heading.textContent = artwork.title;
    const artist = h(
      "p",
      { class: "by" },
      "by ",
      h("a", { href: artistPath(artwork.username) }, h("bdi", {}, artwork.username)),
    );
    this.#crumbs.replaceChildren(crumbs(artwork));
    const description =
      artwork.description && h("p", { class: "description", dir: "auto" }, artwork.description);
    this.#about.replaceChildren(artist, description || "", facts(artwork));
    this.#offer(artwork);
  }

  /** @param {Artwork} artwork */
  #offer({ userId, originalDownloadUrl }) {
    const mine = session.currentAccount()?.id === userId;
    const offered = `${mine} ${Boolean(originalDownloadUrl)}`;
    if (offered === this.#offered) return;
    this.#offered = offered;
    const button = (/** @type {() => void} */ onclick, /** @type {Child[]} */ ...content) =>
      h("button", { type: "button", class: "button", onclick }, content);
    const offers = [button(copyLink, icon(LINK), "Copy link")];
    if (mine) offers.push(button(() => this.#edit(), "Edit"));
    if (mine && originalDownloadUrl) offers.push(button(() => this.#openOriginal(), "Original"));
    if (mine) offers.push(button(() => this.#remove(), "Delete"));
    if (mine) offers.at(-1)?.classList.add("danger");
    this.#actions.replaceChildren(...offers);
  }

  /** Leave to download is short-lived, so it is asked for anew. */
  async #openOriginal() {
    try {
      const { artwork } = await readArtwork(this.#address.username, this.#address.slug);
      open(artwork.originalDownloadUrl, "_blank", "noopener");
    } catch (error) {
      notify(error instanceof Error ? error.message : String(error));
    }
  }

  async #edit() {
    const artwork = /** @type {Artwork} */ (this.#artwork);
    const changed = await editArtwork(artwork, this.#etag, () => this.#read());
    if (!changed) return;
    this.#etag = changed.etag;
    this.#show({ ...artwork, ...changed.artwork });
    this.#around.changed();
    notify("Saved");
    const path = artworkPath(changed.artwork);
    if (path !== location.pathname) this.#around.navigate(path, { replace: true });
  }

  async #remove() {
    const artwork = /** @type {Artwork} */ (this.#artwork);
    if (!(await removeArtwork(artwork))) return;
    this.#around.changed();
    this.#around.navigate(artistPath(artwork.username), { replace: true });
    notify(`Deleted “${artwork.title}”`);
  }

  /**
   * The neighbours are those in the grid, or else the artist's other pictures.
   * @param {Artwork} artwork
   */
  async #findNeighbours(artwork) {
    const { known, more } = this.#around;
    const position = known.findIndex(({ id }) => id === artwork.id);
    if (position >= 0) {
      if (position > known.length - STRIP) more();
      return this.#strip.show(artwork, known);
    }
    const { artworks } = await listArtworks({ username: artwork.username }, { signal: this.#leaving.signal });
    const line = artworks.some(({ id }) => id === artwork.id) ? artworks : [artwork, ...artworks];
    this.#strip.show(artwork, line);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest("dialog, input, textarea, select")) return;
    const steps = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    const next = steps ? this.#strip.neighbour(steps) : null;
    if (next) this.#around.navigate(artworkPath(next), { replace: true });
  }
}

function notHere() {
  const home = h("a", { class: "button", href: "/" }, "See all pictures");
  const reason = "It may have been taken down, or the link is not complete.";
  return emptyState("This picture is not here", reason, home);
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    notify("Link copied");
  } catch {
    announce("The browser did not allow it: copy the link from the address bar.");
  }
}
