// The four Workers in one workerd, with Miniflare's D1, R2, KV, rate limits, assets and service bindings.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Cron } from "croner";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "./bundle.mjs";
import { ROOT, readConfigs, shortName, workerOptions } from "./config.mjs";
import { serveControl } from "./control.mjs";
import { applySchema, ledgerOf, query } from "./database.mjs";
import { checkRendering } from "./faults.mjs";
import { javascriptBytes } from "./inspector.mjs";
import { freePort } from "./ports.mjs";
import { Problem } from "./problem.mjs";
import { inPyodide, sslFiles } from "./pyodide.mjs";
import { refuseUnsignedHeaders } from "./s3.mjs";
import { announce, HELLO, readSecrets, runningStack, withdraw } from "./state.mjs";

const HOST = "127.0.0.1";
// A 128 MB isolate, less what JavaScript holds.
export const MEMORY_LIMIT_BYTES = 96 * 2 ** 20;
const FOLDERS = { thumbnail: "thumbnails", icon: "icons", watermark: "display" };
const SIBLING_SECRETS = ["WORKER_AUTH_TOKEN"];

refuseUnsignedHeaders();

process.env.MINIFLARE_WORKERD_PATH ??= join(import.meta.dirname, "workerd.sh");

function secretsFor(name, secrets) {
  if (name === "gateway") return secrets;
  return Object.fromEntries(SIBLING_SECRETS.map((each) => [each, secrets[each]]));
}

async function pythonWorker(config, { url, secrets, token, variables, memoryLimit, overlays, libraries }) {
  const name = shortName(config);
  const s3Credentials = { accessKeyId: secrets.R2_ACCESS_KEY_ID, secretAccessKey: secrets.R2_SECRET_ACCESS_KEY };
  // What `make deploy` wrote of the deployed gallery is not true of this one.
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
  const packed = await bundle(config, [...(name === "gateway" ? libraries : []), ...files]);
  return inPyodide(options, { ...packed, main: main ?? packed.main });
}

const isolateOf = async (miniflare, config, token) => {
  const worker = await miniflare.getWorker(config.name);
  return async (init = {}) => {
    const answer = await worker.fetch("http://isolate/", { ...init, headers: { "x-runtime-token": token } });
    if (!answer.ok) throw new Problem(`the ${shortName(config)} Worker does not start: ${await answer.text()}`);
    return answer.json();
  };
};

/** Every key of a bucket or a KV namespace; pages list them as `entries`, each with its key as `name`. */
async function allKeys(store, entries, name) {
  const keys = [];
  let page;
  do {
    page = await store.list({ cursor: page?.cursor });
    keys.push(...page[entries].map((entry) => entry[name]));
  } while (page.cursor);
  return keys;
}

/** The watermark's font pack, in the bucket as `make deploy` puts it there. */
async function putFonts(bucket) {
  const { key } = JSON.parse(readFileSync(join(ROOT, "variants/src/imaging/fonts/pack.json"), "utf8"));
  if (!(await bucket.head(key))) await bucket.put(key, readFileSync(join(ROOT, "assets", key)));
}

