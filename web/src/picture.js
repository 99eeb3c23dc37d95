// A picture whose place, colour and blurred likeness are there before its bytes are.

import { thumbHashToRGBA } from "thumbhash";
import { h } from "./dom.js";

/** The width and height of an icon, in pixels. */
export const ICON = 128;
const COLOUR = /^#[0-9a-f]{6}$/i;

/**
 * Without width and height, as of what another program recorded, its place is that of a square until it is loaded.
 * @param {{src: string | null, width?: number | null, height?: number | null, alt: string, lazy?: boolean, onfail?: () => void}} image
 * @param {{dominantColor: string | null, thumbHash: string | null}} artwork
 */
export function picture({ src, width, height, alt, lazy = false, onfail }, { dominantColor, thumbHash }) {
  const frame = h("div", { class: "picture" });
  if (dominantColor && COLOUR.test(dominantColor)) frame.style.setProperty("--tone", dominantColor);
  const likeness = thumbHash ? drawn(thumbHash) : null;
  const image = h("img", { width, height, alt, decoding: "async", loading: lazy ? "lazy" : "eager" });
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
  if (src) image.src = src;
  else image.dispatchEvent(new Event("error"));
  if (likeness) frame.append(likeness);
  frame.append(image);
  return frame;
}

/**
 * The smallest rendition there is.
 * @param {{iconUrl: string | null, thumbnailUrl: string | null, displayUrl: string | null}} artwork
 */
export const iconOf = ({ iconUrl, thumbnailUrl, displayUrl }) => iconUrl ?? thumbnailUrl ?? displayUrl;

/**
 * The ThumbHash as a tiny canvas; CSS stretches it over the frame. Null when it cannot be read.
 * @param {string} thumbHash base64
 */
function drawn(thumbHash) {
  try {
    const {
      w,
      h: height,
      rgba,
    } = thumbHashToRGBA(Uint8Array.from(atob(thumbHash), (byte) => byte.charCodeAt(0)));
    const canvas = h("canvas", { width: w, height, class: "likeness", "aria-hidden": "true" });
    canvas.getContext("2d")?.putImageData(new ImageData(new Uint8ClampedArray(rgba), w, height), 0, 0);
    return canvas;
  } catch {
    return null;
  }
}
