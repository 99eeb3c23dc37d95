// The bar at the top: the way home, the way to upload, who is signed in.

import { artistPath } from "./address.js";
import { h } from "./dom.js";
import * as session from "./session.js";
import { restore, signIn, signOut } from "./sign-in.js";

function signs() {
  const account = session.currentAccount();
  if (account)
    return [
      h("a", { href: artistPath(account.username), class: "self" }, h("bdi", {}, account.username)),
      button("Sign out", signOut),
    ];
  if (!session.currentDoubt()) return [button("Sign in", signIn)];
  const reconnect = button("Reconnect", restore);
  return session.currentToken() ? [reconnect, button("Sign out", signOut)] : [reconnect];
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
function button(text, onclick) {
  return h("button", { type: "button", class: "button quiet", onclick }, text);
}

/**
 * Fills the bar, and keeps it true as people sign in and out.
 * @param {HTMLElement} bar
 */
export function fillHeader(bar) {
  const upload = h("a", { href: "/upload", class: "button quiet" }, "Upload");
  const person = h("span", { class: "person" });
  const describe = () => {
    const focused = [...person.children].findIndex((child) => child === document.activeElement);
    person.replaceChildren(...signs());
    if (focused < 0) return;
    const like = person.children[focused] ?? person.lastElementChild;
    if (like instanceof HTMLElement) like.focus();
  };
  session.changes.addEventListener("change", describe);
  describe();
  bar.append(
    h(
      "nav",
      { "aria-label": "Main" },
      upload,
      h("a", { href: "/docs/", class: "button quiet api" }, "API"),
      person,
    ),
  );
  return {
    /** @param {string} path */
    mark(path) {
      if (path === "/upload") upload.setAttribute("aria-current", "page");
      else upload.removeAttribute("aria-current");
    },
  };
}
