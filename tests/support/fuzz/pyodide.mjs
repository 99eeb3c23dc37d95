// Runs one process of tests/support/fuzz/jpeg.py in Pyodide, with the decoder that the renderers are deployed with.
//
//   node tests/support/fuzz/pyodide.mjs <folder> <first> <count>

import { join } from "node:path";
import { loadRenderersPyodide } from "../../../runtime/pyodide.mjs";
import { copyInto } from "../imaging/copy.mjs";

const ROOT = join(import.meta.dirname, "../../..");
const [folder, first, count] = process.argv.slice(2);
const python = await loadRenderersPyodide();

copyInto(python, join(ROOT, "variants/thumbnail/python_modules"), "/bundle");
copyInto(python, join(ROOT, "variants/src/imaging"), "/bundle/imaging");
copyInto(python, join(ROOT, "tests/support/fuzz"), "/bundle/tests/support/fuzz");
python.FS.mkdirTree("/folder");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/folder");
python.runPython(`
import sys
sys.path.insert(0, "/bundle")
from tests.support.fuzz.jpeg import main_of_process
main_of_process("/folder", ${Number(first)}, ${Number(count)})
`);
