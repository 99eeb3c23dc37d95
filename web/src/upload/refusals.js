// What is said beside a file that has not made it, in the words of artists.

import { ApiError } from "../api.js";

export const FORMATS = "JPEG, PNG, WebP, GIF or TIFF";
export const NO_PICTURE = `Only pictures can be uploaded: ${FORMATS}.`;
export const UNSUPPORTED = `Pictures of this kind cannot be shown. Choose a ${FORMATS}.`;
export const OFFLINE = "The connection was lost. It goes on by itself when you are online again.";
export const BROKEN_OFF = "The connection broke off.";
export const UNREACHABLE = "The gallery cannot be reached, although you are online. Please try again later.";
export const UNSENT =
  "The file could not be sent, although you are online. See whether it is still there, or try again later.";

/**
 * The API names media types, which mean little to who has only ever seen the endings of files.
 * @param {ApiError} error
 * @param {boolean} sent whether the file is there already
 */
export function sentenceOf(error, sent) {
  if (error.code !== "unsupported_type") return error.message;
  return sent
    ? `What is in the file is not what its name says. Save it as ${FORMATS} and choose it again.`
    : UNSUPPORTED;
}
