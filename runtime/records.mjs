// Vendored packages against the RECORD that each of them carries: the digest of every file of its wheel.

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";

const LINE = /^(.*),sha256=([^,]+),\d+$/gm;

/** Digest by path of what the packages among these files say of their own. */
function recorded(files) {
  const digests = new Map();
  for (const { path, bytes } of files.filter((file) => file.path.endsWith(".dist-info/RECORD"))) {
    const packages = dirname(dirname(path));
    for (const [, name, digest] of bytes.toString().matchAll(LINE)) digests.set(join(packages, name), digest);
  }
  return digests;
}

/** The path of the first of `[{path, bytes}]` whose bytes its package does not vouch for. */
export function firstChanged(files) {
  const digests = recorded(files);
  const isChanged = ({ path, bytes }) =>
    digests.has(path) && digests.get(path) !== createHash("sha256").update(bytes).digest("base64url");
  return files.find(isChanged)?.path;
}
