// Pyodide from npm, one release for each version of Python: as modules of a Worker, and in this process.

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CACHE, digest, firstCorrupt, writeSums, writeWhole } from "./cache.mjs";
import { PYTHONS, pythonVersion, ROOT, readConfigs } from "./config.mjs";
import { Problem } from "./problem.mjs";

const ISOLATE = join(import.meta.dirname, "isolate");
/** Where production puts the uploaded files. */
export const MODULE_ROOT = "/session/metadata";

// Modules of the standard library that the Workers import, so that the snapshot holds them imported. None that imports
// `ssl`, which a snapshot cannot hold, and none that draws random numbers.
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

/** What a version of Python is made of: `{version, npm, folder, release, emptyLock, ssl}`. */
function pyodideOf(version) {
  const { npm, wheels } = PYTHONS[version];
  const folder = join(ROOT, "node_modules", npm);
  const { version: release } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const { info } = JSON.parse(readFileSync(join(folder, "pyodide-lock.json"), "utf8"));
  const emptyLock = JSON.stringify({ info, packages: {} });
  return { version, npm, folder, release, emptyLock, ssl: !wheels.includes("ssl") };
}

const wheelhouse = (version) => join(CACHE, `wheelhouse/${version}`);

/** Raises Problem unless every file that set-up fetched for this version of Python still has its digest. */
function checkWheelhouse(version) {
  const folder = wheelhouse(version);
  const path = firstCorrupt(folder);
  if (!path) return;
  const fault = existsSync(path) ? "is not as it was fetched" : "is missing";
  throw new Problem(`${path} ${fault}; remove ${folder} and run \`make setup\``);
}

/** Files of `ssl`, `[{path, bytes}]` with absolute paths, in linking order; none where Pyodide has it built in. */
export function sslFiles(config) {
  const version = pythonVersion(config);
  checkWheelhouse(version);
  if (pyodideOf(version).ssl) return [];
  const sitePackages = `/lib/python${version}/site-packages`;
  const files = {
    "libcrypto.so": "/usr/lib",
    "libssl.so": "/usr/lib",
    "_ssl.so": sitePackages,
    "ssl.py": sitePackages,
  };
  return Object.entries(files).map(([name, folder]) => ({
    path: `${folder}/${name}`,
    bytes: readFileSync(join(wheelhouse(version), "system", name)),
  }));
}

async function loadInNode({ npm, emptyLock }, options) {
  // Imported only when a snapshot or bytecode is missing, because that takes a second.
  const { loadPyodide } = await import(npm);
  return loadPyodide({ lockFileContents: emptyLock, env: { HOME: "/session" }, ...options });
}

/** Pyodide in this process, in the release that the renderers run on; `options` are those of its loadPyodide. */
export function loadRenderersPyodide(options = {}) {
  const [, renderer] = readConfigs();
  return loadInNode(pyodideOf(pythonVersion(renderer)), options);
}

const making = new Map();

/**
 * The folder that an isolate boots from: Pyodide's WebAssembly and library, and a snapshot of the memory of an interpreter
 * that has part of its standard library imported. It is made once, in Node; booting from it is about three times as fast.
 */
export function bootFiles(version) {
  if (!making.has(version)) making.set(version, makeBootFiles(pyodideOf(version)));
  return making.get(version);
}

async function makeBootFiles(pyodide) {
  const folder = join(CACHE, `pyodide-${pyodide.release}-${digest(IMPORTED.join())}`);
  if (!firstCorrupt(folder)) return folder;
  const python = await loadInNode(pyodide, { _makeSnapshot: true });
  python.runPython(`import ${IMPORTED.join(", ")}`);
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(join(unfinished, "snapshot.bin"), python.makeMemorySnapshot());
  for (const name of ["pyodide.asm.wasm", "python_stdlib.zip"]) {
    copyFileSync(join(pyodide.folder, name), join(unfinished, name));
  }
  writeSums(unfinished);
  // Another process may have written the folder in the meantime, and boot from it.
  const superfluous = firstCorrupt(folder) ? folder : unfinished;
  rmSync(superfluous, { recursive: true, force: true });
  if (superfluous === folder) renameSync(unfinished, folder);
  return folder;
}

