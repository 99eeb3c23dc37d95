// Where pictures are chosen, and what is said before: formats, size, how many.

import { h } from "../dom.js";
import { site } from "../settings.js";
import { sizeName } from "../words.js";
import { ACCEPT } from "./intake.js";
import { FORMATS } from "./refusals.js";

/** @param {(files: File[]) => void} onchoose */
export function dropPlace(onchoose) {
  const input = h("input", { type: "file", multiple: true, accept: ACCEPT, hidden: true });
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    // The same file can be chosen again, once it is removed.
    input.value = "";
    onchoose(files);
  });
  const browse = h(
    "button",
    { type: "button", class: "button browse", onclick: () => input.click() },
    "Choose pictures",
  );
  return h(
    "div",
    { class: "drop" },
    h("p", { class: "lead" }, browse, h("span", {}, "or drop or paste them anywhere")),
    h("p", { class: "limits" }, `${FORMATS}, up to ${sizeName(site.maxUploadBytes)} each`),
    input,
  );
}
