// One workerd with the engines that run in one, behind one port, until standard input ends.
//
//   node benchmarks/peers/workerd.mjs [--engines ours,photon,photon-once,jsquash,images,staged,empty] [--memory-mib 88]
//
// Prints one line of JSON once all isolates are warm: {url, bootMs: {worker: ms}, pid of this process}.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "../../runtime/bundle.mjs";
import { readConfigs, shortName, workerOptions } from "../../runtime/config.mjs";
import { sslFiles, withPyodide } from "../../runtime/pyodide.mjs";
import { MEMORY_LIMIT_BYTES } from "../../runtime/stack.mjs";

const HERE = import.meta.dirname;
const VARIANTS = ["thumbnail", "icon", "watermark"];
const R2 = { r2Buckets: { BUCKET: "benchmarks" } };
const TOKEN = randomBytes(16).toString("hex");
const [GATEWAY, ...SIBLINGS] = readConfigs();

const { values } = parseArgs({
  options: {
    engines: { type: "string", default: "ours,photon,jsquash,images" },
    "memory-mib": { type: "string", default: String(MEMORY_LIMIT_BYTES / 2 ** 20) },
  },
});
const engines = values.engines.split(",");
const memoryLimit = Number(values["memory-mib"]) * 2 ** 20;

/** A JavaScript Worker from workers/<name>.mjs, its libraries bundled and its WebAssembly as modules. */
async function scripted(name, options = {}) {
  const { outputFiles } = await build({
    entryPoints: [join(HERE, "workers", `${name}.mjs`)],
    bundle: true,
    write: false,
    outdir: "/",
    format: "esm",
    target: "es2022",
    conditions: ["workerd"],
    loader: { ".wasm": "copy" },
    external: ["node:*"],
    entryNames: "[name]",
    assetNames: "[name]-[hash]",
    outExtension: { ".js": ".mjs" },
    logLevel: "error",
  });
  const type = (path) => (path.endsWith(".wasm") ? "CompiledWasm" : "ESModule");
  const modules = outputFiles
    .map(({ path, contents }) => ({ type: type(path), path: `/${basename(path)}`, contents: Buffer.from(contents) }))
    .sort((one, other) => one.type.localeCompare(other.type) * -1);
  return { name, compatibilityDate: GATEWAY.compatibility_date, modules, modulesRoot: "/", ...R2, ...options };
}

const inBundle = (name) => ({
  path: `/session/metadata/${name}`,
  bytes: readFileSync(join(HERE, "workers", name)),
});

/**
 * A Python Worker with a renderer's or the gateway's own files and some of the suite's.
 * @param {any} config
 * @param {string} name
 * @param {{path: string, bytes: Buffer}[]} extra
 * @param {string} [main] name of the first module
 */
async function pythonWorker(config, name, extra = [], main) {
  const variables = { WORKER_AUTH_TOKEN: TOKEN, RUNTIME: { name, token: TOKEN, memoryLimit } };
  const packed = await bundle(config, extra);
  const options = { ...workerOptions({ ...config, name }, { variables }), ...R2 };
  return withPyodide(options, { ...packed, main: main ?? packed.main });
}

/** A sibling whose answer carries the time of each stage of its render. */
function staged(config) {
  const variant = shortName(config);
  const main = {
    path: "/session/metadata/staged.py",
    bytes: Buffer.from(`import staging\n\nDefault = staging.sibling("${variant}")\n`),
  };
  return pythonWorker(config, `staged-${variant}`, [inBundle("staging.py"), inBundle("clock.py"), main], "staged");
}

const trio = (prefix) => Object.fromEntries(VARIANTS.map((variant) => [variant.toUpperCase(), `${prefix}-${variant}`]));
const trioOptions = (prefix) => ({
  bindings: { WORKER_AUTH_TOKEN: TOKEN, RUNTIME_TOKEN: TOKEN },
  serviceBindings: trio(prefix),
});

/** The Workers of each engine; the first one is the engine's door. */
const ENGINES = {
  ours: async () => [
    await scripted("ours", trioOptions("ours")),
    ...(await Promise.all(SIBLINGS.map((config) => pythonWorker(config, `ours-${shortName(config)}`)))),
  ],
  staged: async () => [
    { ...(await scripted("ours", trioOptions("staged"))), name: "staged" },
    ...(await Promise.all(SIBLINGS.map(staged))),
  ],
  photon: async () => [await scripted("photon")],
  "photon-once": async () => [
    { ...(await scripted("photon", { bindings: { DECODE_ONCE: true } })), name: "photon-once" },
  ],
  jsquash: async () => [await scripted("jsquash")],
  images: async () => [await scripted("images", { images: { binding: "IMAGES" } })],
  // Its bindings lead nowhere: it is started, and asked nothing.
  gateway: async () => [
    await pythonWorker({ ...GATEWAY, services: [], assets: undefined }, "gateway", sslFiles(GATEWAY)),
  ],
  empty: async () => [await pythonWorker(SIBLINGS[0], "empty", [inBundle("empty.py")], "empty")],
};

const workers = await Promise.all(engines.map((engine) => ENGINES[engine]()));
const doors = Object.fromEntries(
  engines.map((engine, index) => [engine.toUpperCase().replaceAll("-", "_"), workers[index][0].name]),
);
process.env.MINIFLARE_WORKERD_PATH ??= join(HERE, "../../runtime/workerd.sh");
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    log: new Log(LogLevel.WARN),
    telemetry: { enabled: false },
    handleRuntimeStdio: (out, err) => [out.resume(), err.pipe(process.stderr)],
    workers: [await scripted("router", { serviceBindings: doors }), ...workers.flat()],
  }),
);
const url = await miniflare.ready;

async function bootMs(name) {
  const worker = await miniflare.getWorker(name);
  const answer = await worker.fetch("http://isolate/", { headers: { "x-runtime-token": TOKEN } });
  if (!answer.ok) throw new Error(`${name} does not start: ${await answer.text()}`);
  const { bootMs } = /** @type {any} */ (await answer.json());
  return bootMs;
}

const boots = {};
// One after the other, so that each has the thread to itself.
for (const { name, bindings } of workers.flat()) if (bindings?.RUNTIME) boots[name] = await bootMs(name);
console.log(JSON.stringify({ url: String(url), bootMs: boots, pid: process.pid }));

process.stdin.resume();
process.stdin.on("end", async () => {
  await miniflare.dispose();
  process.exit(0);
});
