// The siblings alone, inside workerd with memory capped and a bucket of their own: what is measured and tested
// without the gateway.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "../../../runtime/bundle.mjs";
import { readConfigs, shortName, workerOptions } from "../../../runtime/config.mjs";
import { withPyodide } from "../../../runtime/pyodide.mjs";
import { MEMORY_LIMIT_BYTES } from "../../../runtime/stack.mjs";

process.env.MINIFLARE_WORKERD_PATH ??= join(import.meta.dirname, "../../../runtime/workerd.sh");

/**
 * Resolves to `{bucket, token, siblings: [{variant, fetch(path, init), heapMiB()}], stop()}`, booted.
 *
 * `variables` override those of the wrangler.toml files; `memoryLimit` is in bytes.
 */
export async function startSiblings(variants, variables = {}, memoryLimit = MEMORY_LIMIT_BYTES) {
  const token = randomBytes(16).toString("hex");
  const configs = readConfigs().filter((config) => variants.includes(shortName(config)));
  const workers = await Promise.all(
    configs.map(async (config) => {
      const runtime = { name: shortName(config), token, memoryLimit };
      const bindings = { WORKER_AUTH_TOKEN: token, RUNTIME: runtime, ...variables };
      return withPyodide(workerOptions(config, { variables: bindings }), await bundle(config, []));
    }),
  );
  const log = new Log(LogLevel.NONE);
  const miniflare = new Miniflare(convertV4MiniflareOptions({ host: "127.0.0.1", log, workers }));
  await miniflare.ready;
  const sibling = async (config) => {
    const worker = await miniflare.getWorker(config.name);
    const heapMiB = async () => {
      const answer = await worker.fetch("http://isolate/", { headers: { "x-runtime-token": token } });
      const { heapBytes } = /** @type {any} */ (await answer.json());
      return heapBytes / 2 ** 20;
    };
    await heapMiB(); // boots it
    return { variant: shortName(config), heapMiB, fetch: (path, init) => worker.fetch(`http://sibling${path}`, init) };
  };
  return {
    token,
    bucket: await miniflare.getR2Bucket("BUCKET", configs[0].name),
    siblings: await Promise.all(configs.map(sibling)),
    stop: () => miniflare.dispose(),
  };
}
