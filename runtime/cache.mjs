// What takes long to make and follows from its inputs alone, kept in .cache between runs.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

export const CACHE = resolve(import.meta.dirname, "../.cache");
// The list that `sha256sum --check` reads.
const SUMS = "SHA256SUMS";

/** A short name for inputs: strings and bytes. */
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

/** The value that `make` gives for these inputs; it must survive JSON. */
export function remembered(name, inputs, make) {
  const path = join(CACHE, "made", `${name}-${digest(...inputs)}.json`);
  if (!existsSync(path)) writeWhole(path, JSON.stringify(make()));
  return JSON.parse(readFileSync(path, "utf8"));
}

const sha256 = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");

/** Notes the digests of all files in a folder, for `firstWrong`. */
export function writeSums(folder) {
  const lines = readdirSync(folder).map((name) => `${sha256(join(folder, name))}  ${name}\n`);
  writeWhole(join(folder, SUMS), lines.join(""));
}

/** The path of the first file that is missing or not what the folder's list of digests says; the list's own without one. */
export function firstWrong(folder) {
  const list = join(folder, SUMS);
  if (!existsSync(list)) return list;
  const lines = readFileSync(list, "utf8").split("\n").filter(Boolean);
  const files = lines.map((line) => ({ wanted: line.slice(0, 64), path: join(folder, line.slice(66)) }));
  return files.find(({ wanted, path }) => !existsSync(path) || sha256(path) !== wanted)?.path;
}
