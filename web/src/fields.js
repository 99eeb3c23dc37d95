// The form fields of what an artist says of an artwork, for the upload and for later changes.

import { CATEGORIES } from "./address.js";
import { h } from "./dom.js";
import { categoryName, categoryOf, tagsOf } from "./words.js";

const SUGGESTIONS = "categories";
const OPTIONAL = /** @type {const} */ (["description", "materials", "dimensions", "createdDate", "altText"]);

/** @param {string} [value] */
export function titleField(value = "") {
  return labelled(
    "Title",
    h("input", { name: "title", value, required: true, maxlength: 200, dir: "auto", autocomplete: "off" }),
  );
}

/** @param {string | null} [value] */
export function altField(value = "") {
  const placeholder = "What the picture shows";
  return labelled("Alternative text", line("altText", value, 1000, { placeholder }));
}

/** @param {Partial<import("./api.js").Artwork>} [artwork] */
export function detailFields(artwork = {}) {
  const description = h("textarea", { name: "description", rows: 3, maxlength: 5000, dir: "auto" });
  description.value = artwork.description ?? "";
  return h(
    "div",
    { class: "fields" },
    common(artwork),
    labelled("Dimensions", line("dimensions", artwork.dimensions, 500, { placeholder: "60 × 80 cm" })),
    h("div", { class: "wide" }, labelled("Description", description)),
  );
}

/** What pictures that are uploaded together are likely to have in common. */
export function sharedFields() {
  return h("div", { class: "fields" }, common({}));
}

/** @param {Partial<import("./api.js").Artwork>} artwork */
function common(artwork) {
  return [
    labelled("Category", categoryField("category", categoryName(artwork.category ?? ""), 50), suggestions()),
    labelled("Created", line("createdDate", artwork.createdDate, 50, { placeholder: "2024 or about 1890" })),
    labelled("Materials", line("materials", artwork.materials, 500, { placeholder: "Oil on canvas" })),
    labelled("Tags", line("tags", artwork.tags?.join(", "), 1000, { placeholder: "sea, evening" })),
  ];
}

/**
 * What the fields inside an element say, as the API takes it; an empty field is null.
 * @param {ParentNode} fields
 */
export function valuesOf(fields) {
  const value = (/** @type {string} */ name) =>
    /** @type {HTMLInputElement} */ (fields.querySelector(`[name="${name}"]`)).value.trim();
  return {
    title: value("title"),
    category: categoryOf(value("category")) || null,
    tags: tagsOf(value("tags")),
    ...Object.fromEntries(OPTIONAL.map((name) => [name, value(name) || null])),
  };
}

/**
 * A field for any category, with the usual ones to choose from.
 * @param {string} name
 * @param {string} value
 * @param {number} maxlength
 * @param {import("./dom.js").Attributes} [attributes]
 */
export function categoryField(name, value, maxlength, attributes = {}) {
  return line(name, value, maxlength, { list: SUGGESTIONS, ...attributes });
}

/** What category fields on the same page offer; one of them is enough. */
export function suggestions() {
  return h(
    "datalist",
    { id: SUGGESTIONS },
    CATEGORIES.map((name) => h("option", { value: categoryName(name) })),
  );
}

/**
 * @param {string} name
 * @param {string | null | undefined} value
 * @param {number} maxlength
 * @param {import("./dom.js").Attributes} attributes
 */
function line(name, value, maxlength, attributes) {
  return h("input", { name, value: value ?? "", maxlength, dir: "auto", autocomplete: "off", ...attributes });
}

/**
 * @param {string} text
 * @param {HTMLElement} field
 * @param {HTMLElement | string} [beside]
 */
function labelled(text, field, beside = "") {
  return h("label", { class: "field" }, h("span", {}, text), field, beside);
}
