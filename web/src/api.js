// The gallery's HTTP API, one function a call. Every failure is an ApiError with a sentence for the person.

import * as session from "./session.js";

/**
 * @typedef {object} Artwork
 * @property {string} id
 * @property {string} userId
 * @property {string} username
 * @property {string} slug
 * @property {string} title
 * @property {string | null} description
 * @property {string | null} materials
 * @property {string | null} dimensions
 * @property {string | null} createdDate
 * @property {string} category
 * @property {string[]} tags
 * @property {string | null} displayUrl
 * @property {import("./sources.js").Source[]} [display] the display version in ascending width
 * @property {string | null} [altText] what the picture shows, for who cannot see it
 * @property {string | null} thumbnailUrl
 * @property {string | null} iconUrl
 * @property {string} [originalUrl] owner and operators, or everybody where originals are public
 * @property {string} [originalDownloadUrl] owner only
 * @property {true} [originalReplaced] owner only: the original is not the one that the artwork was made of
 * @property {number | null} width unknown of what another program recorded
 * @property {number | null} height
 * @property {number | null} originalWidth
 * @property {number | null} originalHeight
 * @property {string | null} dominantColor
 * @property {string | null} thumbHash
 * @property {string} status `active` when everybody sees it
 * @property {boolean} isFeatured
 * @property {string} createdAt
 */

/** @typedef {{artwork: Artwork, etag: string | null}} Read */
/** @typedef {{artworks: Artwork[], nextCursor: string | null}} Page */
/** @typedef {{uploadUrl: string, key: string, headers: Record<string, string>, expiresAt: string, maxBytes: number}} Ticket */
/** @typedef {{display: boolean, thumbnail: boolean, icon: boolean}} Readiness */
/** @typedef {import("./address.js").Filters} Filters */

export const PAGE_SIZE = 24;

const UNREACHABLE = "The gallery cannot be reached. Check your connection and try again.";
const UNEXPECTED = "The gallery answered in a way this page does not understand. Please try again.";

export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {{status?: number, code?: string, retryAfter?: number | null}} [details]
   */
  constructor(message, { status = 0, code = "network", retryAfter = null } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/**
 * @param {Filters & {featured?: "true"}} filters
 * @param {{cursor?: string | null, limit?: number, signal?: AbortSignal}} [options]
 * @returns {Promise<Page>}
 */
export async function listArtworks(filters, { cursor, limit = PAGE_SIZE, signal } = {}) {
  const query = new URLSearchParams({ ...filters, limit: String(limit) });
  if (cursor) query.set("cursor", cursor);
  const { body } = await call("GET", `/api/artworks?${query}`, { signal });
  return { artworks: body.data, nextCursor: body.nextCursor };
}

/**
 * The artwork at an artist's slug; an owner who is signed in sees more of it.
 * @param {string} username
 * @param {string} slug
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<Read>}
 */
export async function readArtwork(username, slug, { signal } = {}) {
  const path = `/api/users/${encodeURIComponent(username)}/artworks/${encodeURIComponent(slug)}`;
  return readOf(await call("GET", path, { signal, as: "whoever" }));
}

/**
 * @param {Record<string, unknown>} body
 * @returns {Promise<Artwork>}
 */
export async function createArtwork(body) {
  return (await call("POST", "/api/artworks", { body, as: "caller" })).body.data;
}

/**
 * @param {string} id
 * @param {Record<string, unknown>} changes
 * @param {string | null} etag
 * @returns {Promise<Read>}
 */
export async function changeArtwork(id, changes, etag) {
  /** @type {Record<string, string>} */
  const headers = etag ? { "if-match": etag } : {};
  return readOf(await call("PATCH", pathOf(id), { body: changes, headers, as: "caller" }));
}

/**
 * Done also when it is gone already, as after a try whose answer was lost.
 * @param {string} id
 */
export async function deleteArtwork(id) {
  await call("DELETE", pathOf(id), { as: "caller" }).catch((error) => {
    if (error.status !== 404) throw error;
  });
}

/**
 * @param {{filename: string, contentType: string, size: number}} file
 * @returns {Promise<Ticket>}
 */
export async function uploadTicket(file) {
  return (await call("POST", "/api/artworks/upload-url", { body: file, as: "caller" })).body;
}

/**
 * Answers once all three renditions are ready, or after some seconds.
 * @param {string} originalKey
 * @param {{wait: number, signal: AbortSignal}} options
 * @returns {Promise<Readiness>}
 */
export async function readiness(originalKey, { wait, signal }) {
  const query = new URLSearchParams({ originalKey, wait: String(wait) });
  return (await call("GET", `/api/artworks/readiness?${query}`, { as: "caller", signal })).body;
}

/**
 * The names of a stack's users, where it runs on this machine; a deployed gallery has none to tell.
 * @returns {Promise<string[]>}
 */
export async function localUsers() {
  const answer = await fetch("/.local/users").catch(() => null);
  const body = answer?.ok ? await answer.json().catch(() => null) : null;
  return (body?.users ?? []).map((/** @type {{username: string}} */ { username }) => username);
}

/**
 * @param {string} username
 * @returns {Promise<string>}
 */
export async function localToken(username) {
  return (await call("POST", "/.local/token", { body: { username } })).body.token;
}

/** A new token from the site's own session; false when nobody is signed in there. */
export function renewSession() {
  return session.renew().catch(() => {
    throw new ApiError(UNREACHABLE);
  });
}

/** Reads the caller's quota and tells the page; signs out when the token is no longer good. */
export async function refreshAccount() {
  session.setAccount((await call("GET", "/api/me", { as: "caller" })).body.data);
}

/** @param {string} id any text, where another program recorded the artwork */
const pathOf = (id) => `/api/artworks/${encodeURIComponent(id)}`;

/** @param {{body: any, headers: Headers}} answer */
const readOf = ({ body, headers }) => ({ artwork: body.data, etag: headers.get("etag") });

/**
 * `as`: nobody sends no token; a caller must be signed in; whoever may be.
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, headers?: Record<string, string>, signal?: AbortSignal, as?: "nobody" | "caller" | "whoever"}} options
 * @returns {Promise<{body: any, headers: Headers}>}
 */
async function call(method, path, { body, headers = {}, signal, as = "nobody" } = {}) {
  const attempt = () => {
    const token = as === "nobody" ? null : session.currentToken();
    return send(path, {
      method,
      signal,
      headers: {
        ...headers,
        ...(body ? { "content-type": "application/json" } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: body ? JSON.stringify(body) : undefined,
    });
  };
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401 || as === "nobody") throw error;
    if (await renewSession()) return attempt();
    session.forget();
    if (as === "whoever") return attempt();
    throw new ApiError("Your session has ended. Please sign in again.", error);
  }
}

/**
 * What can be done about it, where the gallery says so, and else what happened.
 * @param {{error?: string, detail?: string} | null} body
 */
const sentenceOf = (body) => body?.detail ?? body?.error;

/**
 * @param {string} path
 * @param {RequestInit} init
 */
async function send(path, init) {
  let answer;
  try {
    answer = await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(UNREACHABLE);
  }
  if (answer.status === 204) return { body: null, headers: answer.headers };
  const body = await answer.json().catch(() => null);
  if (answer.ok && body) return { body, headers: answer.headers };
  throw new ApiError(sentenceOf(body) ?? UNEXPECTED, {
    status: answer.status,
    code: body?.code ?? "unexpected",
    retryAfter: Number(answer.headers.get("retry-after")) || null,
  });
}
