// Judges a chosen file before anything is sent: empty, too large, no picture, or one that has to be converted.

import { site } from "../settings.js";
import { sizeName } from "../words.js";
import { CONVERTIBLE, HEAD, kindOf, TAKEN } from "./kinds.js";
import { FORMATS, NO_PICTURE, UNSUPPORTED } from "./refusals.js";

const QUALITY = 0.95;

/** @typedef {{file: File, kind: string, note?: string} | {file: File, kind: null, refusal: string, code: string}} Judged */

/** What can be chosen, for the browser's own dialog: an iPhone converts its pictures to one of these. */
export const ACCEPT = Object.keys(TAKEN).join(",");

/**
 * The file as it can be sent, under the type that its bytes have; or why it cannot be.
 * @param {File} file
 * @returns {Promise<Judged>}
 */
export async function judge(file) {
  if (file.size === 0) return refused(file, "The file is empty.", "empty");
  const head = await file.slice(0, HEAD).arrayBuffer();
  const type = kindOf(new Uint8Array(head));
  if (type && type in CONVERTIBLE) return convert(file, CONVERTIBLE[type] ?? "");
  if (!type) {
    if (file.type in TAKEN) return refused(file, "What is in the file is not what its name says.", "unsupported_type");
    return refused(file, file.type.startsWith("image/") ? UNSUPPORTED : NO_PICTURE, "unsupported_type");
  }
  if (file.size > site.maxUploadBytes) return refused(file, tooLarge(file.size), "too_large");
  return { file: file.type === type ? file : renamed(file, file, file.name, type), kind: TAKEN[type] ?? "" };
}

/** @param {number} size */
const tooLarge = (size) => `The file has ${sizeName(size)}; at most ${sizeName(site.maxUploadBytes)} can be uploaded.`;

/**
 * @param {File} file
 * @param {string} name of its format
 * @returns {Promise<Judged>}
 */
async function convert(file, name) {
  try {
    const bitmap = await createImageBitmap(file);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, bitmap.width, bitmap.height);
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
    if (blob.size > site.maxUploadBytes) return refused(file, tooLarge(blob.size), "too_large");
    const converted = renamed(blob, file, `${file.name.replace(/\.[^.]*$/, "")}.jpg`, "image/jpeg");
    return { file: converted, kind: "JPEG", note: `Converted from ${name} to JPEG` };
  } catch {
    const reason = `This browser cannot open ${name} pictures. Save it as ${FORMATS} and choose it again.`;
    return refused(file, reason, "unsupported_type");
  }
}

/**
 * @param {Blob} content
 * @param {File} file whose date it keeps
 * @param {string} name
 * @param {string} type
 */
const renamed = (content, { lastModified }, name, type) => new File([content], name, { type, lastModified });

/**
 * @param {File} file
 * @param {string} refusal
 * @param {string} code
 * @returns {Judged}
 */
const refused = (file, refusal, code) => ({ file, kind: null, refusal, code });
