// Runs the port contract (contract.py) in a Python Worker with the gateway's bindings, empty and kept in memory, and
// prints the outcomes as one line of JSON: {check: null or its traceback}.
//
//   node tests/support/gallery/contract_worker.mjs <how often the rate limit allows a key>

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "../../../runtime/bundle.mjs";
import { readConfigs, workerOptions } from "../../../runtime/config.mjs";
import { MODULE_ROOT, sslFiles, withPyodide } from "../../../runtime/pyodide.mjs";
import { MEMORY_LIMIT_BYTES } from "../../../runtime/stack.mjs";

process.env.MINIFLARE_WORKERD_PATH ??= join(import.meta.dirname, "../../../runtime/workerd.sh");

// Under the name that the tests import it by.
const FOLDER = "tests/support/gallery";
const file = (name) => ({
  path: `${MODULE_ROOT}/${FOLDER}/${name}`,
  bytes: readFileSync(join(import.meta.dirname, name)),
});

const LIMIT = Number(process.argv[2]);
const [gateway] = readConfigs();
const RUNTIME = { name: "contract", token: "unused", memoryLimit: MEMORY_LIMIT_BYTES };
const { serviceBindings: _, assets: __, ...options } = workerOptions(gateway, { variables: { RUNTIME } });
options.ratelimits.CREATE_LIMIT.simple = { limit: LIMIT, period: 60 };
const names = ["adapters", "contract", "contract_database", "contract_stores", "contract_worker"];
const files = names.map((name) => file(`${name}.py`));
const packed = await bundle(gateway, [...sslFiles(gateway), ...files]);
const worker = await withPyodide(options, { ...packed, main: `${FOLDER}/contract_worker`.replaceAll("/", ".") });
const log = new Log(LogLevel.NONE);
const miniflare = new Miniflare(convertV4MiniflareOptions({ host: "127.0.0.1", log, workers: [worker] }));
try {
  const response = await (await miniflare.getWorker(gateway.name)).fetch("http://contract/");
  console.log(await response.text());
} finally {
  await miniflare.dispose();
}
