// The row of filters above the grid. It keeps what is typed and reports each new choice.

import { artistPath, format } from "./address.js";
import { h, icon } from "./dom.js";
import { categoryField, suggestions } from "./fields.js";
import { categoryName, categoryOf, startsWord } from "./words.js";

/** @typedef {import("./address.js").Filters} Filters */

// The API's limit for a filter.
const LONGEST = 100;
// As long as somebody types on, nothing is asked.
const TYPING_MS = 250;
const MOST_MATCHES = 6;
const ROWS = "M3 5h8v6H3zM14 5h7v6h-7zM3 14h5v5H3zM11 14h10v5H11z";
const SQUARES = "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z";

/** @param {Filters} filters */
const path = (filters) => format({ view: "gallery", filters });

/**
 * @param {{onchange: (filters: Filters, typing: boolean) => void, onhang: (squares: boolean) => void, squares: boolean}} options
 *   `typing`: the last change of the same text field is replaced
 */
export function filterBar({ onchange, onhang, squares }) {
  const words = h("input", {
    type: "search",
    name: "q",
    placeholder: "Titles, artists, tags",
    maxlength: LONGEST,
    "aria-label": "Search titles, names and tags",
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
  const matches = h("p", { class: "matches", hidden: true });
  const fold = h("button", {
    type: "button",
    class: "button fold",
    "aria-expanded": "false",
    "aria-controls": "more-filters",
  });

  /** @type {Filters} */
  let current = {};
  let timer = 0;
  let typing = false;
  /** @type {{usernames: Iterable<string>, tags: Iterable<string>}} */
  let known = { usernames: [], tags: [] };

  const read = () => ({
    ...current,
    q: words.value.trim() || undefined,
    username: artist.value.trim().replace(/^@/, "") || undefined,
    category: categoryOf(category.value) || undefined,
  });
  const report = () => {
    clearTimeout(timer);
    const next = read();
    if (path(next) !== path(current)) onchange(next, typing);
  };
  const settle = () => {
    report();
    typing = false;
  };
  words.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      report();
      typing = true;
    }, TYPING_MS);
  });
  tag.addEventListener("click", () => onchange({ ...read(), tag: undefined }, false));
  fold.addEventListener("click", () => {
    fold.setAttribute("aria-expanded", String(more.classList.toggle("open")));
  });

  const more = h(
    "div",
    { class: "more", id: "more-filters" },
    artist,
    artists,
    category,
    suggestions(),
    hanging(onhang, squares),
  );
  const element = h("form", { class: "filters", role: "search" }, words, fold, more, tag, matches);
  element.addEventListener("change", settle);
  element.addEventListener("search", settle, { capture: true });
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    settle();
  });

  /** What begins like the last word that is searched for: a way to all of it. */
  const match = () => {
    const last = current.q?.split(/\s+/).at(-1) ?? "";
    const found = (/** @type {Iterable<string>} */ names) =>
      [...names].filter((name) => last && startsWord(name, last));
    const links = [
      ...found(known.usernames).map((name) => [artistPath(name), name]),
      ...found(known.tags).map((name) => [path({ tag: name }), `#${name}`]),
    ];
    matches.hidden = links.length === 0;
    matches.replaceChildren(
      ...links.slice(0, MOST_MATCHES).map(([href, text]) => h("a", { class: "chip", href }, h("bdi", {}, text))),
    );
  };

  return {
    element,
    /** @param {Filters} filters */
    show(filters) {
      current = filters;
      // What is being typed stays: the answer to its beginning must not take it away.
      if (words.value.trim() !== (filters.q ?? "")) words.value = filters.q ?? "";
      artist.value = filters.username ?? "";
      category.value = categoryName(filters.category ?? "");
      tag.hidden = !filters.tag;
      tag.replaceChildren(h("bdi", {}, `#${filters.tag}`), " ×");
      tag.setAttribute("aria-label", `Remove the tag ${filters.tag}`);
      const folded = [filters.username, filters.category].filter(Boolean).length;
      fold.textContent = folded > 0 ? `Filters · ${folded}` : "Filters";
      known = { usernames: [], tags: [] };
      match();
    },
    /** @param {{usernames: Iterable<string>, tags: Iterable<string>}} names of what is shown */
    suggest(names) {
      known = names;
      artists.replaceChildren(...[...names.usernames].map((username) => h("option", { value: username })));
      match();
    },
  };
}

/**
 * The choice between rows of one height and squares.
 * @param {(squares: boolean) => void} onhang
 * @param {boolean} squares
 */
function hanging(onhang, squares) {
  const choices = /** @type {const} */ ([
    ["Whole pictures", ROWS, false],
    ["Squares", SQUARES, true],
  ]).map(([label, drawing, value]) =>
    h(
      "button",
      {
        type: "button",
        class: "button quiet",
        "aria-label": label,
        title: label,
        "aria-pressed": String(value === squares),
        onclick,
      },
      icon(drawing),
    ),
  );
  /** @param {Event} event */
  function onclick({ currentTarget }) {
    for (const each of choices) each.setAttribute("aria-pressed", String(each === currentTarget));
    onhang(currentTarget === choices[1]);
  }
  return h("span", { class: "hanging", role: "group", "aria-label": "How pictures hang" }, choices);
}
