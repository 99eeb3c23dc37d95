// The lightbox: PhotoSwipe with controls of our own, because the page's policy allows no markup from strings.

import PhotoSwipe from "photoswipe";
import { artworkPath } from "../address.js";
import { h, icon } from "../dom.js";
import { altOf, iconOf } from "../picture.js";
import { sourcesOf, srcsetOf } from "../sources.js";
import { loadStyle } from "../styles.js";

/** @typedef {import("../api.js").Artwork} Artwork */

const CLOSE = "M6 6l12 12M18 6L6 18";
const ZOOM = "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5L21 21M7.5 10.5h6M10.5 7.5v6";
const PREVIOUS = "M15 5l-7 7 7 7";
const NEXT = "M9 5l7 7-7 7";
const UNKNOWN = 1600;
// The built-in controls are made from strings.
const WITHOUT_CONTROLS = {
  close: false,
  zoom: false,
  counter: false,
  arrowPrev: false,
  arrowNext: false,
  preloader: false,
};

/**
 * Shows artworks as large as the window, from one of them on. Resolves to the one that was seen last.
 * @param {Artwork[]} artworks
 * @param {number} index of the first to be shown
 * @param {HTMLElement} stage where its picture hangs; the lightbox grows out of it
 * @returns {Promise<Artwork | undefined>}
 */
export async function openLightbox(artworks, index, stage) {
  await loadStyle("/assets/lightbox/lightbox.css");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const box = new PhotoSwipe({
    dataSource: artworks.map(slideOf),
    index,
    loop: false,
    bgOpacity: 1,
    padding: { top: 56, bottom: 56, left: 0, right: 0 },
    wheelToZoom: true,
    preload: [1, 2],
    // The picture's own pixels, and twice as large.
    secondaryZoomLevel: (zoom) => Math.max(1 / devicePixelRatio, zoom.fit * 2.5),
    maxZoomLevel: (zoom) => Math.max(2, zoom.fit * 4),
    showHideAnimationType: still ? "none" : "zoom",
    ...(still ? { zoomAnimationDuration: false } : {}),
    errorMsg: "The picture could not be loaded.",
    ...WITHOUT_CONTROLS,
  });
  /** @type {HTMLElement | null} */
  const hung = stage.querySelector(".picture");
  box.addFilter("thumbEl", (found) => (hung && box.currIndex === index ? hung : (found ?? /** @type {any} */ (null))));
  // Without a thumbnail the opening would wait for the size of the picture's place.
  box.addFilter("placeholderSrc", (src, { data }) => data.msrc ?? src);
  return new Promise((resolve) => {
    box.on("afterInit", () => control(box, artworks));
    box.on("destroy", () => resolve(artworks[box.currIndex]));
    box.init();
  });
}

/** @param {Artwork} artwork */
function slideOf(artwork) {
  const sources = sourcesOf(artwork);
  return {
    src: sources.at(-1)?.url ?? artwork.displayUrl ?? "",
    srcset: sources.length > 1 ? srcsetOf(sources) : undefined,
    width: artwork.width ?? UNKNOWN,
    height: artwork.height ?? UNKNOWN,
    alt: altOf(artwork),
    msrc: iconOf(artwork) && artwork.width === artwork.height ? (iconOf(artwork) ?? undefined) : undefined,
  };
}

/**
 * Adds buttons and words, and keeps them true from slide to slide.
 * @param {PhotoSwipe} box
 * @param {Artwork[]} artworks
 */
function control(box, artworks) {
  const element = /** @type {HTMLElement} */ (box.element);
  element.setAttribute("aria-label", "Pictures");
  element.setAttribute("aria-modal", "true");
  const count = h("p", { class: "lightbox-count" });
  const caption = h("p", { class: "lightbox-caption", "aria-live": "polite" });
  const zoom = button("Zoom", ZOOM, () => box.toggleZoom());
  const close = button("Close", CLOSE, () => box.close());
  const previous = button("Previous picture", PREVIOUS, () => box.prev());
  const next = button("Next picture", NEXT, () => box.next());
  previous.classList.add("previous");
  next.classList.add("next");
  const bar = h("div", { class: "lightbox-bar" }, count, h("span", { class: "lightbox-tools" }, zoom, close));
  for (const each of [bar, previous, next, caption]) {
    each.classList.add("pswp__hide-on-close");
    element.append(each);
  }
  const describe = () => {
    const artwork = artworks[box.currIndex];
    if (!artwork) return;
    count.textContent = artworks.length > 1 ? `${box.currIndex + 1} / ${artworks.length}` : "";
    caption.replaceChildren(
      h("a", { href: artworkPath(artwork), onclick: leave }, h("bdi", {}, artwork.title)),
      " ",
      h("bdi", { class: "lightbox-artist" }, artwork.username),
    );
    // Taken out of reach and not out of the tree: it may have the focus.
    previous.disabled = box.currIndex === 0;
    next.disabled = box.currIndex === artworks.length - 1;
    if (document.activeElement === document.body) close.focus();
  };
  /** @param {Event} event */
  function leave(event) {
    event.preventDefault();
    event.stopPropagation();
    box.close();
  }
  box.on("change", describe);
  describe();
}

/**
 * @param {string} label
 * @param {string} drawing
 * @param {() => void} onclick
 */
const button = (label, drawing, onclick) =>
  h("button", { type: "button", class: "lightbox-button", "aria-label": label, title: label, onclick }, icon(drawing));
