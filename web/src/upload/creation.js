// From an uploaded original to an artwork: one create, its renditions waited for in one request.

import { createArtwork, readiness } from "../api.js";
import { patiently } from "./patience.js";

// What is ready after a second is ticked off; the rest is waited for in one request.
const WAITS_S = [1, 20];

/** @typedef {import("../api.js").Artwork} Artwork */
/** @typedef {import("../api.js").Readiness} Readiness */

/**
 * The same create may be sent again: an original has one artwork at most, and the API answers with it.
 * @param {Record<string, unknown>} body of the create
 * @param {{onready: (flags: Readiness) => void, onwait: (seconds: number, reason: string) => void}} tell
 * @returns {Promise<Artwork>}
 */
export function create(body, { onready, onwait }) {
  return patiently(() => watched(createArtwork(body), String(body.originalKey), onready), onwait);
}

/**
 * @template Result
 * @param {Promise<Result>} creating
 * @param {string} originalKey
 * @param {(flags: Readiness) => void} onready
 */
async function watched(creating, originalKey, onready) {
  const settled = new AbortController();
  const end = () => settled.abort();
  creating.then(end, end);
  const { signal } = settled;
  // The flags are a hint; only the answer to the create counts.
  follow(originalKey, signal, onready).catch(() => undefined);
  return creating;
}

/**
 * @param {string} originalKey
 * @param {AbortSignal} signal
 * @param {(flags: Readiness) => void} onready
 */
async function follow(originalKey, signal, onready) {
  for (const wait of WAITS_S) {
    const flags = await readiness(originalKey, { wait, signal });
    if (signal.aborted) return;
    onready(flags);
    if (flags.display && flags.thumbnail && flags.icon) return;
  }
}
