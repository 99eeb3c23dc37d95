// The bar at the top: the way home, the way to upload, who is signed in. And the foot of every page.

import { artistPath } from "./address.js";
import { h } from "./dom.js";
import * as session from "./session.js";
import { site } from "./settings.js";
import { restore, signIn, signOut } from "./sign-in.js";
import { inkOn } from "./site.js";

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
    const focused = [...person.children].indexOf(/** @type {Element} */ (document.activeElement));
    person.replaceChildren(...signs());
    if (focused < 0) return;
    const like = person.children[focused] ?? person.lastElementChild;
    if (like instanceof HTMLElement) like.focus();
  };
  session.changes.addEventListener("change", describe);
  describe();
  brand(bar.querySelector(".brand"));
  bar.append(h("nav", { "aria-label": "Main" }, upload, person));
  const mark = h("span", { class: "under-way", hidden: true });
  upload.append(mark);
  return {
    /** @param {number | null} share of all uploads that is done; null when none is under way */
    progress(share) {
      mark.hidden = share === null;
      mark.textContent = `${Math.round((share ?? 0) * 100)} %`;
    },
    /** @param {string} path */
    mark(path) {
      if (path === "/upload") upload.setAttribute("aria-current", "page");
      else upload.removeAttribute("aria-current");
    },
  };
}

/**
 * Puts the site's name, logo and colour in place.
 * @param {Element | null} link the way home
 */
function brand(link) {
  const { name, logoUrl, accent } = site;
  link?.replaceChildren(logoUrl ? h("img", { src: logoUrl, alt: "", class: "logo" }) : "", h("bdi", {}, name));
  if (!accent) return;
  const { style } = document.documentElement;
  style.setProperty("--accent", accent);
  style.setProperty("--on-accent", inkOn(accent));
}

/** @param {HTMLElement} foot */
export function fillFooter(foot) {
  const links = [...site.footerLinks, { text: "API", url: "/docs/" }, { text: "Licences", url: "/licences.txt" }];
  foot.append(
    h("p", { dir: "auto" }, site.footerText || site.name),
    h(
      "ul",
      {},
      links.map(({ text, url }) => h("li", {}, h("a", { href: url }, h("bdi", {}, text)))),
    ),
  );
}
