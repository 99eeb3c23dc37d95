// The gateway and the renderers in one workerd, with Miniflare's D1, R2, KV, rate limits, assets and service bindings.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Cron } from "croner";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "./bundle.mjs";
import { ROOT, readConfigs, shortName, workerOptions } from "./config.mjs";
import { allKeys, javascriptBytes, serveControl } from "./control.mjs";
import { applySchema, migrationsTable, query } from "./database.mjs";
import { checkFaults } from "./faults.mjs";
import { freePort, frontBinding } from "./front.mjs";
import { fail, Problem } from "./problem.mjs";
import { sslFiles, withPyodide } from "./pyodide.mjs";
import { announce, HELLO, readSecrets, runningStack, withdraw } from "./state.mjs";
import { issueToken, listUsers } from "./users.mjs";
import { watch } from "./watch.mjs";

const HOST = "127.0.0.1";
const FONTS = join(ROOT, "variants/src/imaging/fonts/pack.json");
/** WebAssembly memory of an isolate: 128 MB less what JavaScript holds. */
export const MEMORY_LIMIT_BYTES = 96 * 2 ** 20;
// Longer than `limits.cpu_ms` lets any request compute on Cloudflare.
const HANG_MS = 60_000;
const RENDERER_SECRETS = ["WORKER_AUTH_TOKEN"];

process.env.MINIFLARE_WORKERD_PATH ??= join(import.meta.dirname, "workerd.sh");

function secretsFor(name, secrets) {
  if (name === "gateway") return secrets;
  return Object.fromEntries(RENDERER_SECRETS.map((key) => [key, secrets[key]]));
}

async function pythonWorker(config, { url, secrets, token, variables, memoryLimit, overlays }) {
  const name = shortName(config);
  const s3Credentials = { accessKeyId: secrets.R2_ACCESS_KEY_ID, secretAccessKey: secrets.R2_SECRET_ACCESS_KEY };
  // `make deploy` writes the addresses of the deployed gallery into wrangler.toml.
  const local = name === "gateway" ? { R2_S3_ENDPOINT: `${url}/cdn-cgi/local/r2/s3`, PUBLIC_URL: "" } : {};
  const options = workerOptions(config, {
    s3Credentials,
    variables: {
      ...local,
      ...secretsFor(name, secrets),
      ...variables[""],
      ...variables[name],
      RUNTIME: { name, token, memoryLimit },
    },
  });
  const { files = [], main } = overlays[name] ?? {};
  const packed = await bundle(config, [...(name === "gateway" ? sslFiles(config) : []), ...files]);
  return withPyodide(options, { ...packed, main: main ?? packed.main });
}

/** Sends a request to the isolate of a Worker, not to its Python code, and boots it if it is not running. */
async function askIsolate(miniflare, config, token, init = {}) {
  // Looked up each time, because a handle ends with the workerd that it came from.
  const worker = await miniflare.getWorker(config.name);
  const answer = await worker.fetch("http://isolate/", { ...init, headers: { "x-runtime-token": token } });
  if (!answer.ok) throw new Problem(`the ${shortName(config)} Worker does not start: ${await answer.text()}`);
  return answer.json();
}

/**
 * The result of an action, tried up to three times. workerd closes a connection on which it has read no request for 5 s,
 * and where other processes use the machine, the start of an isolate can take so long.
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
async function repeatedWhenClosed(action) {
  for (let left = 2; ; left--) {
    try {
      return await action();
    } catch (error) {
      if (left === 0 || error.cause?.code !== "UND_ERR_SOCKET") throw error;
    }
  }
}

/** Puts the watermark's font pack into the bucket, as `make deploy` does. */
async function putFonts(bucket) {
  if (!existsSync(FONTS)) return;
  const { key } = JSON.parse(readFileSync(FONTS, "utf8"));
  if (!(await bucket.head(key))) await bucket.put(key, readFileSync(join(ROOT, "assets", key)));
}

