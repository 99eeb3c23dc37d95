// The grid: filtered, loaded a page at a time as it is scrolled, kept while an artwork is looked at.

import { format } from "./address.js";
import { announce } from "./announce.js";
import { ApiError, listArtworks, PAGE_SIZE } from "./api.js";
import { card, placeholderCard } from "./card.js";
import { h } from "./dom.js";
import { filterBar } from "./filters.js";
import { fit } from "./picture.js";
import { site } from "./settings.js";
import { emptyState, errorState, loadingState } from "./states.js";
import { categoryName, counted } from "./words.js";

/** @typedef {import("./address.js").Filters} Filters */
/** @typedef {import("./api.js").Artwork} Artwork */

const AHEAD = "1200px";
const MOST_FEATURED = 12;
// Where a browser keeps how somebody likes the grid to hang.
const HANGING = "gallery.hanging";
// Where two columns take the place of rows, as in gallery.css.
const COLUMNS = matchMedia("(width < 40rem)");
const BELOW_CARD = 24;

/**
 * What the filters ask for. The first of these words is the heading; all of them are the document's title, so that
 * two links are not called the same.
 * @param {Filters} filters
 */
function wordsOf({ username, category, tag, q }) {
  const words = [username, q && `“${q}”`, tag && `#${tag}`, category && categoryName(category)];
  return words.some(Boolean) ? words.filter(Boolean) : ["Recent work"];
}

/**
 * @param {Filters} one
 * @param {Filters} other
 */
const sameButWords = (one, other) =>
  format({ view: "gallery", filters: { ...one, q: "" } }) === format({ view: "gallery", filters: { ...other, q: "" } });

const everything = () => h("a", { class: "button", href: "/" }, "Show all pictures");

/** @param {Filters} filters */
function nothingHere({ username, ...rest }) {
  if (Object.values(rest).some(Boolean))
    return emptyState("Nothing matches", "Try other words, or another category.", everything());
  if (username) return emptyState("No pictures", `There is nothing by ${username} here.`, everything());
  return emptyState(
    "The walls are bare",
    "Hang the first picture.",
    h("a", { class: "button primary", href: "/upload" }, "Upload pictures"),
  );
}

// A wish that the API refuses is refused again.
function notUnderstood() {
  const reason = "The gallery does not know what this link asks for. It may be misspelt or incomplete.";
  return emptyState("There is nothing to show", reason, everything());
}

export class Gallery {
  /** @type {Artwork[]} */
  artworks = [];
  title = "";

  /** @type {Filters} */
  #filters = {};
  /** @type {string | null} */
  #shown = null;
  /** @type {string | null} */
  #cursor = null;
  /** @type {AbortController | null} */
  #loading = null;
  #ended = false;
  /** @type {Set<string>} */
  #usernames = new Set();
  /** @type {Set<string>} */
  #tags = new Set();
  /** Ids of artworks that hang already, before the list reaches them. @type {Set<string>} */
  #featured = new Set();
  #width = 0;
  #squares = localStorage.getItem(HANGING) === "squares";

  #heading = h("h1", { tabindex: -1, dir: "auto" });
  #tagline = h("p", { class: "tagline", dir: "auto" }, site.tagline);
  #grid = h("ul", { class: "grid", "aria-label": "Pictures" });
  #foot = h("div", { class: "foot" });
  #bar;
  #watch = new IntersectionObserver(([entry]) => entry?.isIntersecting && this.more(), { rootMargin: AHEAD });

