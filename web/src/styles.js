// Styles that come with the part of the page that needs them.

import { h } from "./dom.js";

/**
 * Resolves once a style sheet is in force; rejects when it cannot be fetched.
 * @param {string} href
 * @returns {Promise<void>}
 */
export function loadStyle(href) {
  return new Promise((resolve, reject) => {
    if (document.querySelector(`link[href="${href}"]`)) return resolve();
    const link = h("link", { rel: "stylesheet", href, onload: () => resolve() });
    link.addEventListener("error", () => {
      link.remove();
      reject(new Error(`${href} does not load`));
    });
    document.head.append(link);
  });
}
