// A picture whose place, colour and blurred likeness are there before its bytes are.

import { thumbHashToRGBA } from "thumbhash";
import { h } from "./dom.js";
import { sizesOf, srcsetOf } from "./sources.js";

/** @typedef {import("./sources.js").Source} Source */

/** The width and height of an icon, in pixels. */
export const ICON = 128;
const COLOUR = /^#[0-9a-f]{6}$/i;
/** What `fit` has to set, by frame. @type {WeakMap<Element, {image: HTMLImageElement, sources: Source[], overhang: number, width: number}>} */
const fitting = new WeakMap();

/**
 * A frame with one image. With `sources` it gets its bytes once `fit` has measured it, or at once with `sizes`; with
 * `src` alone it waits for `after`.
 * @param {{src?: string | null, sources?: Source[], sizes?: string, overhang?: number, width?: number | null,
 *   height?: number | null, alt: string, lazy?: boolean, first?: boolean, after?: Promise<unknown>, onfail?: () => void}} image
 * @param {{dominantColor: string | null, thumbHash: string | null}} artwork
 */
export function picture(
  { src = null, sources = [], sizes, overhang = 1, width, height, alt, lazy = false, first = false, after, onfail },
  { dominantColor, thumbHash },
) {
  const frame = h("div", { class: "picture" });
  tint(frame, dominantColor);
  const likeness = thumbHash ? drawn(thumbHash) : null;
  const image = h("img", {
    width,
    height,
    alt,
    dir: "auto",
    decoding: "async",
    loading: lazy ? "lazy" : "eager",
    fetchpriority: first && "high",
  });
  image.addEventListener("load", () => {
    frame.classList.add("loaded");
    likeness?.remove();
  });
  image.addEventListener("error", () => {
    frame.classList.add("failed");
    likeness?.remove();
    frame.append(h("span", { class: "missing" }, "Not available"));
    onfail?.();
  });
  const widest = sources.at(-1);
  if (widest) {
    frame.style.setProperty("--w", String(widest.width));
    frame.style.setProperty("--short", String(Math.min(widest.width, widest.height)));
    if (sizes) setSource(image, sources, sizes);
    else fitting.set(frame, { image, sources, overhang, width: 0 });
  } else if (src && after) after.then(() => image.setAttribute("src", src));
  else if (src) image.src = src;
  else image.dispatchEvent(new Event("error"));
  if (likeness) frame.append(likeness);
  frame.append(image);
  return frame;
}

/**
 * Gives the images of frames that are laid out the version that their width needs. Widths are read before anything
 * is written, so that the page is laid out once.
 * @param {Iterable<Element>} frames
 */
export function fit(frames) {
  const measured = [...frames].map((frame) => ({ about: fitting.get(frame), width: frame.clientWidth }));
  for (const { about, width } of measured) {
    if (!about || width <= about.width) continue;
    about.width = width;
    setSource(about.image, about.sources, sizesOf(width * about.overhang, devicePixelRatio));
  }
}

/**
 * @param {HTMLImageElement} image
 * @param {Source[]} sources
 * @param {string} sizes
 */
function setSource(image, sources, sizes) {
  image.sizes = sizes;
  if (image.src) return;
  image.srcset = srcsetOf(sources);
  image.src = sources.at(-1)?.url ?? "";
}

/**
 * Gives an element the colour of an artwork as `--tone`.
 * @param {HTMLElement} element
 * @param {string | null} colour
 */
export function tint(element, colour) {
  if (colour && COLOUR.test(colour)) element.style.setProperty("--tone", colour);
  else element.style.removeProperty("--tone");
}

/**
 * The smallest rendition there is.
 * @param {{iconUrl: string | null, thumbnailUrl: string | null, displayUrl: string | null}} artwork
 */
export const iconOf = ({ iconUrl, thumbnailUrl, displayUrl }) => iconUrl ?? thumbnailUrl ?? displayUrl;

/**
 * What a picture is called where it cannot be seen.
 * @param {{altText?: string | null, title: string, username: string}} artwork
 */
export const altOf = ({ altText, title, username }) => altText || `${title} by ${username}`;

/**
 * The ThumbHash as a tiny canvas; CSS stretches it over the frame. Null when it cannot be read.
 * @param {string} thumbHash base64
 */
function drawn(thumbHash) {
  try {
    const { w, h: height, rgba } = thumbHashToRGBA(Uint8Array.from(atob(thumbHash), (byte) => byte.charCodeAt(0)));
    const canvas = h("canvas", { width: w, height, class: "likeness", "aria-hidden": "true" });
    canvas.getContext("2d")?.putImageData(new ImageData(new Uint8ClampedArray(rgba), w, height), 0, 0);
    return canvas;
  } catch {
    return null;
  }
}
