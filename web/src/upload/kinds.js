// What a file is, by its first bytes. Pure.

/** The formats the gallery takes, by media type. */
export const TAKEN = /** @type {Readonly<Record<string, string>>} */ ({
  "image/jpeg": "JPEG",
  "image/png": "PNG",
  "image/webp": "WebP",
  "image/gif": "GIF",
  "image/tiff": "TIFF",
});

/** Formats that some browsers can turn into one that is taken. */
export const CONVERTIBLE = /** @type {Readonly<Record<string, string>>} */ ({
  "image/heic": "HEIC",
  "image/avif": "AVIF",
});

/** How many bytes `kindOf` looks at. */
export const HEAD = 32;

const text = (/** @type {Uint8Array} */ bytes, /** @type {number} */ from, /** @type {number} */ to) =>
  String.fromCharCode(...bytes.slice(from, to));

/**
 * The media type that a file's first bytes tell, or null when they are of no format that is known here
 * (signatures: ISO/IEC 10918-1, RFC 2083, RFC 9649, GIF89a, TIFF 6.0, ISO/IEC 23008-12).
 * @param {Uint8Array} bytes
 */
export function kindOf(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "image/jpeg";
  if (text(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return "image/png";
  if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 12) === "WEBP") return "image/webp";
  if (text(bytes, 0, 4) === "GIF8") return "image/gif";
  if (["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(text(bytes, 0, 4))) return "image/tiff";
  if (text(bytes, 4, 8) !== "ftyp") return null;
  // The brands that a file of the ISO base media format says it keeps to, from the eighth byte on.
  const brands = text(bytes, 8, HEAD);
  if (/avi[fs]/.test(brands)) return "image/avif";
  return /hei[cxms]|hev[cxms]|mif1|msf1/.test(brands) ? "image/heic" : null;
}
