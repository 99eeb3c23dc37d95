// Makes an ordinary workerd isolate look enough like a web worker for Pyodide.

// @ts-nocheck the platform's types do not hold where its globals are replaced

import { capMemory } from "./memory.mjs";

export const PYODIDE_ORIGIN = "http://pyodide.local/";
let isPrepared = false;

function lookLikeWebWorker() {
  globalThis.location = new URL(PYODIDE_ORIGIN);
  globalThis.importScripts = () => {
    throw new TypeError("scripts are imported as modules here");
  };
  const addEventListener = globalThis.addEventListener.bind(globalThis);
  globalThis.addEventListener = (type, listener, options) => {
    const capture = options === true || options?.capture;
    if (!capture) addEventListener(type, listener, options);
  };
}

/** workerd compiles WebAssembly only from uploaded modules or through the unsafe-eval binding. */
function compileThrough(unsafeEval) {
  const OriginalModule = WebAssembly.Module;
  const instantiateModule = WebAssembly.instantiate.bind(WebAssembly);
  const compile = (source) => (source instanceof OriginalModule ? source : unsafeEval.newWasmModule(source));

  function Module(source) {
    return compile(source);
  }
  Module.prototype = OriginalModule.prototype;
  for (const name of ["exports", "imports", "customSections"]) Module[name] = OriginalModule[name];

  WebAssembly.Module = Module;
  WebAssembly.compile = async (source) => compile(source);
  WebAssembly.instantiate = async (source, imports) => {
    const module = compile(source);
    const instance = await instantiateModule(module, imports);
    return source instanceof OriginalModule ? instance : { instance, module };
  };
  WebAssembly.instantiateStreaming = async (response, imports) => {
    const { wasmModule } = await response;
    return { instance: await instantiateModule(wasmModule, imports), module: wasmModule };
  };
}

/** Answers Pyodide's requests for its own files; everything else goes where it went before. */
function serveAssets(files, unsafeEval) {
  const fetch = globalThis.fetch.bind(globalThis);
  globalThis.fetch = async (resource, init) => {
    const url = String(resource?.url ?? resource);
    if (!url.startsWith(PYODIDE_ORIGIN)) return fetch(resource, init);
    const file = await files.fetch(url);
    if (!url.endsWith(".wasm")) return file;
    // Compiled here and lazily, it costs a tenth of what it does as one of the Worker's modules.
    return { ok: true, wasmModule: unsafeEval.newWasmModule(await file.arrayBuffer()) };
  };
}

function prefixLogs(name) {
  for (const level of ["debug", "log", "info", "warn", "error"]) {
    const write = console[level].bind(console);
    console[level] = (...values) => write(`[${name}]`, ...values);
  }
}

/** Must run before Pyodide's modules are evaluated; later calls do nothing. */
export function prepareGlobals({ name, files, unsafeEval, memoryLimit }) {
  if (isPrepared) return;
  isPrepared = true;
  prefixLogs(name);
  lookLikeWebWorker();
  compileThrough(unsafeEval);
  serveAssets(files, unsafeEval);
  capMemory(memoryLimit);
}