/** What one sibling answers for a file, `{variant, file: base64}`, that was never uploaded by anybody. */
async function renderOnce(miniflare, configs, bucket, secrets, { variant, file }) {
  const sibling = await miniflare.getWorker(configs.find((config) => shortName(config) === variant).name);
  const keys = { sourceKey: "originals/runtime/once.bin", outputKey: `${FOLDERS[variant]}/runtime/once.jpg` };
  await bucket.put(keys.sourceKey, Buffer.from(file, "base64"));
  const answer = await sibling.fetch(`http://sibling/process-${variant}`, {
    method: "POST",
    headers: { authorization: `Bearer ${secrets.WORKER_AUTH_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ ...keys, username: "once", width: 300, height: 300, size: 128, timestamp: Date.now() }),
  });
  const body = await answer.json();
  await bucket.delete(Object.values(keys));
  return { status: answer.status, body };
}

function schedule(config, worker) {
  return (config.triggers.crons ?? []).map(
    (cron) => new Cron(cron, { timezone: "UTC", unref: true }, () => worker.scheduled({ cron })),
  );
}

/**
 * Starts the stack and resolves once all four isolates are warm:
 * `{url, boots: {name: {bootMs, heapBytes}}, inspector, stop()}`.
 *
 * `variables` override `[vars]` and secrets, under a Worker's name its own and under "" everybody's; a null removes one.
 * `overlays` add files (with absolute paths) to the bundles of some and name another main module:
 * `{gateway: {files: [{path, bytes}], main}}`. With `inspect` V8's inspector can be reached at `inspector`.
 */
export async function startStack(options) {
  const { state, port, variables = {}, faults = {}, overlays = {}, memoryLimit = MEMORY_LIMIT_BYTES } = options;
  const { inspect, verbose } = options;
  const running = await runningStack(state);
  if (running) throw new Problem(`a stack already runs on ${state} (${running.url}, process ${running.pid})`);
  const configs = readConfigs();
  const [gateway] = configs;
  const libraries = sslFiles();
  const chosenPort = await freePort(port, HOST);
  const url = `http://${HOST}:${chosenPort}`;
  const token = randomBytes(16).toString("hex");
  const secrets = readSecrets(state);
  const workers = await Promise.all(
    configs.map((config) => pythonWorker(config, { url, secrets, token, variables, memoryLimit, overlays, libraries })),
  );
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: HOST,
      port: chosenPort,
      cf: false,
      ...(inspect && { inspectorPort: 0 }),
      log: new Log(verbose ? LogLevel.INFO : LogLevel.WARN, { prefix: "runtime" }),
      logRequests: Boolean(verbose),
      resourcePersistencePath: state,
      telemetry: { enabled: false },
      workers,
    }),
  );
  try {
    await miniflare.ready;
    const inspector = inspect && (await miniflare.getInspectorURL());
    const isolates = {};
    for (const config of configs) isolates[shortName(config)] = await isolateOf(miniflare, config, token);
    const statusOf = async (config) => ({
      ...(await isolates[shortName(config)]()),
      ...(inspector && { javascriptBytes: await javascriptBytes(inspector, config.name) }),
    });
    const status = async () =>
      Object.fromEntries(await Promise.all(configs.map(async (config) => [shortName(config), await statusOf(config)])));
    const setFaults = ({ worker, ...fault }) => {
      if (fault.rendering) checkRendering(worker, fault.rendering);
      return isolates[worker]({ method: "PUT", body: JSON.stringify(fault) });
    };
    const database = await miniflare.getD1Database(gateway.d1_databases[0].binding, gateway.name);
    const bucket = await miniflare.getR2Bucket(gateway.r2_buckets[0].binding, gateway.name);
    const flags = await miniflare.getKVNamespace(gateway.kv_namespaces[0].binding, gateway.name);
    const [boots] = await Promise.all([status(), applySchema(database, ledgerOf(gateway)), putFonts(bucket)]);
    for (const [worker, fault] of Object.entries(faults)) await setFaults({ worker, ...fault });

    const gatewayWorker = await miniflare.getWorker(gateway.name);
    const crons = schedule(gateway, gatewayWorker);
    const control = await serveControl(token, {
      [HELLO]: async () => ({ pid: process.pid }),
      status,
      faults: setFaults,
      objects: async () => ({ keys: (await allKeys(bucket, "objects", "key")).filter((key) => !key.startsWith("fonts/")) }),
      flags: async () => ({ keys: await allKeys(flags, "keys", "name") }),
      render: (order) => renderOnce(miniflare, configs, bucket, secrets, order),
      sql: async (statement) => ({ rows: await query(database, statement) }),
      cron: async ({ cron = gateway.triggers.crons[0] }) => ({ outcome: await gatewayWorker.scheduled({ cron }) }),
    });
    announce(state, { pid: process.pid, url, control: control.url, token });
    const stop = async () => {
      for (const cron of crons) cron.stop();
      control.close();
      withdraw(state);
      await miniflare.dispose();
    };
    return { url, boots, inspector, stop };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}
