// The page: which view the address asks for, and how links, Back and files dropped anywhere lead there.

import { format, parse } from "./address.js";
import { ArtworkView } from "./artwork.js";
import { hasUnsaved } from "./dialogs.js";
import { h } from "./dom.js";
import { catchFiles } from "./files.js";
import { Gallery } from "./gallery.js";
import { fillFooter, fillHeader } from "./header.js";
import { Neighbours } from "./neighbours.js";
import * as session from "./session.js";
import { site } from "./settings.js";
import { restore } from "./sign-in.js";
import { emptyState } from "./states.js";
import { UploadView } from "./upload-view.js";

/** @typedef {{element: HTMLElement, title: string, heading: HTMLElement, pictureFirst?: Promise<unknown>, dispose?: () => void, placed?: () => void}} View */

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const header = fillHeader(/** @type {HTMLElement} */ (document.getElementById("header")));
fillFooter(/** @type {HTMLElement} */ (document.getElementById("footer")));
const gallery = new Gallery((filters, typing) =>
  navigate(format({ view: "gallery", filters }), { keepFocus: true, replace: typing }),
);
const neighbours = new Neighbours(gallery);
const restored = restore();
const uploads = new UploadView(restored, {
  onartwork: () => gallery.invalidate(),
  onprogress: (share) => header.progress(share),
});

/** @type {View | null} */
let current = null;
/** @type {WeakMap<View, HTMLElement>} */
const focusedIn = new WeakMap();

/**
 * @param {string} path
 * @param {{replace?: boolean, keepFocus?: boolean}} [options]
 */
function navigate(path, { replace = false, keepFocus = false } = {}) {
  if (replace) history.replaceState(history.state, "", path);
  else {
    history.replaceState({ scroll: scrollY }, "");
    history.pushState(null, "", path);
  }
  show({ keepFocus });
  scrollTo(0, 0);
}

/** @param {{keepFocus?: boolean, returning?: boolean}} [options] */
function show({ keepFocus = false, returning = false } = {}) {
  const view = viewOf(parse(location));
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  if (view !== current) hang(view);
  entitle(view.title);
  header.mark(location.pathname);
  if (keepFocus) return;
  const before = returning ? focusedIn.get(view) : null;
  (before?.isConnected ? before : view.heading).focus({ preventScroll: true });
}

/** @param {View} view */
function hang(view) {
  const focused = document.activeElement;
  if (current && focused instanceof HTMLElement && current.element.contains(focused)) focusedIn.set(current, focused);
  current?.dispose?.();
  main.replaceChildren(view.element);
  view.placed?.();
  current = view;
  // On a slow line the typefaces would delay the first picture.
  Promise.resolve(view.pictureFirst).then(() => document.documentElement.classList.add("lettered"));
}

/**
 * @param {import("./address.js").Route} route
 * @returns {View}
 */
function viewOf(route) {
  if (route.view === "gallery") {
    gallery.show(route.filters);
    return gallery;
  }
  if (route.view === "upload") {
    uploads.open();
    return uploads;
  }
  if (route.view === "artwork") {
    const changed = () => gallery.invalidate();
    return new ArtworkView(route, { neighbours, navigate, changed, entitle });
  }
  return nowhere();
}

/** @returns {View} */
function nowhere() {
  const heading = h("h1", { tabindex: -1, class: "visually-hidden" }, "Not found");
  const home = h("a", { class: "button", href: "/" }, "See all pictures");
  return {
    title: "Not found",
    heading,
    element: h("section", {}, heading, emptyState("There is nothing here", "The link may be incomplete.", home)),
  };
}

/** @param {string} title */
function entitle(title) {
  document.title = `${title} · ${site.name}`;
}

/**
 * Scrolls to where a page that is loaded anew was left, as soon as it is that long again. Whoever scrolls or presses
 * a key meanwhile stays where they are.
 * @param {number} place
 */
function returnTo(place) {
  if (place === 0) return;
  const ended = new AbortController();
  const { signal } = ended;
  const settle = () => {
    gallery.reach(place + innerHeight);
    // Heights are rounded, and a place need not be.
    if (document.documentElement.scrollHeight + 2 < place + innerHeight) return;
    scrollTo(0, place);
    ended.abort();
  };
  const watch = new ResizeObserver(settle);
  signal.addEventListener("abort", () => watch.disconnect());
  for (const kind of ["wheel", "touchstart", "keydown", "pointerdown", "popstate"])
    addEventListener(kind, () => ended.abort(), { signal, passive: true });
  watch.observe(main);
}

/** @param {MouseEvent} event */
function follow(event) {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
    return;
  const link = /** @type {Element} */ (event.target).closest("a");
  if (!link || link.origin !== location.origin || link.hasAttribute("download") || link.target) return;
  if (parse(link).view === "nowhere" || link.hash) return;
  event.preventDefault();
  navigate(link.pathname + link.search, { replace: "replace" in link.dataset });
}

history.scrollRestoration = "manual";
document.addEventListener("click", follow);
addEventListener("popstate", (event) => {
  show({ returning: true });
  scrollTo(0, event.state?.scroll ?? 0);
});
addEventListener("scrollend", () => history.replaceState({ ...history.state, scroll: scrollY }, ""));
addEventListener("online", () => session.currentDoubt() && restore());
addEventListener("beforeunload", (event) => {
  if (uploads.unsent || hasUnsaved()) event.preventDefault();
});
catchFiles((files) => {
  if (location.pathname !== "/upload") navigate("/upload");
  uploads.add(files);
});

show({ keepFocus: true });
returnTo(history.state?.scroll ?? 0);
