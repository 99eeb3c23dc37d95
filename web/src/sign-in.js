// Signing in: on the site's own page where one is configured, else by pasting a token.

import { notify } from "./announce.js";
import { ApiError, localToken, localUsers, refreshAccount, renewSession } from "./api.js";
import { openDialog } from "./dialogs.js";
import { h } from "./dom.js";
import * as session from "./session.js";

/** Resolves to true once somebody is signed in. */
export async function signIn() {
  const page = session.signInPage();
  if (page) {
    location.assign(withReturn(page));
    return false;
  }
  const token = h("textarea", {
    name: "token",
    rows: 4,
    required: true,
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "none",
  });
  const users = h("div", { class: "local-users", hidden: true });
  const signedIn = await openDialog({
    heading: "Sign in",
    action: "Sign in",
    // Not waited for: a deployed gallery has nothing of this.
    onopen: (submit) => void offerUsers(users, token, submit),
    content: [
      users,
      h(
        "p",
        { class: "muted" },
        "Paste a token. On a machine of your own, ",
        h("code", {}, "vfa token NAME"),
        " prints one. It is forgotten when the last tab of the gallery closes.",
      ),
      h("label", { class: "field" }, h("span", {}, "Token"), token),
    ],
    submit: async () => {
      session.setToken(token.value.trim().replace(/^Bearer\s+/i, ""));
      await refreshAccount().catch((error) => {
        session.forget();
        throw error.status === 401 ? new Error("This token is not valid, or it has expired. Paste a new one.") : error;
      });
    },
  });
  if (signedIn) notify(`Signed in as ${session.currentAccount()?.username}`);
  return signedIn;
}

export async function signOut() {
  const mayLeave = session.changes.dispatchEvent(new Event("leaving", { cancelable: true }));
  if (!mayLeave && !(await askToStop())) return;
  session.changes.dispatchEvent(new Event("leave"));
  session.forget();
  session.leaveEverywhere();
  const page = session.signOutPage();
  if (page) location.assign(withReturn(page));
  else notify("Signed out");
}

/**
 * Offers the users of a stack on this machine, each for one click.
 * @param {HTMLElement} place
 * @param {HTMLTextAreaElement} token
 * @param {() => void} submit
 */
async function offerUsers(place, token, submit) {
  const users = await localUsers();
  if (users.length === 0) return;
  const choose = async (/** @type {string} */ username) => {
    const given = await localToken(username).catch(() => null);
    if (given === null) return notify(`There is no token for ${username}. Paste one.`);
    token.value = given;
    submit();
  };
  place.append(
    h("p", { class: "muted" }, "Users of this machine's gallery:"),
    h(
      "p",
      { class: "actions" },
      users.map((username) =>
        h("button", { type: "button", class: "button", onclick: () => choose(username) }, h("bdi", {}, username)),
      ),
    ),
  );
  place.hidden = false;
}

/** Finds out who is signed in, at the start or once the gallery can be reached again. */
export async function restore() {
  try {
    await session.askOtherTabs();
    if (session.currentToken() || (await renewSession())) await refreshAccount();
    else session.forget();
  } catch (error) {
    // A 401 is no doubt: then nobody is signed in.
    if (error instanceof ApiError && error.status !== 401) session.setDoubt(error);
  }
}

session.changes.addEventListener("token", () => refreshAccount().catch(() => undefined));

function askToStop() {
  return openDialog({
    heading: "Stop the uploads?",
    action: "Sign out",
    danger: true,
    content: [h("p", {}, "Pictures are still on their way. Signing out stops what has not been sent.")],
    submit: async () => undefined,
  });
}

/** @param {string} page */
const withReturn = (page) => `${page}?${new URLSearchParams({ return: location.pathname + location.search })}`;
