// The grid: filtered, loaded a page at a time as it is scrolled, kept while an artwork is looked at.

import { format } from "./address.js";
import { announce } from "./announce.js";
import { listArtworks, PAGE_SIZE } from "./api.js";
import { card, placeholderCard } from "./card.js";
import { h } from "./dom.js";
import { filterBar } from "./filters.js";
import { emptyState, errorState } from "./states.js";
import { categoryName, counted } from "./words.js";

/** @typedef {import("./address.js").Filters} Filters */
/** @typedef {import("./api.js").Artwork} Artwork */

const AHEAD = "1200px";

/** @param {Filters} filters */
function headingOf({ username, category, tag, q }) {
  if (username) return username;
  if (q) return `“${q}”`;
  if (tag) return `#${tag}`;
  return category ? categoryName(category) : "Recent work";
}

/** @param {Filters} filters */
function nothingHere({ username, ...rest }) {
  if (Object.values(rest).some(Boolean)) {
    const all = h(
      "a",
      { class: "button", href: format({ view: "gallery", filters: {} }) },
      "Show all pictures",
    );
    return emptyState("Nothing matches", "Try other words, or another category.", all);
  }
  if (username) {
    const all = h("a", { class: "button", href: "/" }, "See everybody’s");
    return emptyState("No pictures yet", `${username} has not shown anything here.`, all);
  }
  return emptyState(
    "The walls are bare",
    "Hang the first picture.",
    h("a", { class: "button primary", href: "/upload" }, "Upload pictures"),
  );
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
    this.title = headingOf(filters);
    this.#heading.textContent = this.title;
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
    this.#foot.replaceChildren();
    this.#grid.setAttribute("aria-busy", "true");
    try {
      const page = await listArtworks(this.#filters, { cursor: this.#cursor, signal: loading.signal });
      if (!loading.signal.aborted) this.#add(page);
    } catch (error) {
      if (!loading.signal.aborted) this.#fail(error);
    }
    if (loading.signal.aborted) return;
    this.#loading = null;
    this.#grid.removeAttribute("aria-busy");
  }

  /** @param {unknown} error */
  #fail(error) {
    if (this.artworks.length === 0) this.#grid.replaceChildren();
    this.#foot.replaceChildren(errorState(error, () => this.more()));
  }

  /** @param {import("./api.js").Page} page */
  #add({ artworks, nextCursor }) {
    const first = this.artworks.length === 0;
    if (first) this.#grid.replaceChildren();
    this.artworks.push(...artworks);
    this.#grid.append(...artworks.map(card));
    this.#cursor = nextCursor;
    this.#ended = nextCursor === null;
    for (const { username } of artworks) this.#usernames.add(username);
    this.#bar.suggest(this.#usernames);
    announce(first ? counted(artworks.length, "picture") : `${counted(artworks.length, "more picture")}.`);
    this.#watch.disconnect();
    if (this.artworks.length === 0) this.#foot.replaceChildren(nothingHere(this.#filters));
    else if (!this.#ended) {
      this.#foot.replaceChildren(
        h("button", { type: "button", class: "button", onclick: () => this.more() }, "Show more"),
      );
      this.#watch.observe(this.#foot);
    }
  }
}