function modulesFor(pyodide, { files, main, bytes }) {
  const manifest = { files, main, lock: pyodide.emptyLock, version: pyodide.version };
  const isolate = (name, type) => ({ type, path: name, contents: readFileSync(join(ISOLATE, name)) });
  const vendored = (name, path) => ({ type: "ESModule", path, contents: readFileSync(join(pyodide.folder, name)) });
  const asm = ["pyodide.asm.mjs", "pyodide.asm.js"].find((name) => existsSync(join(pyodide.folder, name)));
  const modules = [
    isolate("host.mjs", "ESModule"),
    isolate("interpreter.mjs", "ESModule"),
    isolate("unavailable.mjs", "ESModule"),
    isolate("globals.mjs", "ESModule"),
    isolate("memory.mjs", "ESModule"),
    isolate("faults.mjs", "ESModule"),
    isolate("boot.py", "Text"),
    vendored("pyodide.mjs", "pyodide.mjs"),
    vendored(asm, "pyodide.asm.mjs"),
    { type: "Data", path: "bundle.bin", contents: bytes },
    { type: "ESModule", path: "manifest.mjs", contents: `export default ${JSON.stringify(manifest)}` },
  ];
  return modules.map((module) => ({ ...module, path: `/${module.path}` }));
}

/** Miniflare's options of a Worker, completed so that it runs `packed` in Pyodide; its `RUNTIME` variable is the caller's. */
export async function withPyodide(options, packed) {
  const disk = { path: await bootFiles(packed.version), writable: false };
  const serviceBindings = { ...options.serviceBindings, RUNTIME_FILES: { disk } };
  const modules = modulesFor(pyodideOf(packed.version), packed);
  return { ...options, serviceBindings, modules, modulesRoot: "/", unsafeEvalBinding: "UNSAFE_EVAL" };
}

// The pyc's flag says "unchecked": the isolate never compares it with its source.
const COMPILE = `
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash

def compiled(source, path):
    source = source.to_bytes()
    try:
        code = compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return _code_to_hash_pyc(code, source_hash(source), False)

compiled`;

const compilers = new Map();

async function makeCompiler(version) {
  const snapshot = readFileSync(join(await bootFiles(version), "snapshot.bin"));
  const compiled = (await loadInNode(pyodideOf(version), { _loadSnapshot: snapshot })).runPython(COMPILE);
  return (source, path) => {
    const result = compiled(new Uint8Array(source), path);
    const bytes = result?.toJs() ?? new Uint8Array();
    result?.destroy();
    return bytes;
  };
}

function compilerOf(version) {
  if (!compilers.has(version)) compilers.set(version, makeCompiler(version));
  return compilers.get(version);
}

/** `[{path, bytes}]` of the bytecode of each Python file of a Worker, without files that do not compile. */
export async function compileModules(files, version) {
  const { release } = pyodideOf(version);
  const tag = `cpython-${version.replace(".", "")}`;
  const compiled = [];
  for (const { path, bytes } of files) {
    if (!path.endsWith(".py")) continue;
    const kept = join(CACHE, "bytecode", `${digest(release, MODULE_ROOT, path, bytes)}.pyc`);
    if (!existsSync(kept)) {
      const compile = await compilerOf(version);
      // Another Worker may have compiled the same file in the meantime.
      if (!existsSync(kept)) writeWhole(kept, compile(bytes, `${MODULE_ROOT}/${path}`));
    }
    const bytecode = readFileSync(kept);
    if (bytecode.length > 0) {
      compiled.push({
        path: join(dirname(path), "__pycache__", `${basename(path, ".py")}.${tag}.pyc`),
        bytes: bytecode,
      });
    }
  }
  return compiled;
}
