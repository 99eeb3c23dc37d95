// What the document brings along: the settings of this site, and the artwork at its address.

import { siteOf } from "./site.js";

export const site = siteOf(document.getElementById("site")?.textContent ?? "", document.baseURI);

/**
 * The artwork that the document was served with, if it is the one at an address. Given once: later it may be out of date.
 * @param {{username: string, slug: string}} address
 * @returns {import("./api.js").Artwork | null}
 */
export function takeArtwork({ username, slug }) {
  const element = document.getElementById("artwork");
  element?.remove();
  const artwork = JSON.parse(element?.textContent || "null");
  return artwork?.username === username && artwork.slug === slug ? artwork : null;
}
