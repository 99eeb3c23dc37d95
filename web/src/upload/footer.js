// What stands below the rows: how far they have come, and what can be done with all of them.

import { artistPath } from "../address.js";
import { h } from "../dom.js";
import { counted } from "../words.js";

/** @typedef {import("./row.js").Row} Row */

export class Footer {
  #summary = h("p", { class: "summary" });
  #start = h("button", { class: "button primary" });
  #clear;

  /** @param {() => void} onclear */
  constructor(onclear) {
    this.#clear = h("button", { type: "button", class: "button", onclick: onclear }, "Clear the list");
    this.element = h("div", { class: "bottom" }, this.#summary, this.#clear, this.#start);
  }

  /**
   * @param {Row[]} rows
   * @param {string | undefined} username whose pictures they become
   */
  show(rows, username) {
    const count = (/** @type {import("./row.js").State} */ state) => rows.filter((row) => row.state === state).length;
    const [ready, done, failed] = [count("ready"), count("done"), count("failed")];
    const moving = rows.filter((row) => row.busy).length;
    this.#start.textContent = `Upload ${counted(ready, "picture")}`;
    this.#start.hidden = ready === 0;
    this.#clear.hidden = done === 0 || moving > 0;
    const parts = [
      moving && `${moving} on the way`,
      done && `${done} in the gallery`,
      failed && `${failed} failed`,
    ].filter(Boolean);
    this.#summary.replaceChildren(
      parts.join(" · "),
      done > 0 && username ? h("a", { href: artistPath(username) }, "See your pictures") : "",
    );
  }
}
