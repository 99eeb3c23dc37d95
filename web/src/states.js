// What stands where pictures would: nothing here, still loading, something failed. Each says what to do.

import { h } from "./dom.js";

/** @typedef {import("./dom.js").Child} Child */

/**
 * @param {string} heading
 * @param {string} text
 * @param {...Child} actions
 */
export function emptyState(heading, text, ...actions) {
  return h("div", { class: "state" }, h("h2", {}, heading), h("p", {}, text), h("p", { class: "actions" }, actions));
}

/**
 * @param {unknown} error
 * @param {() => void} retry
 */
export function errorState(error, retry) {
  const text = error instanceof Error ? error.message : "Please try again.";
  return h(
    "div",
    { class: "state", role: "alert" },
    h("h2", {}, "That did not work"),
    h("p", {}, text),
    h("p", { class: "actions" }, h("button", { type: "button", class: "button", onclick: retry }, "Try again")),
  );
}

/** @param {string} text */
export function loadingState(text) {
  return h("div", { class: "state", role: "status" }, h("p", { class: "loading" }, text));
}
