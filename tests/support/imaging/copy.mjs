// Copies files of this machine into the file system of a Pyodide.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Copies a file, or a folder with all that is in it but compiled Python.
 *
 * @param {any} python a Pyodide
 * @param {string} from a path of this machine
 * @param {string} target a path in Pyodide
 */
export function copyInto(python, from, target) {
  if (!statSync(from).isDirectory()) return python.FS.writeFile(target, readFileSync(from));
  python.FS.mkdirTree(target);
  for (const name of readdirSync(from)) {
    if (name !== "__pycache__") copyInto(python, join(from, name), `${target}/${name}`);
  }
}
