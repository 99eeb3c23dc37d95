// The pictures before and after the one that is shown, as icons.

import { artworkPath } from "./address.js";
import { h, icon } from "./dom.js";
import { ICON, iconOf, picture } from "./picture.js";

/** @typedef {import("./api.js").Artwork} Artwork */

export const STRIP = 9;
const PREVIOUS = "M15 5l-7 7 7 7";
const NEXT = "M9 5l7 7-7 7";

export class Strip {
  element = h("nav", { class: "strip", "aria-label": "More pictures" });

  /** @type {Artwork[]} */
  #line = [];
  #position = -1;

  /** The whole line, from the first to the last. */
  get line() {
    return this.#line;
  }

  get isEmpty() {
    return this.#line.length === 0;
  }

  /**
   * @param {Artwork} artwork one of the line
   * @param {Artwork[]} line
   */
  show(artwork, line) {
    this.#line = line;
    this.#position = line.findIndex(({ id }) => id === artwork.id);
    this.element.replaceChildren(...(line.length > 1 ? this.#content() : []));
    requestAnimationFrame(() => this.#centre());
  }

  /**
   * The neighbour some steps away, if there is one.
   * @param {number} steps
   */
  neighbour(steps) {
    return this.#line[this.#position + steps];
  }

  #content() {
    const start = Math.max(0, Math.min(this.#position - (STRIP >> 1), this.#line.length - STRIP));
    const icons = this.#line
      .slice(start, start + STRIP)
      .map((artwork, index) => place(artwork, start + index === this.#position));
    const steps = [step("Previous", PREVIOUS, this.neighbour(-1)), step("Next", NEXT, this.neighbour(1))];
    return [steps[0] ?? "", h("ol", {}, icons), steps[1] ?? ""];
  }

  /** Scrolls the strip, and nothing else, to the current picture. */
  #centre() {
    const current = /** @type {HTMLElement | null} */ (this.element.querySelector("[aria-current]"));
    const list = current?.closest("ol");
    if (current && list) list.scrollLeft = current.offsetLeft - list.offsetLeft - list.clientWidth / 2;
  }
}

/**
 * @param {Artwork} artwork
 * @param {boolean} current
 */
function place(artwork, current) {
  const { title } = artwork;
  const image = picture({ src: iconOf(artwork), width: ICON, height: ICON, alt: title }, artwork);
  const link = { href: artworkPath(artwork), "data-replace": true, title, "aria-current": current && "page" };
  return h("li", {}, h("a", link, image));
}

/**
 * @param {"Previous" | "Next"} name
 * @param {string} arrow
 * @param {Artwork | undefined} artwork
 */
function step(name, arrow, artwork) {
  if (!artwork) return h("span", { class: "step" });
  const rel = name === "Next" ? "next" : "prev";
  const label = `${name}: ${artwork.title}`;
  const link = { class: "step", href: artworkPath(artwork), "data-replace": true, rel, "aria-label": label };
  return h("a", link, icon(arrow));
}
