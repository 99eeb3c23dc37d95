// Stands in for Cloudflare's Python runtime: boots Pyodide inside an ordinary workerd isolate and hands requests
// and cron events to the Python Worker's `Default` entrypoint.

import * as cloudflareWorkers from "cloudflare:workers";
import bootPython from "./boot.py";
import bundle from "./bundle.bin";
import { faultyEnv, renderWithFaults, setFaults } from "./faults.mjs";
import { heapBytes, prepareGlobals, PYODIDE_ORIGIN } from "./globals.mjs";
import manifest from "./manifest.mjs";

// Where production puts the uploaded files.
const MODULE_ROOT = "/session/metadata";

let booting;
let python;

function unpack(FS) {
  const bytes = new Uint8Array(bundle);
  for (const { path, offset, length } of manifest.files) {
    const target = path.startsWith("/") ? path : `${MODULE_ROOT}/${path}`;
    FS.mkdirTree(target.slice(0, target.lastIndexOf("/")));
    FS.writeFile(target, bytes.subarray(offset, offset + length));
  }
}

async function loadLibraries(pyodide) {
  for (const { path } of manifest.files) {
    if (!path.endsWith(".so")) continue;
    const isSystemLibrary = path.startsWith("/usr/lib/");
    await pyodide._api.loadDynlib(path.startsWith("/") ? path : `${MODULE_ROOT}/${path}`, isSystemLibrary);
  }
}

/** A Python awaitable is lent for the call only: hold a copy until it is done. */
async function settled(awaitable) {
  const held = "copy" in awaitable ? awaitable.copy() : awaitable;
  try {
    await held;
  } finally {
    held.destroy?.();
  }
}

function registerHelpers(pyodide) {
  pyodide.registerJsModule("_pyodide_entrypoint_helper", {
    cloudflareWorkersModule: cloudflareWorkers,
    doAnImport: (name) => import(name),
    patchWaitUntil(ctx) {
      const waitUntil = ctx.waitUntil.bind(ctx);
      ctx.waitUntil = (awaitable) => waitUntil(settled(awaitable));
    },
  });
  pyodide.registerJsModule("_cloudflare_compat_flags", {
    python_request_headers_preserve_commas: true,
    python_workflows_implicit_dependencies: true,
  });
}

async function boot(env) {
  const started = Date.now();
  const { name, memoryLimit } = env.RUNTIME;
  prepareGlobals({ name, memoryLimit, files: env.RUNTIME_FILES, unsafeEval: env.UNSAFE_EVAL });
  const { loadPyodide } = await import("./pyodide.mjs");
  await import("./pyodide.asm.mjs");
  const pyodide = await loadPyodide({
    indexURL: PYODIDE_ORIGIN,
    lockFileContents: manifest.lock,
    stdout: (line) => console.log(line),
    stderr: (line) => console.error(line),
    env: { HOME: "/session" },
    _loadSnapshot: (await fetch(`${PYODIDE_ORIGIN}snapshot.bin`)).arrayBuffer(),
  });
  unpack(pyodide.FS);
  registerHelpers(pyodide);
  await loadLibraries(pyodide);
  pyodide.FS.writeFile("/session/boot.py", bootPython);
  const handlers = pyodide.runPython(`
    import sys
    sys.path[:0] = ["${MODULE_ROOT}", "${MODULE_ROOT}/python_modules", "/session"]
    import boot
    boot.load("${manifest.main}")`);
  python = { fetch: handlers.get(0), scheduled: handlers.get(1) };
  return Date.now() - started;
}

/** Requests of the runtime itself; it alone knows the token. */
async function control(request, env) {
  if (request.method === "PUT") setFaults(await request.json());
  booting ??= boot(env);
  return Response.json({ bootMs: await booting, heapBytes: heapBytes() });
}

/** The error's Python traceback goes to the log; the client gets workerd's own 500. */
async function logged(handler) {
  try {
    return await handler();
  } catch (error) {
    console.error(error.name === "PythonError" ? error.message : error);
    throw error;
  }
}

export default {
  async fetch(request, env, ctx) {
    if (request.headers.get("x-runtime-token") === env.RUNTIME.token) return control(request, env);
    if (!python) return new Response("The Worker is still starting.", { status: 503 });
    const handle = (healthy) => python.fetch(ctx, faultyEnv(env), healthy);
    return logged(() => renderWithFaults(request, handle));
  },

  async scheduled(controller, env, ctx) {
    await logged(() => python.scheduled(ctx, faultyEnv(env), controller));
  },
};
