// Files that take long to make and depend on their inputs alone, kept in .cache between runs.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

export const CACHE = resolve(import.meta.dirname, "../.cache");
// The list that `sha256sum --check` reads.
const SUMS = "SHA256SUMS";

/** The first 16 hex digits of the SHA-256 of inputs (strings and bytes), each preceded by its length. */
export function digest(...inputs) {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(`${input.length} `).update(input);
  return hash.digest("hex").slice(0, 16);
}

/** Writes a file that other processes see whole or not at all. */
export function writeWhole(path, contents, options = {}) {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, contents, options);
  renameSync(unfinished, path);
}

/** The JSON value that `make` returns for these inputs, from the cache where it was asked before. */
export function cached(name, inputs, make) {
  const path = join(CACHE, "answers", `${name}-${digest(...inputs)}.json`);
  if (!existsSync(path)) writeWhole(path, JSON.stringify(make()));
  return JSON.parse(readFileSync(path, "utf8"));
}

const sha256 = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");

/** Writes the digests of all files in a folder, for `firstCorrupt`. */
export function writeSums(folder) {
  const lines = readdirSync(folder).map((name) => `${sha256(join(folder, name))}  ${name}\n`);
  writeWhole(join(folder, SUMS), lines.join(""));
}

/** The path of the first file that is missing or has another digest than the folder's list says; the list's own path without one. */
export function firstCorrupt(folder) {
  const list = join(folder, SUMS);
  if (!existsSync(list)) return list;
  const lines = readFileSync(list, "utf8").split("\n").filter(Boolean);
  const files = lines.map((line) => ({ expected: line.slice(0, 64), path: join(folder, line.slice(66)) }));
  return files.find(({ expected, path }) => !existsSync(path) || sha256(path) !== expected)?.path;
}
