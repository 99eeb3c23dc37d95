// The four Workers in one workerd, with Miniflare's D1, R2, KV, rate limits, assets and service bindings.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Cron } from "croner";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "./bundle.mjs";
import { ROOT, readConfigs, shortName, workerOptions } from "./config.mjs";
import { serveControl } from "./control.mjs";
import { applySchema, ledgerOf, query } from "./database.mjs";
import { checkFaults } from "./faults.mjs";
import { frontBinding } from "./front.mjs";
import { javascriptBytes } from "./inspector.mjs";
import { freePort } from "./ports.mjs";
import { fail, Problem } from "./problem.mjs";
import { inPyodide, sslFiles } from "./pyodide.mjs";
import { announce, HELLO, readSecrets, runningStack, withdraw } from "./state.mjs";
import { watch } from "./watch.mjs";

const HOST = "127.0.0.1";
const FONTS = join(ROOT, "variants/src/imaging/fonts/pack.json");
// A 128 MB isolate, less what JavaScript holds.
export const MEMORY_LIMIT_BYTES = 96 * 2 ** 20;
const FOLDERS = { thumbnail: "thumbnails", icon: "icons", watermark: "display" };
// Longer than any request may compute on Cloudflare, where `limits.cpu_ms` ends it.
const HANG_MS = 60_000;
const SIBLING_SECRETS = ["WORKER_AUTH_TOKEN"];

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

/** Asks the isolate of a Worker, which boots it if need be; the Worker itself hears nothing of it. */
async function askIsolate(miniflare, config, token, init = {}) {
  // Looked up each time: what was got from a workerd that has ended is of no use any more.
  const worker = await miniflare.getWorker(config.name);
  const answer = await worker.fetch("http://isolate/", { ...init, headers: { "x-runtime-token": token } });
  if (!answer.ok) throw new Problem(`the ${shortName(config)} Worker does not start: ${await answer.text()}`);
  return answer.json();
}

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
  if (!existsSync(FONTS)) return;
  const { key } = JSON.parse(readFileSync(FONTS, "utf8"));
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

function schedule(config, run) {
  return (config.triggers.crons ?? []).map((cron) => new Cron(cron, { timezone: "UTC", unref: true }, () => run(cron)));
}

/**
 * Starts the stack and resolves once all four isolates are warm:
 * `{url, boots: {name: {bootMs, heapBytes}}, inspector, stop()}`. A workerd that ends is started again, with the state as
 * it was; one that keeps ending ends the process with a sentence.
 *
 * `variables` override `[vars]` and secrets, under a Worker's name its own and under "" everybody's; a null removes one.
 * `overlays` add files (with absolute paths) to the bundles of some and name another main module:
 * `{gateway: {files: [{path, bytes}], main}}`. With `inspect` V8's inspector can be reached at `inspector`.
 */
export async function startStack(options) {
  const { state, port, variables = {}, faults = {}, overlays = {}, memoryLimit = MEMORY_LIMIT_BYTES } = options;
  const { hangMs = HANG_MS, inspect, verbose } = options;
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
  workers[0].unsafeBindings = [frontBinding(`${HOST}:${chosenPort}`)];
  const settings = convertV4MiniflareOptions({
    host: HOST,
    port: 0,
    cf: false,
    ...(inspect && { inspectorPort: 0 }),
    log: new Log(verbose ? LogLevel.INFO : LogLevel.WARN, { prefix: "runtime" }),
    logRequests: Boolean(verbose),
    resourcePersistencePath: state,
    telemetry: { enabled: false },
    unsafeHandleRuntimeRestart: () => revived(),
    workers,
  });
  const watching = new AbortController();
  const closing = [() => watching.abort()];
  const miniflare = new Miniflare(settings);
  closing.push(() => miniflare.dispose());
  const stop = async () => {
    for (const close of closing) await close();
  };
  let revived = () => {};
  try {
    await miniflare.ready;
    const inspector = inspect && (await miniflare.getInspectorURL());
    const named = (name) => configs.find((config) => shortName(config) === name);
    const statusOf = async (config) => ({
      ...(await askIsolate(miniflare, config, token)),
      ...(inspector && { javascriptBytes: await javascriptBytes(inspector, config.name) }),
    });
    const status = async () =>
      Object.fromEntries(await Promise.all(configs.map(async (config) => [shortName(config), await statusOf(config)])));
    const setFaults = ({ worker, ...fault }) => {
      checkFaults(worker, fault);
      return askIsolate(miniflare, named(worker), token, { method: "PUT", body: JSON.stringify(fault) });
    };
    // Asked for at each use, as isolates are.
    const database = () => miniflare.getD1Database(gateway.d1_databases[0].binding, gateway.name);
    const bucket = () => miniflare.getR2Bucket(gateway.r2_buckets[0].binding, gateway.name);
    const flags = () => miniflare.getKVNamespace(gateway.kv_namespaces[0].binding, gateway.name);
    const ready = database().then((opened) => applySchema(opened, ledgerOf(gateway)));
    const [boots] = await Promise.all([status(), ready, bucket().then(putFonts)]);
    for (const [worker, fault] of Object.entries(faults)) await setFaults({ worker, ...fault });

    const runCron = async (cron) => (await miniflare.getWorker(gateway.name)).scheduled({ cron });
    const crons = schedule(gateway, runCron);
    const control = await serveControl(token, {
      [HELLO]: async () => ({ pid: process.pid }),
      status,
      faults: setFaults,
      objects: async () => ({
        keys: (await allKeys(await bucket(), "objects", "key")).filter((key) => !key.startsWith("fonts/")),
      }),
      flags: async () => ({ keys: await allKeys(await flags(), "keys", "name") }),
      render: async (order) => renderOnce(miniflare, configs, await bucket(), secrets, order),
      sql: async (statement) => ({ rows: await query(await database(), statement) }),
      cron: async ({ cron = gateway.triggers.crons[0] }) => ({ outcome: await runCron(cron) }),
    });
    announce(state, { pid: process.pid, url, control: control.url, token });
    closing.unshift(() => {
      for (const cron of crons) cron.stop();
      control.close();
      withdraw(state);
    });
    revived = watch({
      ask: () => Promise.all(configs.map((config) => askIsolate(miniflare, config, token))),
      restart: async () => {
        await miniflare.setOptions(settings);
        await revived();
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
