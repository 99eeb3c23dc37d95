// What takes long to make and follows from its inputs alone, kept in .cache between runs.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

export const CACHE = resolve(import.meta.dirname, "../.cache");

/** A short name for inputs: strings and bytes. */
export function digest(...inputs) {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(`${input.length} `).update(input);
  return hash.digest("hex").slice(0, 16);
}

/** Writes a file that other processes see whole or not at all. */
export function writeWhole(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, path);
}

/** The value that `make` gives for these inputs; it must survive JSON. */
export function remembered(name, inputs, make) {
  const path = join(CACHE, "made", `${name}-${digest(...inputs)}.json`);
  if (!existsSync(path)) writeWhole(path, JSON.stringify(make()));
  return JSON.parse(readFileSync(path, "utf8"));
}
