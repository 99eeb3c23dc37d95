// Fields that several pictures have in common: what is said there is said of each that says nothing else.

import { h } from "../dom.js";
import { sharedFields } from "../fields.js";

export class Shared {
  /** What each field said last. @type {Map<string, string>} */
  #said = new Map();

  /** @param {(name: string, value: string, before: string) => void} onsay called for each change of a field */
  constructor(onsay) {
    const fields = sharedFields();
    this.element = h("details", { class: "shared" }, h("summary", {}, "Details for all pictures"), fields);
    fields.addEventListener("input", ({ target }) => {
      if (!(target instanceof HTMLInputElement)) return;
      const { name, value } = target;
      onsay(name, value, this.#said.get(name) ?? "");
      this.#said.set(name, value);
    });
  }

  /** @param {number} open how many pictures can still be described */
  show(open) {
    this.element.hidden = open < 2;
  }

  /** What is said of all, by field. */
  get values() {
    return this.#said.entries();
  }
}
