// The page's addresses: what a path means, and the path of a view. Pure, so that links and reloads agree.

/**
 * @typedef {object} Filters
 * @property {string} [username]
 * @property {string} [category]
 * @property {string} [tag]
 * @property {string} [q] words in titles
 */

/**
 * @typedef {{view: "gallery", filters: Filters}
 *   | {view: "artwork", username: string, slug: string}
 *   | {view: "upload"}
 *   | {view: "nowhere"}} Route
 */

export const CATEGORIES = /** @type {const} */ ([
  "painting",
  "drawing",
  "photography",
  "sculpture",
  "digital",
  "printmaking",
  "illustration",
  "mixed_media",
  "textile",
  "ceramics",
  "other",
]);

const QUERY = /** @type {const} */ (["category", "tag", "q"]);

/**
 * @param {{pathname: string, search: string}} url
 * @returns {Route}
 */
export function parse({ pathname, search }) {
  const parts = pathname.split("/").filter(Boolean).map(decoded);
  if (parts.includes(null)) return { view: "nowhere" };
  const [first, username, slug] = parts;
  if (parts.length === 0) return { view: "gallery", filters: filtersOf(search) };
  if (first === "upload" && parts.length === 1) return { view: "upload" };
  if (first !== "artists" || !username || parts.length > 3) return { view: "nowhere" };
  if (slug) return { view: "artwork", username, slug };
  return { view: "gallery", filters: { username, ...filtersOf(search) } };
}

/**
 * @param {Route} route
 * @returns {string}
 */
export function format(route) {
  if (route.view === "upload") return "/upload";
  if (route.view === "artwork") return `${artistPath(route.username)}/${encodeURIComponent(route.slug)}`;
  if (route.view === "nowhere") return "/";
  const { username, ...rest } = route.filters;
  const query = new URLSearchParams();
  for (const name of QUERY) {
    const value = rest[name];
    if (value) query.set(name, value);
  }
  const path = username ? artistPath(username) : "/";
  return query.size > 0 ? `${path}?${query}` : path;
}

/** @param {{username: string, slug: string}} artwork */
export function artworkPath({ username, slug }) {
  return format({ view: "artwork", username, slug });
}

/** @param {string} username */
export function artistPath(username) {
  return `/artists/${encodeURIComponent(username)}`;
}

/**
 * @param {string} search
 * @returns {Filters}
 */
function filtersOf(search) {
  const query = new URLSearchParams(search);
  const pairs = QUERY.map((name) => [name, query.get(name)?.trim()]).filter(([, value]) => value);
  return Object.fromEntries(pairs);
}

/**
 * @param {string} part
 * @returns {string | null}
 */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
