// Which version of a picture a place needs. Pure, so that it can be tested without a browser.

/** @typedef {{url: string, width: number, height: number}} Source */
/** @typedef {{displayUrl: string | null, width: number | null, height: number | null, display?: Source[]}} Shown */

// A browser on a dense screen takes the narrower of two versions up to their geometric mean, and stretches it. They
// differ by a factor of two, so that a place named this much wider gets the version that has all its pixels.
const DENSE = Math.SQRT2 + 0.005;

/**
 * The display versions in ascending width; empty when the picture's width is not known.
 * @param {Shown} artwork
 * @returns {Source[]}
 */
export function sourcesOf({ display, displayUrl, width, height }) {
  if (display?.length) return display;
  return displayUrl && width && height ? [{ url: displayUrl, width, height }] : [];
}

/** @param {Source[]} sources */
export const srcsetOf = (sources) => sources.map(({ url, width }) => `${url} ${width}w`).join(", ");

/**
 * The `sizes` of a picture that is drawn `width` CSS pixels wide.
 * @param {number} width
 * @param {number} density device pixels for a CSS pixel
 */
export const sizesOf = (width, density) => `${Math.ceil(width * (density > 1 ? DENSE : 1))}px`;

// Beyond these the place of a picture stays as it is, and the picture stands within it.
const NARROWEST = 0.5;
const WIDEST = 3.2;

/**
 * Width by height of a picture's place in a row: the picture's own, within bounds; 1 when it is not known.
 * @param {Shown} artwork
 */
export function ratioOf({ width, height }) {
  return width && height ? Math.min(Math.max(width / height, NARROWEST), WIDEST) : 1;
}

/**
 * How much wider than a square a picture has to be drawn to cover it.
 * @param {Shown} artwork
 */
export const overhangOf = ({ width, height }) => (width && height ? Math.max(1, width / height) : 1);
