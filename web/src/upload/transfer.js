// The transfer of originals: Uppy queues, sends and cancels; each try is sent with an upload ticket of its own.

import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import { uploadTicket } from "../api.js";
import { patiently } from "./patience.js";

const AT_ONCE = 3;

// What goes wrong stands beside the file it belongs to, so that nothing is left for the console.
const silent = { debug() {}, warn() {}, error() {} };

/** @param {(fileId: string, seconds: number, reason: string) => void} onwait called when a ticket has to be waited for */
export function makeTransfer(onwait) {
  const uppy = new Uppy({ logger: silent });
  uppy.use(AwsS3, {
    limit: AT_ONCE,
    shouldUseMultipart: false,
    generateObjectKey: (file) => file.id,
    // The server makes the real key; the file's id stands in for it so that the ticket is asked for the right file.
    signRequest: async ({ key: fileId }) => {
      const file = uppy.getFile(fileId);
      const request = { filename: file.name, contentType: file.type, size: file.size ?? 0 };
      const ticket = await patiently(
        () => uploadTicket(request),
        (seconds, reason) => onwait(fileId, seconds, reason),
      );
      return { url: ticket.uploadUrl, key: ticket.key, headers: ticket.headers };
    },
  });
  return uppy;
}
