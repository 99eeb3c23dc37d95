// The line of pictures that one stands in: those of the grid, or else its artist's. Kept from one to the next.

import { artworkPath } from "./address.js";
import { listArtworks } from "./api.js";
import { STRIP } from "./strip.js";

/** @typedef {import("./api.js").Artwork} Artwork */

export class Neighbours {
  #grid;
  /** @type {Artwork[]} */
  #line = [];

  /** @param {{artworks: Artwork[], more: () => void}} grid */
  constructor(grid) {
    this.#grid = grid;
  }

  /**
   * What is known already of the artwork at an address.
   * @param {{username: string, slug: string}} address
   */
  find(address) {
    const path = artworkPath(address);
    return [...this.#grid.artworks, ...this.#line].find((artwork) => artworkPath(artwork) === path);
  }

  /**
   * The line around an artwork, which is one of it.
   * @param {Artwork} artwork
   * @param {AbortSignal} signal
   */
  async around(artwork, signal) {
    const { artworks } = this.#grid;
    const position = placeIn(artworks, artwork);
    if (position >= 0) {
      if (position > artworks.length - STRIP) this.#grid.more();
      return artworks;
    }
    if (placeIn(this.#line, artwork) < 0) this.#line = await artistsLine(artwork, signal);
    return this.#line;
  }

  /**
   * What is known of an artwork has changed.
   * @param {Artwork} artwork
   */
  update(artwork) {
    for (const line of [this.#grid.artworks, this.#line]) {
      const place = placeIn(line, artwork);
      if (place >= 0) line[place] = artwork;
    }
  }

  forget() {
    this.#line = [];
  }
}

/**
 * @param {Artwork[]} line
 * @param {Artwork} artwork
 */
const placeIn = (line, artwork) => line.findIndex(({ id }) => id === artwork.id);

/**
 * @param {Artwork} artwork
 * @param {AbortSignal} signal
 */
async function artistsLine(artwork, signal) {
  const { artworks } = await listArtworks({ username: artwork.username }, { signal });
  return placeIn(artworks, artwork) >= 0 ? artworks : [artwork, ...artworks];
}
