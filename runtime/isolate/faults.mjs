// Faults that tests switch on in a running isolate: a sibling that fails in a chosen way, bindings that break.

let rendering = null;
let bindings = [];

/** Replaces all faults of this isolate; `{}` mends it. */
export function setFaults(faults) {
  rendering = faults.rendering ?? null;
  bindings = (faults.bindings ?? []).map((fault) => ({ times: Infinity, ...fault }));
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const HANG_MS = 120_000;

/** How a faulty sibling answers; `render` is the healthy answer. */
const RENDERING_FAULTS = {
  async down() {
    throw new Error("connection refused");
  },
  async error() {
    return Response.json({ success: false, error: "it broke", code: "processing_failed" }, { status: 500 });
  },
  async nonsense() {
    return new Response("<html>not what you asked for</html>", { headers: { "content-type": "text/html" } });
  },
  async hang() {
    await sleep(HANG_MS);
    return new Response(null, { status: 504 });
  },
  async unwritten(request) {
    const { outputKey } = await request.json();
    const digest = "0".repeat(64);
    const claim = { width: 128, height: 128, bytes: 1000, sha256: digest, etag: "0".repeat(32), renderMs: 1 };
    return Response.json({ success: true, key: outputKey, ...claim });
  },
  async dies(request, render) {
    await render(request);
    throw new Error("connection lost");
  },
  async late(request, render) {
    await sleep(rendering.ms);
    return render(request);
  },
};

export async function renderWithFaults(request, render) {
  return rendering ? RENDERING_FAULTS[rendering.kind](request, render) : render(request);
}

/** The first fault that is due for `method` of `binding`, counted down. */
function due(binding, method, text) {
  const fault = bindings.find(
    (each) =>
      each.binding === binding &&
      each.method === method &&
      each.times > 0 &&
      (!each.matching || new RegExp(each.matching).test(text)),
  );
  if (fault) fault.times -= 1;
  return fault;
}

async function call(binding, method, text, healthy) {
  const fault = due(binding, method, text);
  if (!fault) return healthy();
  if (fault.ms) await sleep(fault.ms);
  if (fault.afterwards) await healthy();
  if ("result" in fault) return fault.result;
  if (fault.message) throw new Error(fault.message);
  return healthy();
}

// The SDK tells bindings apart by the name of their constructor, so that one stays as it is.
const boundTo = (target, property) => {
  const value = Reflect.get(target, property, target);
  return typeof value === "function" && property !== "constructor" ? value.bind(target) : value;
};

function faultyStore(name, store, methods) {
  return new Proxy(store, {
    get: (target, property) =>
      methods.includes(property)
        ? (...args) => call(name, property, String(args[0]), () => target[property](...args))
        : boundTo(target, property),
  });
}

const statements = new WeakMap();

function faultyStatement(name, statement, sql) {
  const proxy = new Proxy(statement, {
    get(target, property) {
      if (property === "bind") return (...values) => faultyStatement(name, target.bind(...values), sql);
      if (["first", "run", "all", "raw"].includes(property)) {
        return (...args) => call(name, "statement", sql, () => target[property](...args));
      }
      return boundTo(target, property);
    },
  });
  statements.set(proxy, { statement, sql });
  return proxy;
}

function faultyDatabase(name, database) {
  return new Proxy(database, {
    get(target, property) {
      if (property === "prepare") return (sql) => faultyStatement(name, target.prepare(sql), sql);
      if (property === "batch") {
        return (batch) => {
          const originals = batch.map((each) => statements.get(each));
          const text = originals.map((each) => each.sql).join(";\n");
          return call(name, "batch", text, () => target.batch(originals.map((each) => each.statement)));
        };
      }
      return boundTo(target, property);
    },
  });
}

/** `env` as it is, or with the faulty bindings in place of the healthy ones. */
export function faultyEnv(env) {
  const names = new Set(bindings.map((fault) => fault.binding));
  if (names.size === 0) return env;
  const replaced = Object.create(env);
  for (const name of names) {
    const binding = env[name];
    const value =
      binding.constructor.name === "D1Database"
        ? faultyDatabase(name, binding)
        : faultyStore(name, binding, ["get", "head", "put", "delete", "list"]);
    Object.defineProperty(replaced, name, { value });
  }
  return replaced;
}
