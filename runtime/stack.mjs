// The four Workers in one workerd, with Miniflare's D1, R2, KV, rate limits, assets and service bindings.

import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";
import { Cron } from "croner";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "./bundle.mjs";
import { readConfigs, shortName, workerOptions } from "./config.mjs";
import { serveControl } from "./control.mjs";
import { applySchema, query } from "./database.mjs";
import { Problem } from "./problem.mjs";
import { inPyodide, sslFiles } from "./pyodide.mjs";
import { announce, readSecrets, runningStack, withdraw } from "./state.mjs";

const HOST = "127.0.0.1";
// A 128 MB isolate, less what JavaScript holds.
export const MEMORY_LIMIT_BYTES = 88 * 2 ** 20;
const FOLDERS = { thumbnail: "thumbnails", icon: "icons", watermark: "display" };
const SIBLING_SECRETS = ["WORKER_AUTH_TOKEN"];

process.env.MINIFLARE_WORKERD_PATH ??= join(import.meta.dirname, "workerd.sh");

/** Resolves to a port that is free now; `port` 0 asks for any. */
function freePort(port) {
  return new Promise((done, refuse) => {
    const probe = createServer();
    probe.once("error", () => refuse(new Problem(`port ${port} is in use; choose another with PORT=`)));
    probe.listen(port, HOST, () => {
      const chosen = probe.address().port;
      probe.close(() => done(chosen));
    });
  });
}

function secretsFor(name, secrets) {
  if (name === "gateway") return secrets;
  return Object.fromEntries(SIBLING_SECRETS.map((each) => [each, secrets[each]]));
}

async function pythonWorker(config, { url, secrets, token, variables, memoryLimit, overlays }) {
  const name = shortName(config);
  const s3Credentials = { accessKeyId: secrets.R2_ACCESS_KEY_ID, secretAccessKey: secrets.R2_SECRET_ACCESS_KEY };
  const local = name === "gateway" ? { R2_S3_ENDPOINT: `${url}/cdn-cgi/local/r2/s3` } : {};
  const options = workerOptions(config, {
    s3Credentials,
    variables: { ...local, ...secretsFor(name, secrets), ...variables, RUNTIME: { name, token, memoryLimit } },
  });
  const { files = [], main } = overlays[name] ?? {};
  const packed = await bundle(config, [...(name === "gateway" ? sslFiles() : []), ...files]);
  return inPyodide(options, { ...packed, main: main ?? packed.main });
}

const isolateOf = async (miniflare, config, token) => {
  const worker = await miniflare.getWorker(config.name);
  return async (init = {}) => {
    const answer = await worker.fetch("http://isolate/", { ...init, headers: { "x-runtime-token": token } });
    if (!answer.ok) throw new Error(`the ${shortName(config)} Worker does not start: ${await answer.text()}`);
    return answer.json();
  };
};

async function objectKeys(bucket) {
  const keys = [];
  let page;
  do {
    page = await bucket.list({ cursor: page?.cursor });
    keys.push(...page.objects.map((object) => object.key));
  } while (page.truncated);
  return keys;
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
 * `{url, boots: {name: {bootMs, heapBytes}}, stop()}`.
 *
 * `variables` override the `[vars]` and secrets of every Worker; a null removes one. `overlays` add files (with
 * absolute paths) to the bundles of some and name another main module: `{gateway: {files: [{path, bytes}], main}}`.
 */
export async function startStack(options) {
  const { state, port, variables = {}, faults = {}, overlays = {}, memoryLimit = MEMORY_LIMIT_BYTES, verbose } = options;
  const running = runningStack(state);
  if (running) throw new Problem(`a stack already runs on ${state} (${running.url}, process ${running.pid})`);
  const [gateway, ...siblings] = readConfigs();
  const configs = [gateway, ...siblings];
  const chosenPort = await freePort(port);
  const url = `http://${HOST}:${chosenPort}`;
  const token = randomBytes(16).toString("hex");
  const secrets = readSecrets(state);
  const workers = await Promise.all(
    configs.map((config) => pythonWorker(config, { url, secrets, token, variables, memoryLimit, overlays })),
  );
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: HOST,
      port: chosenPort,
      cf: false,
      log: new Log(verbose ? LogLevel.INFO : LogLevel.WARN, { prefix: "runtime" }),
      logRequests: Boolean(verbose),
      resourcePersistencePath: state,
      telemetry: { enabled: false },
      workers,
    }),
  );
  try {
    await miniflare.ready;
    const isolates = {};
    for (const config of configs) isolates[shortName(config)] = await isolateOf(miniflare, config, token);
    const status = async () =>
      Object.fromEntries(
        await Promise.all(Object.entries(isolates).map(async ([name, isolate]) => [name, await isolate()])),
      );
    const setFaults = ({ worker, ...fault }) => isolates[worker]({ method: "PUT", body: JSON.stringify(fault) });
    const database = await miniflare.getD1Database(gateway.d1_databases[0].binding, gateway.name);
    const bucket = await miniflare.getR2Bucket(gateway.r2_buckets[0].binding, gateway.name);
    const [boots] = await Promise.all([status(), applySchema(database)]);
    for (const [worker, fault] of Object.entries(faults)) await setFaults({ worker, ...fault });

    const gatewayWorker = await miniflare.getWorker(gateway.name);
    const crons = schedule(gateway, gatewayWorker);
    const control = await serveControl(token, {
      status,
      faults: setFaults,
      objects: async () => ({ keys: await objectKeys(bucket) }),
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
    return { url, boots, stop };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}
