// One artwork in the grid.

import { artworkPath } from "./address.js";
import { h } from "./dom.js";
import { picture } from "./picture.js";
import { overhangOf, ratioOf, sourcesOf } from "./sources.js";

// So many of a grid are likely to be seen at once.
const FIRST = 4;

/**
 * @param {import("./api.js").Artwork} artwork
 * @param {{place: number, squares: boolean}} hung the artwork's place in the grid, and how the grid hangs
 */
export function card(artwork, { place, squares }) {
  const { altText, width, height } = artwork;
  const frame = picture(
    {
      src: artwork.displayUrl ?? artwork.thumbnailUrl,
      sources: sourcesOf(artwork),
      overhang: squares ? overhangOf(artwork) : 1,
      width,
      height,
      // The title is beside it: said twice, it would only be longer.
      alt: altText ?? "",
      lazy: true,
      first: place < FIRST,
    },
    artwork,
  );
  const item = h(
    "li",
    { class: "card" },
    h(
      "a",
      { href: artworkPath(artwork) },
      frame,
      h("bdi", { class: "title" }, artwork.title),
      h(
        "span",
        { class: "artist" },
        h("span", { class: "visually-hidden" }, "by "),
        h("bdi", {}, artwork.username),
        artwork.isFeatured && h("span", { class: "mark" }, "Featured"),
      ),
    ),
  );
  item.style.setProperty("--ratio", ratioOf(artwork).toFixed(4));
  return item;
}

// The shapes of pictures that are not known yet.
const SHAPES = [1.33, 0.75, 1, 1.5, 0.8];

/**
 * A place in the grid that is still empty.
 * @param {number} place
 */
export function placeholderCard(place) {
  const item = h(
    "li",
    { class: "card empty", "aria-hidden": "true" },
    h(
      "div",
      {},
      h("div", { class: "picture" }),
      h("span", { class: "title" }, "\u00a0"),
      h("span", { class: "artist" }, "\u00a0"),
    ),
  );
  item.style.setProperty("--ratio", String(SHAPES[place % SHAPES.length]));
  return item;
}
