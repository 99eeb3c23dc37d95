// How values read to people.

import { CATEGORIES } from "./address.js";

/**
 * The usual categories in words; any other is text as somebody wrote it.
 * @param {string} category
 */
export function categoryName(category) {
  if (!CATEGORIES.some((name) => name === category)) return category;
  const words = category.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * What the API calls a category, given in the page's words.
 * @param {string} text
 */
export function categoryOf(text) {
  const words = text.trim();
  const usual = CATEGORIES.find((name) => categoryName(name).toLowerCase() === words.toLowerCase());
  return usual ?? words;
}

const DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/;

/**
 * Whether a text is a year, a month or a day that there is: `2024`, `2024-05` or `2024-05-31`.
 * @param {string} text
 */
export function isDate(text) {
  const [, year, month = "01", day = "01"] = DATE.exec(text) ?? [];
  if (!year) return false;
  const found = dayOf(Number(year), Number(month), Number(day));
  return found.getUTCMonth() + 1 === Number(month) && found.getUTCDate() === Number(day);
}

/**
 * A year, a month or a day as people write it; what is none of these stays as it is.
 * @param {string} date
 */
export function dateName(date) {
  const [year = 0, month, day] = date.split("-").map(Number);
  if (month === undefined || !isDate(date)) return date;
  const shown = /** @type {const} */ ({ year: "numeric", month: "long" });
  const precise = day === undefined ? shown : /** @type {const} */ ({ ...shown, day: "numeric" });
  return new Intl.DateTimeFormat("en", { ...precise, timeZone: "UTC" }).format(dayOf(year, month, day ?? 1));
}

/**
 * Midnight of a day. `Date.UTC` takes the years before 100 for years of the last century.
 * @param {number} year
 * @param {number} month from 1
 * @param {number} day
 */
function dayOf(year, month, day) {
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  return midnight;
}

const MEGABYTE = 2 ** 20;

/** @param {number} bytes */
export function sizeName(bytes) {
  if (bytes < MEGABYTE) return `${Math.max(1, Math.round(bytes / 1024))} KB`;
  return `${(bytes / MEGABYTE).toFixed(bytes < 10 * MEGABYTE ? 1 : 0)} MB`;
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * A title to start from: the file's name without its ending, its separators turned into blanks.
 * @param {string} filename
 */
export function titleOf(filename) {
  const name = filename
    .replace(/\.[^.]+$/, "")
    .replace(/[_-]+/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  const title = name || "Untitled";
  return (title.charAt(0).toUpperCase() + title.slice(1)).slice(0, 200);
}

/**
 * @param {string} text tags between commas
 * @returns {string[]}
 */
export function tagsOf(text) {
  return [
    ...new Set(
      text
        .split(",")
        .map((tag) => tag.trim())
        .filter(Boolean),
    ),
  ];
}

/**
 * Whether one of a name's words begins with a text, whatever their case.
 * @param {string} name
 * @param {string} beginning
 */
export function startsWord(name, beginning) {
  const words = name.toLocaleLowerCase().split(/[\s._-]+/);
  const sought = beginning.toLocaleLowerCase().replace(/^[@#]/, "");
  return sought !== "" && [name.toLocaleLowerCase(), ...words].some((word) => word.startsWith(sought));
}