/** One renderer's response, `{status, body}`, to a file that no user uploaded: `{variant, file: base64, outputKey}`. */
async function renderOnce(renderer, bucket, token, { variant, file, outputKey }) {
  const sourceKey = "originals/runtime/once.bin";
  await bucket.put(sourceKey, Buffer.from(file, "base64"));
  const parameters = { username: "once", width: 300, height: 300, size: 128, timestamp: Date.now() };
  const response = await renderer.fetch(`http://renderer/process-${variant}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ sourceKey, outputKey, ...parameters }),
  });
  const body = await response.json();
  await bucket.delete([sourceKey, outputKey]);
  return { status: response.status, body };
}

function schedule(config, run) {
  return (config.triggers.crons ?? []).map((cron) => new Cron(cron, { timezone: "UTC", unref: true }, () => run(cron)));
}

/** The gateway's stores, `{database(), bucket(), flags()}`, looked up for each use as isolates are. */
const storesOf = (miniflare, gateway) => ({
  database: () => miniflare.getD1Database(gateway.d1_databases[0].binding, gateway.name),
  bucket: () => miniflare.getR2Bucket(gateway.r2_buckets[0].binding, gateway.name),
  flags: () => miniflare.getKVNamespace(gateway.kv_namespaces[0].binding, gateway.name),
});

/** The actions of the control port, by name: async functions of the JSON body. */
function controlActions({ miniflare, configs, stores, ask, inspector, secrets }) {
  const { database, bucket, flags } = stores;
  const [gateway] = configs;
  const configOf = (name) => configs.find((config) => shortName(config) === name);
  const statusOf = async (config) => [
    shortName(config),
    {
      ...(await ask(config)),
      ...(inspector && { javascriptBytes: await javascriptBytes(inspector, config.name) }),
    },
  ];
  return {
    [HELLO]: async () => ({ pid: process.pid }),
    status: async () => Object.fromEntries(await Promise.all(configs.map(statusOf))),
    faults: ({ worker, ...fault }) => {
      checkFaults(worker, fault);
      return ask(configOf(worker), { method: "PUT", body: JSON.stringify(fault) });
    },
    objects: async () => {
      const keys = await allKeys(await bucket(), "objects", "key");
      return { keys: keys.filter((key) => !key.startsWith("fonts/")) };
    },
    flags: async () => ({ keys: await allKeys(await flags(), "keys", "name") }),
    render: async (request) => {
      const renderer = await miniflare.getWorker(configOf(request.variant).name);
      return renderOnce(renderer, await bucket(), secrets.WORKER_AUTH_TOKEN, request);
    },
    sql: async (statement) => ({ rows: await query(await database(), statement) }),
    cron: async ({ cron = gateway.triggers.crons[0] }) => ({
      outcome: await (await miniflare.getWorker(gateway.name)).scheduled({ cron }),
    }),
    users: async () => listUsers(await database()),
    token: async (request) => issueToken(await database(), secrets.AUTH_JWT_SECRET, request),
  };
}

/**
 * Starts the stack and resolves once all isolates are warm:
 * `{url, boots: {name: {bootMs, heapBytes}}, inspector, stop()}`. A workerd that ends is started again with the state as
 * it was; one that keeps ending ends the process with one sentence.
 *
 * `variables` override `[vars]` and secrets: those under "" in every Worker, those under a Worker's name in that one;
 * null removes a variable. `overlays` add files (with absolute paths) to the bundles of some Workers and may replace the
 * main module: `{gateway: {files: [{path, bytes}], main}}`. `inspect` opens V8's inspector at `inspector`.
 */
export async function startStack(options) {
  const { state, port, variables = {}, faults = {}, overlays = {}, memoryLimit = MEMORY_LIMIT_BYTES } = options;
  const { hangMs = HANG_MS, inspect, verbose } = options;
  const running = await runningStack(state);
  if (running) throw new Problem(`a stack already runs on ${state} (${running.url}, process ${running.pid})`);
  const configs = readConfigs();
  const [gateway] = configs;
  const address = `${HOST}:${await freePort(port, HOST)}`;
  const url = `http://${address}`;
  const token = randomBytes(16).toString("hex");
  const secrets = readSecrets(state);
  const workers = await Promise.all(
    configs.map((config) => pythonWorker(config, { url, secrets, token, variables, memoryLimit, overlays })),
  );
  const control = await serveControl(token);
  const watching = new AbortController();
  const closing = [() => watching.abort(), () => control.close()];
  const stop = async () => {
    for (const close of closing) await close();
  };
  workers[0].unsafeBindings = [frontBinding({ address, control: new URL(control.url).host, token })];
  const settings = convertV4MiniflareOptions({
    host: HOST,
    port: 0,
    cf: false,
    ...(inspect && { inspectorPort: 0 }),
    log: new Log(verbose ? LogLevel.INFO : LogLevel.WARN, { prefix: "runtime" }),
    logRequests: Boolean(verbose),
    resourcePersistencePath: state,
    telemetry: { enabled: false },
    unsafeHandleRuntimeRestart: () => restarted(),
    workers,
  });
  let restarted = () => {};
  try {
    const miniflare = new Miniflare(settings);
    closing.push(() => miniflare.dispose());
    await miniflare.ready;
    const inspector = inspect && (await miniflare.getInspectorURL());
    const ask = (config, init) => askIsolate(miniflare, config, token, init);
    const stores = storesOf(miniflare, gateway);
    const actions = controlActions({ miniflare, configs, stores, ask, inspector, secrets });
    const ready = async () => applySchema(await stores.database(), migrationsTable(gateway));
    const fonts = async () => putFonts(await stores.bucket());
    const [boots] = await Promise.all([actions.status, ready, fonts].map(repeatedWhenClosed));
    for (const [worker, fault] of Object.entries(faults)) await actions.faults({ worker, ...fault });
    Object.assign(control.actions, actions);
    const crons = schedule(gateway, (cron) => actions.cron({ cron }));
    announce(state, { pid: process.pid, url, control: control.url, token });
    closing.unshift(() => {
      for (const cron of crons) cron.stop();
      withdraw(state);
    });
    restarted = watch({
      ask: () => Promise.all(configs.map((config) => ask(config))),
      restart: async () => {
        await miniflare.setOptions(settings);
        await restarted();
      },
      fail: (problem) => stop().then(() => fail(problem), fail),
      hangMs,
      signal: watching.signal,
    });
    return { url, boots, inspector, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
