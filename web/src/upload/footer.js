// What stands below the rows: how far all of them have come, and what can be done with them.

import { artistPath } from "../address.js";
import { h } from "../dom.js";
import { counted } from "../words.js";

/** @typedef {import("./row.js").Row} Row */

export class Footer {
  #summary = h("p", { class: "summary", tabindex: -1 });
  #bar = h("progress", { max: 1, value: 0, hidden: true, "aria-label": "All pictures" });
  #start = h("button", { class: "button primary" });
  #clear;

  /** @param {() => void} onclear */
  constructor(onclear) {
    this.#clear = h("button", { type: "button", class: "button", onclick: onclear }, "Clear the list");
    this.element = h("div", { class: "bottom" }, this.#bar, this.#summary, this.#clear, this.#start);
  }

  /** Whoever pressed a button that is gone waits here. */
  focus() {
    this.#summary.focus();
  }

  /**
   * @param {Row[]} rows
   * @param {number | null} share how much of what was started is done, from 0 to 1; null when nothing is under way
   * @param {string | undefined} username whose pictures they become
   */
  show(rows, share, username) {
    const count = (/** @type {import("./row.js").State} */ state) => rows.filter((row) => row.state === state).length;
    const [ready, done, failed] = [count("ready"), count("done"), count("failed")];
    const focused = document.activeElement;
    const moving = rows.filter((row) => row.busy).length;
    this.#bar.hidden = share === null;
    if (share !== null) this.#bar.value = share;
    this.#start.textContent = `Upload ${counted(ready, "picture")}`;
    this.#start.hidden = ready === 0;
    this.#clear.hidden = done === 0 || moving > 0;
    const parts = [
      moving && `${moving} on the way`,
      done && `${done} in the gallery`,
      failed && `${failed} failed`,
    ].filter(Boolean);
    const text = parts.join(" · ");
    // Written anew it would be read out anew, with every percent.
    const said = this.#summary.firstChild?.textContent ?? "";
    if (said !== text)
      this.#summary.replaceChildren(
        text,
        done > 0 && username ? h("a", { href: artistPath(username) }, "See your pictures") : "",
      );
    // A button that is gone takes the focus with it.
    if (focused instanceof HTMLElement && focused.hidden && this.element.contains(focused)) this.focus();
  }
}
