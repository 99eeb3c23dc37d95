// How values read to people.

/** @param {string} category */
export function categoryName(category) {
  const words = category.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * A year, a month or a day as people write it; what has none of these forms stays as it is.
 * @param {string} date `2024`, `2024-05` or `2024-05-01`
 */
export function dateName(date) {
  const parts = date.split("-").map(Number);
  const [year, month = 1, day = 1] = parts;
  if (!year || parts.length > 3 || parts.some(Number.isNaN)) return date;
  if (parts.length === 1) return date;
  const shown =
    parts.length === 2
      ? /** @type {const} */ ({ month: "long" })
      : /** @type {const} */ ({ month: "long", day: "numeric" });
  return new Intl.DateTimeFormat("en", { year: "numeric", ...shown, timeZone: "UTC" }).format(
    Date.UTC(year, month - 1, day),
  );
}

/** @param {number} bytes */
export function sizeName(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} KB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
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
