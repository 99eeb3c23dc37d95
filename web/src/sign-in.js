// Signing in: on the site's own page where one is configured, else by pasting a token.

import { notify } from "./announce.js";
import { refreshAccount } from "./api.js";
import { openDialog } from "./dialogs.js";
import { h } from "./dom.js";
import * as session from "./session.js";

/** Resolves to true once somebody is signed in. */
export async function signIn() {
  const page = session.signInPage();
  if (page) {
    location.assign(`${page}?${new URLSearchParams({ return: location.pathname + location.search })}`);
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
  const signedIn = await openDialog({
    heading: "Sign in",
    action: "Sign in",
    content: [
      h(
        "p",
        { class: "muted" },
        "Paste a token. On a machine of your own, ",
        h("code", {}, "vfa token NAME"),
        " prints one. It is forgotten when this tab closes.",
      ),
      h("label", { class: "field" }, h("span", {}, "Token"), token),
    ],
    submit: async () => {
      session.setToken(token.value.trim().replace(/^Bearer\s+/i, ""));
      await refreshAccount().catch((error) => {
        session.forget();
        throw error.status === 401
          ? new Error("This token is not valid, or it has expired. Paste a new one.")
          : error;
      });
    },
  });
  if (signedIn) notify(`Signed in as ${session.currentAccount()?.username}`);
  return signedIn;
}

export function signOut() {
  session.changes.dispatchEvent(new Event("leave"));
  session.forget();
  notify("Signed out");
}

/** Finds out, at the start, who is signed in. A token that is no longer good is forgotten. */
export async function restore() {
  if (!session.currentToken() && !(await session.renew())) return;
  await refreshAccount().catch(() => undefined);
}
