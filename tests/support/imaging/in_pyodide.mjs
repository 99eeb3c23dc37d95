// Runs a Python file in Pyodide under Node, with the sources and packages of a sibling, and prints what it prints.
//
//   node tests/support/imaging/in_pyodide.mjs <file> <folder>      the folder is there as /given

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { loadRenderersPyodide } from "../../../runtime/pyodide.mjs";

const ROOT = join(import.meta.dirname, "../../..");
const [file, given] = process.argv.slice(2);
const python = await loadRenderersPyodide({ stdout: (line) => console.log(line) });

function copy(folder, target) {
  python.FS.mkdirTree(target);
  for (const name of readdirSync(folder)) {
    if (name === "__pycache__") continue;
    const [from, to] = [join(folder, name), `${target}/${name}`];
    if (statSync(from).isDirectory()) copy(from, to);
    else python.FS.writeFile(to, readFileSync(from));
  }
}
copy(join(ROOT, "variants/thumbnail/python_modules"), "/bundle/python_modules");
copy(join(ROOT, "variants/src"), "/bundle");
copy(given, "/given");
await python.runPythonAsync(readFileSync(file, "utf8"));
