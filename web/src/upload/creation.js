// From an uploaded original to an artwork: one create, watched through its readiness flags.

import { createArtwork, readiness } from "../api.js";
import { patiently, pause } from "./patience.js";

const POLL_MS = 300;

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
  let settled = false;
  const end = () => (settled = true);
  creating.then(end, end);
  while (!settled) {
    await Promise.race([pause(POLL_MS), creating.catch(end)]);
    if (settled) break;
    // The flags are a hint; only the answer to the create counts.
    const flags = await readiness(originalKey).catch(() => null);
    if (flags && !settled) onready(flags);
  }
  return creating;
}
