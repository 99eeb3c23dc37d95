// Renders files in Pyodide under Node, with WebAssembly memory capped as in the siblings, and prints what it took.
//
//   node benchmarks/imaging_memory.mjs <variant> [--unlimited] [--times N] <file>...
//
// One line of JSON a render: {file, ok, error, ms, cpuMs, heapMiB, usedMiB, restMiB}. Memory never shrinks, so only
// the first render of a process shows its own peak. `heapMiB` grows in steps of 5 to 20 %; `usedMiB` is what was asked
// for; `cpuMs` is of the one thread that Python has. The interpreter is padded to what production has in use at rest.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { capMemory, heapBytes } from "../runtime/isolate/memory.mjs";
import { loadRenderersPyodide } from "../runtime/pyodide.mjs";
import { copyInto } from "../tests/support/imaging/copy.mjs";

const CAP_MIB = Number(process.env.CAP_MIB ?? 96);
const ROOT = join(import.meta.dirname, "..");
const MIB = 2 ** 20;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { unlimited: { type: "boolean" }, times: { type: "string", default: "1" } },
});
const [variant, ...files] = positionals;

capMemory(CAP_MIB * MIB);
const python = await loadRenderersPyodide();

copyInto(python, join(ROOT, "variants/thumbnail/python_modules"), "/bundle/python_modules");
copyInto(python, join(ROOT, "variants/src"), "/bundle");
python.FS.mkdirTree("/host");
python.FS.mount(python.FS.filesystems.NODEFS, { root: "/" }, "/host");

python.runPython(readFileSync(join(import.meta.dirname, "imaging_memory_pyodide.py"), "utf8"));
const render = python.globals.get("render_file");
const heapMiB = () => heapBytes() / MIB;
/** @type {any} */
const { _module } = python;
const usedMiB = () => (_module._sbrk(0) >>> 0) / MIB;
const restMiB = usedMiB();

for (let time = 0; time < Number(options.times); time++) {
  for (const file of files) {
    const started = performance.now();
    const cpu = process.threadCpuUsage();
    const error = await render(variant, `/host${file}`, options.unlimited ?? false);
    const ms = Math.round(performance.now() - started);
    const { user, system } = process.threadCpuUsage(cpu);
    const cpuMs = Math.round((user + system) / 1000);
    const memory = { heapMiB: heapMiB(), usedMiB: usedMiB(), restMiB };
    console.log(JSON.stringify({ file, ok: !error, error, ms, cpuMs, ...memory }));
  }
}
