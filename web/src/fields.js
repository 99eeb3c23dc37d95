// The form fields of what an artist says of an artwork, for the upload and for later changes.

import { CATEGORIES } from "./address.js";
import { h } from "./dom.js";
import { categoryName, isDate, tagsOf } from "./words.js";

const NO_DATE = "Write a year, a month or a day, such as 2024, 2024-05 or 2024-05-31.";
const OPTIONAL = /** @type {const} */ (["description", "materials", "dimensions", "createdDate"]);

/** @param {string} [value] */
export function titleField(value = "") {
  return labelled(
    "Title",
    h("input", { name: "title", value, required: true, maxlength: 200, dir: "auto", autocomplete: "off" }),
  );
}

/** @param {Partial<import("./api.js").Artwork>} [artwork] */
export function detailFields(artwork = {}) {
  const category = h(
    "select",
    { name: "category" },
    CATEGORIES.map((name) =>
      h("option", { value: name, selected: name === (artwork.category ?? "other") }, categoryName(name)),
    ),
  );
  const description = h("textarea", { name: "description", rows: 3, maxlength: 5000, dir: "auto" });
  description.value = artwork.description ?? "";
  return h(
    "div",
    { class: "fields" },
    labelled("Category", category),
    labelled("Created", dateField(artwork.createdDate)),
    labelled("Materials", line("materials", artwork.materials, 500, { placeholder: "Oil on canvas" })),
    labelled("Dimensions", line("dimensions", artwork.dimensions, 500, { placeholder: "60 × 80 cm" })),
    labelled("Tags", line("tags", artwork.tags?.join(", "), 1000, { placeholder: "sea, evening" })),
    h("div", { class: "wide" }, labelled("Description", description)),
  );
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
    category: value("category"),
    tags: tagsOf(value("tags")),
    ...Object.fromEntries(OPTIONAL.map((name) => [name, value(name) || null])),
  };
}

/** @param {string | null} [value] */
function dateField(value) {
  const field = line("createdDate", value, 50, { placeholder: "2024 or 2024-05-31" });
  const check = () => {
    const text = field.value.trim();
    field.setCustomValidity(text && !isDate(text) ? NO_DATE : "");
  };
  field.addEventListener("input", check);
  check();
  return field;
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
 */
function labelled(text, field) {
  return h("label", { class: "field" }, h("span", {}, text), field);
}
