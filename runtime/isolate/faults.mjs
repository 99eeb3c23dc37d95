// Faults that tests switch on in a running isolate: a sibling that breaks in a chosen way, bindings that do.
//
// `{rendering: {kind, ms}}` replaces what the Worker answers, in one of the ways below. `{interpreter: {kind}}` ends its
// interpreter while it answers its next request; the one that follows is healthy. `{bindings: [...]}` breaks calls:
// `{binding, method}` name one (of D1 `batch` and `statement`; else `get`, `put`, ...), `matching` narrows it to texts
// that a pattern finds (SQL, or the key), and `times` counts how often. Such a call waits `ms`, is done if `afterwards`
// is set, and then gives `result` or throws `message`.

/** @type {{kind: string, ms?: number} | null} */
let rendering = null;
/** @type {{kind: string} | null} */
let interpreter = null;
let bindings = [];

/** Replaces all faults of this isolate; `{}` mends it. */
export function setFaults(faults) {
  rendering = faults.rendering ?? null;
  interpreter = faults.interpreter ?? null;
  bindings = (faults.bindings ?? []).map((fault) => ({ times: Infinity, ...fault }));
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const HANG_MS = 120_000;

const hex = (length) =>
  Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** All that a sibling says of a rendition it wrote, to an order of which it did nothing. */
function claim({ outputKey, width = 2048, height = 1536, size }) {
  const now = Date.now();
  return {
    success: true,
    key: outputKey,
    width: size ?? width,
    height: size ?? height,
    bytes: 23_456,
    sourceWidth: 4000,
    sourceHeight: 3000,
    sha256: hex(32),
    etag: hex(16),
    startedAt: now - 60,
    finishedAt: now,
    renderMs: 60,
  };
}

/** How a faulty sibling answers; `render` is the healthy answer. A timed one is told how many milliseconds. */
export const RENDERING_FAULTS = {
  down: {
    means: "refuses the connection",
    async answer() {
      throw new Error("connection refused");
    },
  },
  error: {
    means: "answers 500",
    async answer() {
      return Response.json({ success: false, error: "it broke", code: "processing_failed" }, { status: 500 });
    },
  },
  nonsense: {
    means: "answers 200 and a page of HTML",
    async answer() {
      return new Response("<html>not what you asked for</html>", { headers: { "content-type": "text/html" } });
    },
  },
  hang: {
    means: "answers nothing for two minutes",
    async answer() {
      await sleep(HANG_MS);
      return new Response(null, { status: 504 });
    },
  },
  unwritten: {
    means: "says success, and has written nothing",
    async answer(request) {
      return Response.json(claim(await request.json()));
    },
  },
  dies: {
    means: "writes, and breaks the connection before it answers",
    async answer(request, render) {
      await render(request);
      throw new Error("connection lost");
    },
  },
  late: {
    means: "begins only after so many milliseconds",
    timed: true,
    async answer(request, render) {
      await sleep(rendering?.ms);
      return render(request);
    },
  },
};

/** How an interpreter can end, in any of the Workers. */
export const INTERPRETER_FAULTS = {
  crash: { means: "ends with a fatal error at its next request" },
  corrupt: { means: "finds its memory overwritten at its next request" },
  freeze: { means: "goes on with nothing from its next request on" },
  spin: { means: "computes for ever from its next request on" },
};

/** Ends the interpreter, if that is due. */
export function breakInterpreter(python) {
  const fault = interpreter;
  interpreter = null;
  if (fault) python[fault.kind]();
}

export async function renderWithFaults(request, render) {
  return rendering ? RENDERING_FAULTS[rendering.kind].answer(request, render) : render(request);
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
      if (["first", "run", "all", "raw"].includes(String(property))) {
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
