// What the operator has set of the site: the gateway writes it into the document, and each part has a default.

const COLOUR = /^#[0-9a-f]{6}$/i;
// MAX_UPLOAD_BYTES of the gateway, where nobody has set it.
const MAX_UPLOAD_BYTES = 30 * 2 ** 20;
const SCHEMES = ["https:", "http:", "mailto:"];

/** @typedef {{text: string, url: string}} Link */
/** @typedef {{name: string, tagline: string, logoUrl: string | null, accent: string | null, footerText: string, footerLinks: Link[], maxUploadBytes: number}} Site */

/**
 * Settings from JSON text; what is missing or of the wrong kind falls back to its default.
 * @param {string} text
 * @param {string} base the address that relative links start from
 * @returns {Site}
 */
export function siteOf(text, base) {
  const given = objectOf(text);
  const words = (/** @type {unknown} */ value) => (typeof value === "string" ? value.trim() : "");
  const address = (/** @type {unknown} */ value) => safeUrl(words(value), base);
  const links = Array.isArray(given.footerLinks) ? given.footerLinks : [];
  return {
    name: words(given.name) || "Gallery",
    tagline: words(given.tagline),
    logoUrl: address(given.logoUrl),
    accent: COLOUR.test(words(given.accent)) ? words(given.accent) : null,
    footerText: words(given.footerText),
    maxUploadBytes: given.maxUploadBytes > 0 ? Number(given.maxUploadBytes) : MAX_UPLOAD_BYTES,
    footerLinks: links.flatMap((link) => {
      const [label, url] = [words(link?.text), address(link?.url)];
      return label && url ? [{ text: label, url }] : [];
    }),
  };
}

/**
 * Black or white, whichever reads better on a colour (relative luminance as in WCAG 2.2).
 * @param {string} colour such as `#1f57c3`
 */
export function inkOn(colour) {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}

/**
 * @param {string} text
 * @returns {Record<string, any>}
 */
function objectOf(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/**
 * @param {string} address
 * @param {string} base
 */
function safeUrl(address, base) {
  if (!address || !URL.canParse(address, base)) return null;
  const url = new URL(address, base);
  return SCHEMES.includes(url.protocol) ? url.href : null;
}