  /** @param {(filters: Filters, typing: boolean) => void} onfilter */
  constructor(onfilter) {
    this.#bar = filterBar({ onchange: onfilter, onhang: (squares) => this.#hang(squares), squares: this.#squares });
    this.#grid.classList.toggle("squares", this.#squares);
    new ResizeObserver(() => this.#resized()).observe(this.#grid);
    this.element = h(
      "section",
      { class: "gallery" },
      h("div", { class: "masthead" }, h("div", {}, this.#heading, this.#tagline), this.#bar.element),
      this.#grid,
      this.#foot,
    );
  }

  get heading() {
    return this.#heading;
  }

  /**
   * Shows the pictures of a filter; what is already shown stays as it is.
   * @param {Filters} filters
   */
  show(filters) {
    const path = format({ view: "gallery", filters });
    this.#bar.show(filters);
    if (path === this.#shown) return;
    this.#loading?.abort();
    this.#loading = null;
    // While somebody types, what was found last stays until there is something new.
    const typed = this.#shown !== null && sameButWords(filters, this.#filters);
    this.#filters = filters;
    this.#shown = path;
    const words = wordsOf(filters);
    this.title = words.join(" · ");
    this.#heading.textContent = words[0] ?? null;
    this.#tagline.hidden = path !== "/" || !site.tagline;
    this.artworks = [];
    this.#featured.clear();
    this.#cursor = null;
    this.#ended = false;
    if (!typed)
      this.#grid.replaceChildren(...Array.from({ length: PAGE_SIZE / 2 }, (_, place) => placeholderCard(place)));
    this.#arrange();
    this.more();
  }

  /**
   * Hangs the same pictures in rows of one height, or as squares.
   * @param {boolean} squares
   */
  #hang(squares) {
    this.#squares = squares;
    if (squares) localStorage.setItem(HANGING, "squares");
    else localStorage.removeItem(HANGING);
    this.#grid.classList.toggle("squares", squares);
    if (this.artworks.length > 0) this.#grid.replaceChildren(...this.#cards(this.artworks, 0));
    this.#arrange();
  }

  /**
   * @param {Artwork[]} artworks
   * @param {number} first the place of the first of them
   */
  #cards(artworks, first) {
    return artworks.map((artwork, index) => card(artwork, { place: first + index, squares: this.#squares }));
  }

  /** It is in the document now, and can be measured. */
  placed() {
    this.#width = this.#grid.clientWidth;
    this.#arrange();
  }

  #resized() {
    const width = this.#grid.clientWidth;
    // Without a width it is not in the document: it comes back as it was.
    if (width === 0 || width === this.#width) return;
    this.#width = width;
    this.#arrange();
  }

  get #frames() {
    return this.#grid.querySelectorAll(".card:not(.empty) .picture");
  }

  /** Brings every card to its place, and its picture to the width it has there. */
  #arrange() {
    const cards = /** @type {HTMLElement[]} */ ([...this.#grid.children]);
    for (const each of cards) {
      each.hidden = false;
      each.style.gridRowEnd = "";
    }
    this.#grid.classList.toggle("open", !this.#ended);
    if (COLUMNS.matches) standInColumns(cards);
    else if (!this.#ended) keepBack(cards);
    fit(this.#frames);
  }

  /** Something changed: the next show reads everything again. */
  invalidate() {
    this.#shown = null;
  }

  /**
   * Loads on until the grid is so many pixels long, or complete.
   * @param {number} height
   */
  reach(height) {
    if (this.element.isConnected && this.element.scrollHeight < height) this.more();
  }

  /** Loads the next page, unless one is on its way or none is left. */
  async more() {
    if (this.#ended || this.#loading) return;
    const loading = new AbortController();
    this.#loading = loading;
    this.#emptyFoot();
    this.#grid.setAttribute("aria-busy", "true");
    try {
      const [chosen, first] = await Promise.all([
        this.#choose(loading.signal),
        listArtworks(this.#filters, { cursor: this.#cursor, signal: loading.signal }),
      ]);
      let page = first;
      // A search that has looked at as much as it may answers with an empty page and where to go on.
      while (page.artworks.length === 0 && page.nextCursor !== null) {
        page = await listArtworks(this.#filters, { cursor: page.nextCursor, signal: loading.signal });
      }
      if (!loading.signal.aborted) this.#add(page, chosen);
    } catch (error) {
      if (!loading.signal.aborted) this.#fail(error);
    }
    if (loading.signal.aborted) return;
    this.#loading = null;
    this.#grid.removeAttribute("aria-busy");
  }

  /**
   * What the operators want to be seen first, at the beginning of the front page.
   * @param {AbortSignal} signal
   * @returns {Promise<Artwork[]>}
   */
  async #choose(signal) {
    if (Object.values(this.#filters).some(Boolean) || this.artworks.length > 0) return [];
    // The gallery is worth looking at without them too.
    const page = await listArtworks({ featured: "true" }, { limit: MOST_FEATURED, signal }).catch(() => null);
    return page?.artworks ?? [];
  }

  /** Takes away what the last page had left there. A focus inside stays: whoever pressed a button waits here. */
  #emptyFoot() {
    if (!this.#hasFocus) return this.#foot.replaceChildren();
    const waiting = loadingState("Fetching pictures…");
    waiting.tabIndex = -1;
    this.#foot.replaceChildren(waiting);
    waiting.focus();
  }

  get #hasFocus() {
    return this.#foot.contains(document.activeElement);
  }

  /** @param {unknown} error */
  #fail(error) {
    const waited = this.#hasFocus;
    const refused = error instanceof ApiError && error.status === 400;
    if (this.artworks.length === 0) this.#grid.replaceChildren();
    this.#foot.replaceChildren(refused ? notUnderstood() : errorState(error, () => this.more()));
    if (waited) focusIn(this.#foot);
  }

  /**
   * @param {import("./api.js").Page} page
   * @param {Artwork[]} chosen hung before the page's
   */
  #add({ artworks: listed, nextCursor }, chosen) {
    const first = this.artworks.length === 0;
    const waited = this.#hasFocus;
    for (const { id } of chosen) this.#featured.add(id);
    const artworks = [...chosen, ...listed.filter(({ id }) => !this.#featured.has(id))];
    const cards = this.#cards(artworks, this.artworks.length);
    if (first) this.#grid.replaceChildren();
    this.artworks.push(...artworks);
    this.#grid.append(...cards);
    this.#cursor = nextCursor;
    this.#ended = nextCursor === null;
    this.#arrange();
    for (const { username, tags } of artworks) {
      this.#usernames.add(username);
      for (const tag of tags) this.#tags.add(tag);
    }
    this.#bar.suggest({ usernames: this.#usernames, tags: this.#tags });
    announce(first ? counted(artworks.length, "picture") : `${counted(artworks.length, "more picture")}.`);
    this.#watch.disconnect();
    this.#foot.replaceChildren(...this.#rest());
    if (!this.#ended) this.#watch.observe(this.#foot);
    const [next] = cards;
    if (waited) focusIn(next && !next.hidden ? next : this.#foot);
  }

  /** What stands below the grid. */
  #rest() {
    if (this.artworks.length === 0) return [nothingHere(this.#filters)];
    if (this.#ended) return [];
    return [h("button", { type: "button", class: "button", onclick: () => this.more() }, "Show more")];
  }
}

/** @param {HTMLElement} place */
const focusIn = (place) => /** @type {HTMLElement | null} */ (place.querySelector("a, button"))?.focus();

/**
 * Lets each card take as many of the grid's one-pixel lines as it is high: the next one stands in the shorter column.
 * @param {HTMLElement[]} cards
 */
function standInColumns(cards) {
  const heights = cards.map(({ firstElementChild }) => firstElementChild?.getBoundingClientRect().height ?? 0);
  for (const [index, each] of cards.entries())
    each.style.gridRowEnd = `span ${Math.ceil(heights[index] ?? 0) + BELOW_CARD}`;
}

/**
 * Hides a last row that is not full: it would move when more comes.
 * @param {HTMLElement[]} cards
 */
function keepBack(cards) {
  const last = cards.at(-1)?.offsetTop;
  const row = cards.filter(({ offsetTop }) => offsetTop === last);
  if (row.length < cards.length) for (const each of row) each.hidden = true;
}
