// One artwork: the picture as large as the window allows, what is known of it, and its neighbours.

import { artistPath, artworkPath } from "./address.js";
import { notify } from "./announce.js";
import { readArtwork } from "./api.js";
import { h, icon } from "./dom.js";
import { crumbs, facts } from "./facts.js";
import { editArtwork, openOriginal, removeArtwork } from "./owner.js";
import { altOf, fit, picture, tint } from "./picture.js";
import * as session from "./session.js";
import { takeArtwork } from "./settings.js";
import { sourcesOf } from "./sources.js";
import { emptyState, errorState, loadingState } from "./states.js";
import { Strip } from "./strip.js";

/** @typedef {import("./api.js").Artwork} Artwork */
/** @typedef {import("./dom.js").Child} Child */

const LINK = "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.7 1.7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.7-1.7";
const DOWN = "M12 4v11m-5-5 5 5 5-5M5 20h14";
// What the API answers to an address where no artwork is, or where none can be.
const MISSING = [400, 404];
// How long everything else waits for the first picture.
const PICTURE_FIRST_MS = 5000;

/**
 * @typedef {object} Surroundings
 * @property {import("./neighbours.js").Neighbours} neighbours
 * @property {(path: string, options?: {replace?: boolean}) => void} navigate
 * @property {() => void} changed the grid is out of date
 * @property {(title: string) => void} entitle
 */

export class ArtworkView {
  title = "Artwork";

