// Who is signed in. This is the one place where a production site connects its own session.
//
// The page needs a bearer token for the API. Without configuration (development) a person pastes one, printed by
// `vfa token`; each tab keeps it in its sessionStorage and hands it to tabs that are opened beside it, so that it ends
// with the last of them. In production fill in three <meta> elements of index.html instead:
//
//   <meta name="session-endpoint" content="/session/token">  GET with the site's cookie; answers {"token": "…"},
//                                                            or 401 when nobody is signed in
//   <meta name="sign-in-page" content="/login">              where "Sign in" leads; receives ?return=<path>
//   <meta name="sign-out-page" content="/logout">            where "Sign out" leads, once the token is forgotten;
//                                                            ends the site's session; receives ?return=<path>
//
// A token from the endpoint is kept in memory only and fetched again when the API no longer accepts it.

const KEEPER = "gallery.token";

/** @typedef {{id: string, username: string, artworkLimit: number, artworkCount: number, artworkRemaining: number}} Account */

/** @param {string} name */
const configured = (name) => document.querySelector(`meta[name="${name}"]`)?.getAttribute("content") || null;

const endpoint = configured("session-endpoint");

const ANSWERS_WITHIN_MS = 150;
// What tabs of the gallery tell each other: a question for the token, the token, or that somebody signed out.
const tabs = endpoint || !("BroadcastChannel" in globalThis) ? null : new BroadcastChannel("gallery.session");
tabs?.addEventListener("message", ({ data }) => {
  if (data.ask && token) tabs.postMessage({ token });
  if (data.token && !token && !left) {
    setToken(data.token);
    changes.dispatchEvent(new Event("token"));
  }
  if (data.left && token) {
    changes.dispatchEvent(new Event("leave"));
    forget();
  }
});

/**
 * Sends "change" whenever the account or its figures change. Before somebody signs out it sends "leaving", which
 * can be cancelled by what would be lost, and then "leave". "token" says that another tab has handed over its token.
 */
export const changes = new EventTarget();

/** @type {string | null} */
let token = endpoint ? null : sessionStorage.getItem(KEEPER);
/** Whether somebody signed out here: then no other tab signs in again. */
let left = false;
/** @type {Account | null} */
let account = null;
/** @type {Error | null} */
let doubt = null;

export const currentToken = () => token;
export const currentAccount = () => account;
/** Why it could not be found out who is signed in; null when that is known. */
export const currentDoubt = () => doubt;

/** The page that signs people in, or null when they paste a token here. */
export const signInPage = () => (endpoint ? configured("sign-in-page") : null);

/** The page that ends the site's own session, or null when forgetting the token is all there is to do. */
export const signOutPage = () => (endpoint ? configured("sign-out-page") : null);

/** @param {Account} known */
export function setAccount(known) {
  account = known;
  doubt = null;
  changes.dispatchEvent(new Event("change"));
}

/** @param {Error} reason */
export function setDoubt(reason) {
  doubt = reason;
  changes.dispatchEvent(new Event("change"));
}

/** @param {string} pasted */
export function setToken(pasted) {
  token = pasted;
  left = false;
  if (!endpoint) sessionStorage.setItem(KEEPER, pasted);
}

/** Asks the other tabs of this browser for their token. One that comes later is announced by "token". */
export async function askOtherTabs() {
  if (!tabs || token) return;
  tabs.postMessage({ ask: true });
  await new Promise((resolve) => {
    setTimeout(resolve, ANSWERS_WITHIN_MS);
    changes.addEventListener("token", resolve, { once: true });
  });
}

/** Signs the other tabs out too. */
export function leaveEverywhere() {
  left = true;
  tabs?.postMessage({ left: true });
}

export function forget() {
  token = null;
  account = null;
  doubt = null;
  sessionStorage.removeItem(KEEPER);
  changes.dispatchEvent(new Event("change"));
}

/**
 * Asks the site's own session for a token. False when there is none, or no endpoint is configured. Rejects when the
 * endpoint cannot be reached.
 * @returns {Promise<boolean>}
 */
export async function renew() {
  if (!endpoint) return false;
  const answer = await fetch(endpoint, { headers: { accept: "application/json" } });
  if (answer.status >= 500) throw new Error(`The session endpoint answered ${answer.status}`);
  // A site that sends people without a session to its own page answers something that is no JSON.
  const body = answer.ok ? await answer.json().catch(() => null) : null;
  if (!body?.token) return false;
  token = body.token;
  return true;
}
