// Pyodide's files as modules of a Worker, and the libraries that production has and npm's Pyodide leaves out.

import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE, digest, firstWrong, writeSums } from "./cache.mjs";
import { ROOT } from "./config.mjs";
import { checkWheelhouse, LIBRARIES } from "./wheelhouse.mjs";

const PYODIDE = join(ROOT, "node_modules/pyodide");
const ISOLATE = join(import.meta.dirname, "isolate");
export const { version } = JSON.parse(readFileSync(join(PYODIDE, "package.json"), "utf8"));
const { info } = JSON.parse(readFileSync(join(PYODIDE, "pyodide-lock.json"), "utf8"));
const EMPTY_LOCK = JSON.stringify({ info, packages: {} });

// What the Workers import of the standard library, so that it lies imported in the snapshot. Not what looks for
// `ssl` when it is imported, which a snapshot cannot hold, nor what draws on chance.
const IMPORTED = [
  "asyncio",
  "base64",
  "calendar",
  "dataclasses",
  "datetime",
  "decimal",
  "email.message",
  "email.parser",
  "fractions",
  "hashlib",
  "hmac",
  "inspect",
  "ipaddress",
  "json",
  "locale",
  "unicodedata",
  "urllib.error",
  "urllib.parse",
  "urllib.response",
  "zlib",
];

const SITE_PACKAGES = "/lib/python3.13/site-packages";
// In the order in which the linker needs them.
const SSL_FILES = {
  "libcrypto.so": "/usr/lib",
  "libssl.so": "/usr/lib",
  "_ssl.so": SITE_PACKAGES,
  "ssl.py": SITE_PACKAGES,
};

/** `ssl` for Workers that import it: `[{path, bytes}]` with absolute paths in Pyodide's file system. */
export function sslFiles() {
  checkWheelhouse();
  return Object.entries(SSL_FILES).map(([name, folder]) => ({
    path: `${folder}/${name}`,
    bytes: readFileSync(join(LIBRARIES, name)),
  }));
}

/** Pyodide in this process. */
export async function inNode(options = {}) {
  // Loaded only when something has to be made.
  const { loadPyodide } = await import("pyodide");
  return loadPyodide({ lockFileContents: EMPTY_LOCK, env: { HOME: "/session" }, ...options });
}

/**
 * The folder of what an isolate boots from: Pyodide's WebAssembly and library, and the memory of a Pyodide that has its
 * standard library up and partly imported, made once in Node. Booting from it is about three times as fast.
 */
export const bootFiles = () => (making ??= makeBootFiles());

let making;

async function makeBootFiles() {
  const folder = join(CACHE, `pyodide-${version}-${digest(IMPORTED.join())}`);
  if (!firstWrong(folder)) return folder;
  const pyodide = await inNode({ _makeSnapshot: true });
  pyodide.runPython(`import ${IMPORTED.join(", ")}`);
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(join(unfinished, "snapshot.bin"), pyodide.makeMemorySnapshot());
  for (const name of ["pyodide.asm.wasm", "python_stdlib.zip"]) copyFileSync(join(PYODIDE, name), join(unfinished, name));
  writeSums(unfinished);
  // Another process may have made it meanwhile, and boots from it.
  const replaced = firstWrong(folder) ? folder : unfinished;
  rmSync(replaced, { recursive: true, force: true });
  if (replaced === folder) renameSync(unfinished, folder);
  return folder;
}

function modulesFor(bundle) {
  const manifest = { files: bundle.files, main: bundle.main, lock: EMPTY_LOCK };
  const isolate = (name, type) => ({ type, path: name, contents: readFileSync(join(ISOLATE, name)) });
  const pyodide = (name, path = name) => ({ type: "ESModule", path, contents: readFileSync(join(PYODIDE, name)) });
  const modules = [
    isolate("host.mjs", "ESModule"),
    isolate("interpreter.mjs", "ESModule"),
    isolate("unavailable.mjs", "ESModule"),
    isolate("globals.mjs", "ESModule"),
    isolate("faults.mjs", "ESModule"),
    isolate("boot.py", "Text"),
    pyodide("pyodide.mjs"),
    pyodide("pyodide.asm.js", "pyodide.asm.mjs"),
    { type: "Data", path: "bundle.bin", contents: bundle.bytes },
    { type: "ESModule", path: "manifest.mjs", contents: `export default ${JSON.stringify(manifest)}` },
  ];
  return modules.map((module) => ({ ...module, path: `/${module.path}` }));
}

/** Miniflare's options of a Worker, completed so that it runs `bundle` in Pyodide; its `RUNTIME` variable is the caller's. */
export async function inPyodide(options, bundle) {
  const disk = { path: await bootFiles(), writable: false };
  const serviceBindings = { ...options.serviceBindings, RUNTIME_FILES: { disk } };
  return { ...options, serviceBindings, modules: modulesFor(bundle), modulesRoot: "/", unsafeEvalBinding: "UNSAFE_EVAL" };
}
