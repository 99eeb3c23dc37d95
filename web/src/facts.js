// What is known of an artwork, and where in the gallery one is.

import { artistPath, format } from "./address.js";
import { h } from "./dom.js";
import { ICON, iconOf, picture } from "./picture.js";
import { categoryName, dateName } from "./words.js";

/** @typedef {import("./api.js").Artwork} Artwork */
/** @typedef {import("./dom.js").Child} Child */

/**
 * @param {Artwork} artwork
 * @param {Promise<unknown>} after what its icon waits for
 */
export function crumbs(artwork, after) {
  return h(
    "ol",
    {},
    h("li", {}, h("a", { href: "/" }, "All pictures")),
    h("li", {}, h("a", { href: artistPath(artwork.username) }, h("bdi", {}, artwork.username))),
    h(
      "li",
      { class: "here", "aria-current": "page" },
      picture({ src: iconOf(artwork), width: ICON, height: ICON, alt: "", after }, artwork),
      h("bdi", {}, artwork.title),
    ),
  );
}

/** @param {Artwork} artwork */
export function facts(artwork) {
  /** @type {[string, Child][]} */
  const all = [
    [
      "Category",
      h(
        "a",
        { href: format({ view: "gallery", filters: { category: artwork.category } }) },
        categoryName(artwork.category),
      ),
    ],
    ["Created", artwork.createdDate && dateName(artwork.createdDate)],
    ["Materials", artwork.materials],
    ["Dimensions", artwork.dimensions],
    [
      "Original",
      artwork.originalWidth && artwork.originalHeight
        ? `${artwork.originalWidth} × ${artwork.originalHeight} pixels`
        : null,
    ],
    ["Status", artwork.status === "active" ? null : `${artwork.status}: only you see it`],
    [
      "Tags",
      artwork.tags.length > 0 &&
        h(
          "span",
          { class: "tags" },
          artwork.tags.map((tag) =>
            h("a", { class: "chip", href: format({ view: "gallery", filters: { tag } }) }, `#${tag}`),
          ),
        ),
    ],
  ];
  const shown = all.filter(([, value]) => value);
  return h(
    "dl",
    { class: "facts" },
    shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", { dir: "auto" }, value))),
  );
}
