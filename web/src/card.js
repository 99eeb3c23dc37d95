// One artwork in the grid.

import { artworkPath } from "./address.js";
import { h } from "./dom.js";
import { picture } from "./picture.js";

const THUMBNAIL = 300;

/** @param {import("./api.js").Artwork} artwork */
export function card(artwork) {
  const image = { src: artwork.thumbnailUrl ?? artwork.displayUrl, width: THUMBNAIL, height: THUMBNAIL, alt: "", lazy: true };
  return h(
    "li",
    { class: "card" },
    h(
      "a",
      { href: artworkPath(artwork) },
      picture(image, artwork),
      h("span", { class: "title", dir: "auto" }, artwork.title),
      h(
        "span",
        { class: "artist" },
        h("span", { class: "visually-hidden" }, "by "),
        h("bdi", {}, artwork.username),
      ),
    ),
  );
}

/** A place in the grid that is still empty. */
export function placeholderCard() {
  return h(
    "li",
    { class: "card empty", "aria-hidden": "true" },
    h("div", { class: "picture" }),
    h("span", { class: "title" }, " "),
    h("span", { class: "artist" }, " "),
  );
}
