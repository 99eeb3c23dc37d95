// What just happened, for everybody: spoken by screen readers, and shown briefly when it is worth a glance.

const STAYS_MS = 5000;

const quiet = /** @type {HTMLElement} */ (document.getElementById("announcer"));
const shown = /** @type {HTMLElement} */ (document.getElementById("notice"));
let timer = 0;

/**
 * Speaks a sentence without showing it.
 * @param {string} sentence
 */
export function announce(sentence) {
  quiet.textContent = sentence;
}

/**
 * Shows and speaks a sentence.
 * @param {string} sentence
 */
export function notify(sentence) {
  clearTimeout(timer);
  shown.textContent = sentence;
  timer = setTimeout(() => (shown.textContent = ""), STAYS_MS);
}
