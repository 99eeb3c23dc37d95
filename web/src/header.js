// The bar at the top: the way home, the way to upload, who is signed in.

import { artistPath } from "./address.js";
import { h } from "./dom.js";
import * as session from "./session.js";
import { signIn, signOut } from "./sign-in.js";

/**
 * Fills the bar, and keeps it true as people sign in and out.
 * @param {HTMLElement} bar
 */
export function fillHeader(bar) {
  const upload = h("a", { href: "/upload", class: "button quiet" }, "Upload");
  const person = h("span", { class: "person" });
  const describe = () => {
    const account = session.currentAccount();
    person.replaceChildren(
      ...(account
        ? [
            h("a", { href: artistPath(account.username), class: "self" }, h("bdi", {}, account.username)),
            h("button", { type: "button", class: "button quiet", onclick: signOut }, "Sign out"),
          ]
        : [h("button", { type: "button", class: "button quiet", onclick: signIn }, "Sign in")]),
    );
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
