// The grid: filtered, loaded a page at a time as it is scrolled, kept while an artwork is looked at.

import { format } from "./address.js";
import { announce } from "./announce.js";
import { ApiError, listArtworks, PAGE_SIZE } from "./api.js";
import { card, placeholderCard } from "./card.js";
import { h } from "./dom.js";
import { filterBar } from "./filters.js";
import { emptyState, errorState, loadingState } from "./states.js";
import { categoryName, counted } from "./words.js";

/** @typedef {import("./address.js").Filters} Filters */
/** @typedef {import("./api.js").Artwork} Artwork */

const AHEAD = "1200px";

/**
 * What the filters ask for. The first of these words is the heading; all of them are the document's title, so that
 * two links are not called the same.
 * @param {Filters} filters
 */
function wordsOf({ username, category, tag, q }) {
  const words = [username, q && `“${q}”`, tag && `#${tag}`, category && categoryName(category)];
  return words.some(Boolean) ? words.filter(Boolean) : ["Recent work"];
}

const everything = () => h("a", { class: "button", href: "/" }, "Show all pictures");

/** @param {Filters} filters */
function nothingHere({ username, ...rest }) {
  if (Object.values(rest).some(Boolean))
    return emptyState("Nothing matches", "Try other words, or another category.", everything());
  if (username)
    return emptyState("No pictures", `There is nothing by ${username} here.`, everything());
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
  title = "Gallery";

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

  #heading = h("h1", { tabindex: -1, dir: "auto" });
  #grid = h("ul", { class: "grid", "aria-label": "Pictures" });
  #foot = h("div", { class: "foot" });
  #bar;
  #watch = new IntersectionObserver(([entry]) => entry?.isIntersecting && this.more(), { rootMargin: AHEAD });

  /** @param {(filters: Filters) => void} onfilter */
  constructor(onfilter) {
    this.#bar = filterBar(onfilter);
    this.element = h(
      "section",
      { class: "gallery" },
      h("div", { class: "masthead" }, this.#heading, this.#bar.element),
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
    this.#filters = filters;
    this.#shown = path;
    const words = wordsOf(filters);
    this.title = words.join(" · ");
    this.#heading.textContent = words[0] ?? null;
    this.artworks = [];
    this.#cursor = null;
    this.#ended = false;
    this.#grid.replaceChildren(...Array.from({ length: PAGE_SIZE / 2 }, placeholderCard));
    this.more();
  }

  /** Something changed: the next show reads everything again. */
  invalidate() {
    this.#shown = null;
  }

  /** Loads the next page, unless one is on its way or none is left. */
  async more() {
    if (this.#ended || this.#loading) return;
    const loading = (this.#loading = new AbortController());
    this.#emptyFoot();
    this.#grid.setAttribute("aria-busy", "true");
    try {
      let page = await listArtworks(this.#filters, { cursor: this.#cursor, signal: loading.signal });
      // A search that has looked at as much as it may answers with an empty page and where to go on.
      while (page.artworks.length === 0 && page.nextCursor !== null) {
        page = await listArtworks(this.#filters, { cursor: page.nextCursor, signal: loading.signal });
      }
      if (!loading.signal.aborted) this.#add(page);
    } catch (error) {
      if (!loading.signal.aborted) this.#fail(error);
    }
    if (loading.signal.aborted) return;
    this.#loading = null;
    this.#grid.removeAttribute("aria-busy");
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

  /** @param {import("./api.js").Page} page */
  #add({ artworks, nextCursor }) {
    const first = this.artworks.length === 0;
    const waited = this.#hasFocus;
    const cards = artworks.map(card);
    if (first) this.#grid.replaceChildren();
    this.artworks.push(...artworks);
    this.#grid.append(...cards);
    this.#cursor = nextCursor;
    this.#ended = nextCursor === null;
    for (const { username } of artworks) this.#usernames.add(username);
    this.#bar.suggest(this.#usernames);
    announce(first ? counted(artworks.length, "picture") : `${counted(artworks.length, "more picture")}.`);
    this.#watch.disconnect();
    this.#foot.replaceChildren(...this.#rest());
    if (!this.#ended) this.#watch.observe(this.#foot);
    if (waited) focusIn(cards[0] ?? this.#foot);
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
