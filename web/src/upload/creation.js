// From an uploaded original to an artwork: one create, its renditions waited for in one request.

import { createArtwork, readiness } from "../api.js";
import { patiently } from "./patience.js";

const WAIT_SECONDS = 20;

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
  readiness(originalKey, { wait: WAIT_SECONDS, signal }).then(
    (flags) => signal.aborted || onready(flags),
    () => undefined,
  );
  return creating;
}
