// Stands in for Cloudflare's Python runtime: keeps a Python interpreter in an ordinary workerd isolate and hands requests
// and cron events to the Python Worker's `Default` entrypoint. An interpreter that died is replaced by a new one.

import { breakInterpreter, faultyEnv, renderWithFaults, setFaults } from "./faults.mjs";
import { prepareGlobals } from "./globals.mjs";
import { Died, Interpreter } from "./interpreter.mjs";
import { heapBytes } from "./memory.mjs";
import { unavailable } from "./unavailable.mjs";

const LOOK_MS = 20;
// Far more than a boot takes: whoever began one may have been cancelled.
const BOOT_MS = 20_000;

/** @type {Interpreter | null} */
let python = null;
/** @type {{began: number} | null} */
let booting = null;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const isAlive = () => python !== null && python.death === null;

async function boot(env) {
  const began = Date.now();
  const attempt = { began };
  booting = attempt;
  prepareGlobals({ ...env.RUNTIME, files: env.RUNTIME_FILES, unsafeEval: env.UNSAFE_EVAL });
  try {
    const booted = await Interpreter.boot();
    if (booting === attempt) python = booted;
  } finally {
    if (booting === attempt) booting = null;
  }
  return Date.now() - began;
}

/** Boots a new interpreter in place of one that died; says so in the log. */
async function replace(env) {
  const died = python;
  python = null;
  console.error(JSON.stringify({ event: "interpreter_died", reason: died?.death }));
  const ms = await boot(env);
  console.log(JSON.stringify({ event: "interpreter_started", ms }));
}

/** Begins what is needed to have a living interpreter, unless that is under way. */
function revive(env, ctx) {
  if (isAlive() || (booting && Date.now() - booting.began < BOOT_MS)) return;
  ctx.waitUntil((python ? replace(env) : boot(env)).catch((error) => console.error(error)));
}

/** The interpreter, which a request may have to wait for; null when it does not come. */
async function living(env, ctx) {
  // One request must not await what another began: each looks for itself.
  for (const began = Date.now(); !isAlive(); await sleep(LOOK_MS)) {
    if (Date.now() - began > BOOT_MS) return null;
    revive(env, ctx);
  }
  return python;
}

/** Requests of the runtime itself; it alone knows the token. */
async function control(request, env, ctx) {
  if (request.method === "PUT") setFaults(await request.json());
  let bootMs;
  if (python === null && booting === null) bootMs = await boot(env);
  else await living(env, ctx);
  try {
    await python?.ping();
  } catch (error) {
    if (!(error instanceof Died)) throw error;
    revive(env, ctx);
    await living(env, ctx);
  }
  return Response.json({ bootMs, heapBytes: heapBytes() });
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

async function answer(request, env, ctx) {
  const running = await living(env, ctx);
  if (!running) return unavailable(request, env);
  try {
    return await renderWithFaults(request, (healthy) => {
      const response = running.fetch(ctx, faultyEnv(env), healthy);
      breakInterpreter(running);
      return response;
    });
  } catch (error) {
    if (!(error instanceof Died)) throw error;
    revive(env, ctx);
    return unavailable(request, env);
  }
}

export default {
  async fetch(request, env, ctx) {
    if (request.headers.get("x-runtime-token") === env.RUNTIME.token) return control(request, env, ctx);
    return logged(() => answer(request, env, ctx));
  },

  async scheduled(controller, env, ctx) {
    await logged(async () => {
      const running = await living(env, ctx);
      if (!running) throw new Error("the interpreter does not start");
      await running.scheduled(ctx, faultyEnv(env), controller);
    });
  },
};
