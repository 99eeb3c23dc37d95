// Miniflare's S3 API honours headers that a presigned URL does not sign, such as `x-amz-copy-source`, which would copy
// anybody's private original. S3 refuses every unsigned `x-amz-*` header, and so does the local bucket with this.

import { createRequire } from "node:module";
import { Problem } from "./problem.mjs";

const WORKER = /workers[\\/]r2[\\/]s3[\\/]index\.worker\.js$/;
const BEGINNING = "async function verifyRequest(request, credentials) {";
const CHECK = `
  const signedNames = new URL(request.url).searchParams.get("X-Amz-SignedHeaders");
  if (signedNames !== null) {
    const signed = new Set(signedNames.toLowerCase().split(";"));
    const unsigned = [...request.headers.keys()].filter((name) => name.startsWith("x-amz-") && !signed.has(name));
    if (unsigned.length > 0)
      return errorResponse(403, "AccessDenied", "There were headers present in the request which were not signed", {
        HeadersNotSigned: unsigned.join(", ")
      });
  }`;

/** Has Miniflare load its S3 Worker with the check in it; raises Problem where the two do not fit together. */
export function refuseUnsignedHeaders() {
  const fs = createRequire(import.meta.url)("node:fs");
  const read = fs.readFileSync;
  fs.readFileSync = (path, ...options) => {
    const text = read(path, ...options);
    if (!WORKER.test(String(path)) || typeof text !== "string") return text;
    if (text.split(BEGINNING).length !== 2) throw new Problem("this version of miniflare verifies S3 requests differently");
    return text.replace(BEGINNING, BEGINNING + CHECK);
  };
}
