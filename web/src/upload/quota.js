// How many artworks the artist may have, and how many there are.

import { h } from "../dom.js";
import { counted } from "../words.js";

/** @typedef {import("../session.js").Account} Account */

/** @param {Account} account */
export function quotaLine({ artworkLimit, artworkCount, artworkRemaining }) {
  const used = h("meter", {
    min: 0,
    max: Math.max(artworkLimit, 1),
    value: artworkCount,
    "aria-label": "Artworks used",
  });
  const text = `${artworkCount} of ${counted(artworkLimit, "artwork")} used`;
  const left = artworkRemaining > 0 ? `${artworkRemaining} left` : noRoom(artworkLimit);
  return h(
    "p",
    { class: artworkRemaining > 0 ? "quota" : "quota full" },
    used,
    h("span", {}, text),
    h("strong", {}, left),
  );
}

/** @param {number} limit */
export function noRoom(limit) {
  return `Your limit of ${counted(limit, "artwork")} is reached. Delete one to make room.`;
}
