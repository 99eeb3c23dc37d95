// The transfer of originals: Uppy picks, queues, sends and cancels; each try is sent with an upload ticket of its own.

import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import Dashboard from "@uppy/dashboard";
import { uploadTicket } from "../api.js";
import { patiently } from "./patience.js";
import { FORMATS, NO_PICTURE } from "./refusals.js";

const AT_ONCE = 3;
const PREVIEW = 192;

/** @typedef {import("@uppy/thumbnail-generator").default<any, any>} Previews and the events it adds to Uppy's */

// What goes wrong stands beside the file it belongs to, so that nothing is left for the console.
const silent = { debug() {}, warn() {}, error() {} };

/**
 * @param {HTMLElement} target where files are dropped
 * @param {(fileId: string, seconds: number, reason: string) => void} onwait called when a ticket has to be waited for
 */
export function makeTransfer(target, onwait) {
  const uppy = new Uppy({
    logger: silent,
    // Which of these the server takes is its own affair: it says so beside the file.
    restrictions: { allowedFileTypes: ["image/*"] },
    locale: {
      pluralize,
      strings: {
        youCanOnlyUploadFileTypes: NO_PICTURE,
        noDuplicates: "“%{fileName}” is already in the list",
      },
    },
  });
  uppy.use(Dashboard, {
    target,
    inline: true,
    width: "100%",
    height: 190,
    theme: "auto",
    showSelectedFiles: false,
    disableStatusBar: true,
    disableInformer: true,
    proudlyDisplayPoweredByUppy: false,
    thumbnailWidth: PREVIEW,
    locale: {
      strings: {
        dashboardTitle: "Choose pictures",
        dropPasteFiles: "Drop pictures here, paste them, or %{browseFiles}",
        browseFiles: "choose files",
        dropHint: "Drop them here",
      },
    },
    note: FORMATS,
  });
  uppy.use(AwsS3, {
    limit: AT_ONCE,
    shouldUseMultipart: false,
    generateObjectKey: (file) => file.id,
    // The server makes the real key; the file's id stands in for it so that the ticket is asked for the right file.
    signRequest: async ({ key: fileId }) => {
      const file = uppy.getFile(fileId);
      const wish = { filename: file.name, contentType: file.type, size: file.size ?? 0 };
      const ticket = await patiently(
        () => uploadTicket(wish),
        (seconds, reason) => onwait(fileId, seconds, reason),
      );
      return { url: ticket.uploadUrl, key: ticket.key, headers: ticket.headers };
    },
  });
  return uppy;
}

/** @param {number} count */
function pluralize(count) {
  return count === 1 ? 0 : 1;
}
