// Files that are dropped or pasted anywhere on the page.

import { h } from "./dom.js";

/** @param {(files: File[]) => void} take */
export function catchFiles(take) {
  const place = h("div", { id: "drop-here", hidden: true }, h("p", {}, "Drop the pictures anywhere"));
  document.body.append(place);
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    place.hidden = busyElsewhere();
    if (place.hidden) event.dataTransfer.dropEffect = "none";
  });
  document.addEventListener("dragleave", (event) => {
    // Nothing is entered when the pointer leaves the window.
    if (!event.relatedTarget) place.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    place.hidden = true;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    if (!busyElsewhere()) take(files);
  });
  document.addEventListener("paste", (event) => pasted(event, take), { capture: true });
}

/**
 * @param {ClipboardEvent} event
 * @param {(files: File[]) => void} take
 */
function pasted(event, take) {
  const files = [...(event.clipboardData?.files ?? [])];
  const typing = event.target instanceof Element && event.target.closest("input, textarea");
  if (files.length === 0 || typing || busyElsewhere()) return;
  // The uploader listens too, on itself and on the document.
  event.stopPropagation();
  take(files);
}

/** What was typed into a dialog would be lost with it. */
const busyElsewhere = () => document.querySelector("dialog[open]") !== null;
