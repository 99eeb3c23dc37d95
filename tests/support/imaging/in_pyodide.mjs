// Runs a Python file in Pyodide under Node, with the sources and packages of a sibling, and prints what it prints.
//
//   node tests/support/imaging/in_pyodide.mjs <file> <folder>      the folder is there as /given

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadRenderersPyodide } from "../../../runtime/pyodide.mjs";
import { copyInto } from "./copy.mjs";

const ROOT = join(import.meta.dirname, "../../..");
const [file, given] = process.argv.slice(2);
const python = await loadRenderersPyodide({ stdout: (line) => console.log(line) });

copyInto(python, join(ROOT, "variants/thumbnail/python_modules"), "/bundle/python_modules");
copyInto(python, join(ROOT, "variants/src"), "/bundle");
copyInto(python, given, "/given");
await python.runPythonAsync(readFileSync(file, "utf8"));
