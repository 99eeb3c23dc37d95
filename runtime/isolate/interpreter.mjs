// One Python interpreter in an isolate: how it boots, what shows that it has died, and how tests kill it.

import * as cloudflareWorkers from "cloudflare:workers";
import bootPython from "./boot.py";
import bundle from "./bundle.bin";
import { PYODIDE_ORIGIN } from "./globals.mjs";
import manifest from "./manifest.mjs";
import { dropHeaps } from "./memory.mjs";

// Where production puts the uploaded files.
const MODULE_ROOT = "/session/metadata";
const LOOK_MS = 100;
const PING_LOOKS = 30;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

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

/** Raised for whoever waits for an interpreter that has died meanwhile. */
export class Died extends Error {}

/** Whether the error is the interpreter's own end, and not one that the Worker raised or passed on. */
function isFatal(error) {
  return (
    Boolean(error?.pyodide_fatal_error) || error instanceof WebAssembly.RuntimeError || error?.name === "NoGilError"
  );
}

export class Interpreter {
  #pyodide;
  #handlers;
  /**
   * Why it died; null while it is alive.
   * @type {string | null}
   */
  death = null;

  constructor(pyodide) {
    this.#pyodide = pyodide;
    const [fetch, scheduled, ping] = pyodide.runPython(`
      import sys
      sys.path[:0] = ["${MODULE_ROOT}", "${MODULE_ROOT}/python_modules", "/session"]
      import boot
      boot.load("${manifest.main}")`);
    this.#handlers = { fetch, scheduled, ping };
    pyodide._api.on_fatal = (error) => this.end(String(error));
  }

  /** A new interpreter with the Worker's main module imported. */
  static async boot() {
    dropHeaps();
    const { loadPyodide } = await import("./pyodide.mjs");
    const { default: createPyodideModule } = await import("./pyodide.asm.mjs");
    const pyodide = await loadPyodide({
      // Pyodide 0.28 has no default export here; it leaves the function in a global.
      ...(createPyodideModule && { createPyodideModule }),
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
    return new Interpreter(pyodide);
  }

  /** The Worker's response. Raises Died when the interpreter dies first, and what the Worker raises. */
  async fetch(ctx, env, request) {
    const response = await this.#outliving(() => this.#handlers.fetch(ctx, env, request));
    if (!(response instanceof Response)) {
      this.end("it answered with something that is no Response");
      throw new Died(String(this.death));
    }
    return response;
  }

  /** Runs the Worker's cron event. Raises as `fetch` does. */
  async scheduled(ctx, env, controller) {
    await this.#outliving(() => this.#handlers.scheduled(ctx, env, controller));
  }

  /** Finds out whether its event loop still turns. Raises Died when it does not. */
  async ping() {
    const answered = this.#outliving(() => this.#handlers.ping()).then(() => true);
    for (let look = 0; look < PING_LOOKS; look += 1) {
      // Time alone proves nothing: while Python computes, no timer runs either.
      if (await Promise.race([answered, sleep(LOOK_MS)])) return;
    }
    answered.catch(() => {});
    this.end("it no longer answers");
    throw new Died(String(this.death));
  }

  /** Marks it dead. Whatever still waits in it must not run on: its memory may be anything. */
  end(reason) {
    if (this.death !== null) return;
    this.death = reason;
    for (const name of ["callPyObject", "callPyObjectKwargs", "callPyObjectMaybePromising"]) {
      this.#pyodide._module[name] = () => {
        throw new Died(reason);
      };
    }
  }

  /** For tests: ends it as a trap in its WebAssembly does. */
  crash() {
    try {
      this.#pyodide.runPython("from _pyodide_core import trigger_fatal_error; trigger_fatal_error()");
    } catch (error) {
      if (!isFatal(error)) throw error;
    }
  }

  /** For tests: overwrites its memory, which nothing may notice for a while. */
  corrupt() {
    this.#pyodide._module.HEAPU8.fill(0xff);
  }

  /** For tests: lets no task go on that waits for anything. */
  freeze() {
    this.#pyodide.runPython("import boot; boot.freeze()");
  }

  /** For tests: computes for ever. */
  spin() {
    this.#pyodide.runPython("while True: pass");
  }

  /** The value of a call of an async Python function. One request cannot be woken by another, so each looks for itself. */
  async #outliving(call) {
    let timer;
    const death = new Promise((_, refuse) => {
      timer = setInterval(() => this.death !== null && refuse(new Died(this.death)), LOOK_MS);
    });
    try {
      return await Promise.race([call(), death]);
    } catch (error) {
      if (isFatal(error)) this.end(String(error));
      throw this.death === null ? error : new Died(this.death);
    } finally {
      clearInterval(timer);
    }
  }
}
