// What was typed and neither sent nor saved, kept until the tab closes: a reload takes none of it.

const PREFIX = "gallery.draft.";

/** @typedef {Record<string, string>} Draft what each field of a form says, by name */

/**
 * @param {string} name
 * @returns {Draft | null}
 */
export function readDraft(name) {
  const text = sessionStorage.getItem(PREFIX + name);
  return text ? JSON.parse(text) : null;
}

/**
 * @param {string} name
 * @param {Draft} draft
 */
export function writeDraft(name, draft) {
  try {
    sessionStorage.setItem(PREFIX + name, JSON.stringify(draft));
  } catch {
    // Without room it is as it would be without drafts.
  }
}

/** @param {string} name */
export const forgetDraft = (name) => sessionStorage.removeItem(PREFIX + name);

/**
 * The names of drafts that begin with a text.
 * @param {string} beginning
 */
export const draftsLike = (beginning) =>
  Object.keys(sessionStorage)
    .filter((key) => key.startsWith(PREFIX + beginning))
    .map((key) => key.slice(PREFIX.length));

export function forgetDrafts() {
  for (const name of draftsLike("")) forgetDraft(name);
}

/**
 * What the fields inside an element say.
 * @param {ParentNode} element
 * @returns {Draft}
 */
export function draftOf(element) {
  return Object.fromEntries(fieldsOf(element).map(({ name, value }) => [name, value]));
}

/**
 * Writes a draft into the fields inside an element.
 * @param {ParentNode} element
 * @param {Draft} draft
 */
export function restoreDraft(element, draft) {
  for (const field of fieldsOf(element)) field.value = draft[field.name] ?? field.value;
}

/** @param {ParentNode} element */
const fieldsOf = (element) =>
  /** @type {HTMLInputElement[]} */ ([...element.querySelectorAll("input[name], textarea[name]")]);