  #address;
  #around;
  /** @type {Artwork | null} */
  #artwork = null;
  /** The ETag of what was read; null until it is. @type {string | null} */
  #etag = null;
  #readings = 0;
  /** The token that the last reading was done with. @type {string | null} */
  #reader = null;
  /** The URL of the picture that hangs; null when none does. @type {string | null} */
  #hung = null;
  #findsNeighbours = false;
  /** Resolves when everything else may be fetched. @type {Promise<unknown>} */
  pictureFirst = Promise.resolve();
  #leaving = new AbortController();
  #crumbs = h("nav", { class: "crumbs", "aria-label": "You are here" });
  #stage = h("div", { class: "stage" });
  #strip = new Strip();
  // Heading and buttons stay in place while what is said around them changes: one of them may have the focus.
  #heading = h("h1", { tabindex: -1, dir: "auto" }, this.title);
  #about = h("div", { class: "about" });
  #edit = button(() => this.#change(), "Edit");
  #original = button(() => openOriginal(this.#address), icon(DOWN), "Download original");
  #delete = button(() => this.#remove(), "Delete");
  #actions = h("p", { class: "actions" }, this.#edit, button(copyLink, icon(LINK), "Copy link"), this.#original);
  // What cannot be taken back is not beside what is pressed every day.
  #apart = h("p", { class: "actions apart" }, this.#delete);
  #panel = h("div", { class: "panel" }, this.#heading, this.#about, this.#actions, this.#apart);
  element = h("article", { class: "artwork" }, this.#crumbs, this.#stage, this.#panel, this.#strip.element);

  /**
   * @param {{username: string, slug: string}} address
   * @param {Surroundings} around
   */
  constructor(address, around) {
    this.#address = address;
    this.#around = around;
    this.#delete.classList.add("danger");
    const { signal } = this.#leaving;
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    session.changes.addEventListener("change", () => this.#recognise(), { signal });
    new ResizeObserver(() => fit(this.#stage.querySelectorAll(".picture"))).observe(this.#stage);
    const given = takeArtwork(address);
    const known = around.neighbours.find(address) ?? given;
    if (given?.displayUrl) this.pictureFirst = settled(this.#stage);
    if (known) this.#show(known);
    else this.#clear(loading());
    if (given) this.#readAfterPicture();
    else this.#read();
  }

  get heading() {
    return this.#heading;
  }

  dispose() {
    this.#leaving.abort();
  }

  /** Somebody signed in or out: an owner sees more. */
  #recognise() {
    if (this.#artwork) this.#describe(this.#artwork);
    if (session.currentToken() !== this.#reader) this.#read();
  }

  async #readAfterPicture() {
    await this.pictureFirst;
    if (this.#readings === 0 && !this.#leaving.signal.aborted) this.#read();
  }

  /** Reads what is there now; of several readings only the last one counts. */
  async #read() {
    const reading = ++this.#readings;
    const { signal } = this.#leaving;
    const counts = () => reading === this.#readings && !signal.aborted;
    this.#reader = session.currentToken();
    try {
      const { artwork, etag } = await readArtwork(this.#address.username, this.#address.slug, { signal });
      if (!counts()) return;
      this.#etag = etag;
      this.#show(artwork);
    } catch (error) {
      if (counts()) this.#fail(error);
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    const missing = error instanceof Error && "status" in error && MISSING.includes(Number(error.status));
    if (this.#artwork && !missing) {
      if (!this.#hung) this.#hang(this.#artwork);
      return notify("The latest details could not be fetched.");
    }
    this.#clear(missing ? notHere() : errorState(error, () => this.#readAgain()));
    if (missing) this.#around.entitle("Not found");
  }

  /** The button that was pressed for it goes, so the heading takes the focus. */
  #readAgain() {
    this.#heading.focus();
    this.#stage.replaceChildren(loading());
    this.#read();
  }

  /**
   * Shows a state in place of an artwork.
   * @param {HTMLElement} state
   */
  #clear(state) {
    this.#artwork = null;
    this.#etag = null;
    this.#hung = null;
    this.#heading.textContent = "Artwork";
    this.#stage.replaceChildren(state);
    this.#bare(true);
  }

  /** @param {boolean} bare */
  #bare(bare) {
    this.element.classList.toggle("bare", bare);
    this.#heading.classList.toggle("visually-hidden", bare);
  }

  /** @param {Artwork} artwork */
  #show(artwork) {
    this.#artwork = artwork;
    this.title = `${artwork.title} by ${artwork.username}`;
    this.#around.entitle(this.title);
    if (this.#hung !== artwork.displayUrl) this.#hang(artwork);
    this.#describe(artwork);
    this.#bare(false);
    // On show before it was in the document, it could not be measured.
    fit(this.#stage.querySelectorAll(".picture"));
    if (this.#strip.isEmpty && !this.#findsNeighbours) this.#findNeighbours(artwork);
  }

  /** @param {Artwork} artwork */
  #hang(artwork) {
    const { displayUrl: src, width, height } = artwork;
    const onfail = () => {
      if (!this.#stage.contains(frame)) return;
      this.#hung = null;
      const error = new Error("The picture could not be loaded.");
      // A reprocessed artwork has its picture elsewhere by now.
      this.#stage.replaceChildren(errorState(error, () => this.#readAgain()));
    };
    const sources = sourcesOf(artwork);
    const image = { src, sources, sizes: preloadedSizes(src), width, height, alt: altOf(artwork), first: true, onfail };
    const frame = picture(image, artwork);
    const shape = (/** @type {number} */ w, /** @type {number} */ h) =>
      frame.style.setProperty("--ratio", String(w / h));
    if (width && height) shape(width, height);
    else {
      shape(1, 1);
      const image = frame.querySelector("img");
      image?.addEventListener("load", () => shape(image.naturalWidth, image.naturalHeight));
    }
    tint(this.#stage, artwork.dominantColor);
    const enlarge = h(
      "button",
      { type: "button", class: "enlarge", onclick: () => this.#enlarge() },
      frame,
      h("span", { class: "visually-hidden" }, "Enlarge"),
    );
    this.#stage.replaceChildren(enlarge);
    this.#hung = src;
  }

  /** @param {Artwork} artwork */
  #describe(artwork) {
    this.#heading.textContent = artwork.title;
    const artist = h(
      "p",
      { class: "by" },
      "by ",
      h("a", { href: artistPath(artwork.username), rel: "author" }, h("bdi", {}, artwork.username)),
    );
    this.#crumbs.replaceChildren(crumbs(artwork, this.pictureFirst));
    const description = artwork.description && h("p", { class: "description", dir: "auto" }, artwork.description);
    this.#about.replaceChildren(artist, description || "", facts(artwork));
    const mine = session.currentAccount()?.id === artwork.userId;
    this.#edit.hidden = this.#apart.hidden = !mine;
    this.#original.hidden = !(artwork.originalDownloadUrl || artwork.originalUrl);
  }

  /** Opens the lightbox where this picture hangs; its script comes with the first use. */
  async #enlarge() {
    const artwork = this.#artwork;
    if (!artwork) return;
    const line = this.#strip.line.length > 0 ? this.#strip.line : [artwork];
    const place = line.findIndex(({ id }) => id === artwork.id);
    const seen = await import("./lightbox/lightbox.js")
      .then(({ openLightbox }) => openLightbox(line, Math.max(0, place), this.#stage))
      .catch((error) => {
        console.warn(error);
        notify("The large view could not be fetched. Check your connection and try again.");
      });
    if (seen && seen.id !== artwork.id && !this.#leaving.signal.aborted)
      this.#around.navigate(artworkPath(seen), { replace: true });
  }

  async #change() {
    const artwork = await this.#latest();
    if (!artwork) return;
    const changed = await editArtwork(artwork, this.#etag, () => this.#read());
    if (!changed) return;
    const now = { ...artwork, ...changed.artwork };
    this.#around.neighbours.update(now);
    this.#around.changed();
    notify("Saved");
    if (this.#leaving.signal.aborted) return;
    this.#etag = changed.etag;
    this.#show(now);
    const path = artworkPath(now);
    if (path !== location.pathname) this.#around.navigate(path, { replace: true });
  }

  /** What is there now, with its ETag: without one, a change would overwrite what others changed. */
  async #latest() {
    if (this.#etag === null) await this.#read();
    if (this.#leaving.signal.aborted || !this.#artwork) return null;
    if (this.#etag !== null) return this.#artwork;
    notify("The latest details are needed for that, and they could not be fetched. Try again.");
    return null;
  }

  async #remove() {
    const artwork = /** @type {Artwork} */ (this.#artwork);
    if (!(await removeArtwork(artwork))) return;
    this.#around.neighbours.forget();
    this.#around.changed();
    if (!this.#leaving.signal.aborted) this.#around.navigate(artistPath(artwork.username), { replace: true });
    notify(`Deleted “${artwork.title}”`);
  }

  /** @param {Artwork} artwork */
  async #findNeighbours(artwork) {
    const { signal } = this.#leaving;
    this.#findsNeighbours = true;
    await this.pictureFirst;
    // An artwork is worth looking at without its neighbours too.
    const line = await this.#around.neighbours.around(artwork, signal).catch(() => []);
    this.#findsNeighbours = false;
    if (!signal.aborted) this.#strip.show(artwork, line);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // The lightbox has arrow keys of its own.
    if (target.closest("dialog, input, textarea, select") || document.querySelector(".pswp")) return;
    const steps = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    const next = steps ? this.#strip.neighbour(steps) : null;
    if (next) this.#around.navigate(artworkPath(next), { replace: true });
  }
}

/**
 * Resolves once a picture in an element is there or has failed, or when it takes too long.
 * @param {HTMLElement} element
 */
function settled(element) {
  return new Promise((resolve) => {
    for (const kind of ["load", "error"]) element.addEventListener(kind, resolve, { capture: true, once: true });
    setTimeout(resolve, PICTURE_FIRST_MS);
  });
}

/**
 * A button that does nothing while its last press is being worked on.
 * @param {() => Promise<void>} work
 * @param {...Child} content
 */
function button(work, ...content) {
  const press = async () => {
    if (element.getAttribute("aria-disabled") === "true") return;
    element.setAttribute("aria-disabled", "true");
    await work().finally(() => element.removeAttribute("aria-disabled"));
  };
  const element = h("button", { type: "button", class: "button", onclick: press }, content);
  return element;
}

/**
 * The `sizes` that the document has preloaded a picture with: named otherwise, another version would be fetched too.
 * @param {string | null} src the widest version
 */
function preloadedSizes(src) {
  /** @type {NodeListOf<HTMLLinkElement>} */
  const links = document.querySelectorAll('link[rel="preload"][as="image"]');
  const link = [...links].find(({ href, imageSrcset }) => src && (imageSrcset.includes(src) || href === src));
  return link?.imageSizes || undefined;
}

const loading = () => loadingState("Fetching the picture…");

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
    notify("The browser did not allow it: copy the link from the address bar.");
  }
}
