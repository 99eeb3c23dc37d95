// The row of filters above the grid. It keeps what is typed and reports each new choice.

import { format } from "./address.js";
import { h } from "./dom.js";
import { categoryField, suggestions } from "./fields.js";
import { categoryName, categoryOf } from "./words.js";

/** @typedef {import("./address.js").Filters} Filters */

// The API's limit for a filter.
const LONGEST = 100;

/** @param {Filters} filters */
const path = (filters) => format({ view: "gallery", filters });

/**
 * @param {(filters: Filters) => void} onchange
 * @returns {{element: HTMLElement, show(filters: Filters): void, suggest(usernames: Iterable<string>): void}}
 */
export function filterBar(onchange) {
  const words = h("input", {
    type: "search",
    name: "q",
    placeholder: "Search titles",
    maxlength: LONGEST,
    "aria-label": "Search titles",
  });
  const artist = h("input", {
    type: "search",
    name: "username",
    placeholder: "Artist",
    list: "artists",
    maxlength: LONGEST,
    "aria-label": "Artist",
  });
  const category = categoryField("category", "", LONGEST, {
    type: "search",
    placeholder: "All categories",
    "aria-label": "Category",
  });
  const artists = h("datalist", { id: "artists" });
  const tag = h("button", { type: "button", class: "chip", hidden: true });

  /** @type {Filters} */
  let current = {};
  const read = () => ({
    ...current,
    q: words.value.trim() || undefined,
    username: artist.value.trim().replace(/^@/, "") || undefined,
    category: categoryOf(category.value) || undefined,
  });
  const report = () => {
    const next = read();
    if (path(next) !== path(current)) onchange(next);
  };
  tag.addEventListener("click", () => onchange({ ...read(), tag: undefined }));

  const element = h("form", { class: "filters", role: "search" }, words, artist, artists, category, suggestions(), tag);
  element.addEventListener("change", report);
  element.addEventListener("search", report, { capture: true });
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    report();
  });

  return {
    element,
    show(filters) {
      current = filters;
      words.value = filters.q ?? "";
      artist.value = filters.username ?? "";
      category.value = categoryName(filters.category ?? "");
      tag.hidden = !filters.tag;
      tag.textContent = `#${filters.tag} ×`;
      tag.setAttribute("aria-label", `Remove the tag ${filters.tag}`);
    },
    suggest(usernames) {
      artists.replaceChildren(...[...usernames].map((username) => h("option", { value: username })));
    },
  };
}
