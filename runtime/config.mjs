// Reads the wrangler.toml files that deploy the Workers and turns them into Miniflare's worker options.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { remembered } from "./cache.mjs";
import { checkConfigs } from "./needs.mjs";
import { Problem, sentence } from "./problem.mjs";

export const ROOT = resolve(import.meta.dirname, "..");
export const GATEWAY = join(ROOT, "wrangler.toml");
export const VARIANTS = ["thumbnail", "icon", "watermark"];
const SIBLINGS = VARIANTS.map((variant) => join(ROOT, "variants", variant, "wrangler.toml"));

const packages = readFileSync(join(ROOT, "package-lock.json"));

/** Wrangler takes most of a second to load, so it is asked only about what it has not answered before. */
export function askWrangler(name, inputs, question) {
  return remembered(name, [packages, ...inputs], () => question(createRequire(import.meta.url)("wrangler")));
}

function readConfig(path) {
  if (!existsSync(path)) throw new Problem(`${path} is missing`);
  try {
    const read = (wrangler) => wrangler.unstable_readConfig({ config: path }, { hideWarnings: true });
    return askWrangler("config", [path, readFileSync(path)], read);
  } catch (error) {
    const reason = sentence(error.message ?? error).replace(/^Processing \S+ configuration: - /, "");
    throw new Problem(`${path} does not parse: ${reason}`);
  }
}

/** The four parsed wrangler.toml files, the gateway first; raises Problem for one that the stack cannot run. */
export function readConfigs() {
  const configs = [GATEWAY, ...SIBLINGS].map(readConfig);
  checkConfigs(configs);
  return configs;
}

/** `vfa-gallery-thumbnail` → `thumbnail`; the gateway's is `gateway`. */
export function shortName(config) {
  return config.configPath === GATEWAY ? "gateway" : dirname(config.configPath).split("/").at(-1);
}

const byBinding = (entries, value) => Object.fromEntries(entries.map((entry) => [entry.binding, value(entry)]));

/** Miniflare options of one Worker but for its modules: every binding that its wrangler.toml declares. */
export function workerOptions(config, { variables, s3Credentials }) {
  return {
    name: config.name,
    compatibilityDate: config.compatibility_date,
    bindings: { ...config.vars, ...variables },
    // Local data is filed by binding: a deployment writes other ids into wrangler.toml.
    d1Databases: byBinding(config.d1_databases, (entry) => ({ id: entry.binding })),
    r2Buckets: byBinding(config.r2_buckets, (entry) => ({ id: entry.bucket_name, s3Credentials })),
    kvNamespaces: byBinding(config.kv_namespaces, (entry) => ({ id: entry.binding })),
    serviceBindings: byBinding(config.services, (entry) => entry.service),
    ratelimits: Object.fromEntries(
      config.ratelimits.map(({ name, namespace_id, simple }) => [name, { namespace_id, simple }]),
    ),
    ...(config.assets && {
      assets: {
        directory: resolve(dirname(config.configPath), config.assets.directory),
        binding: config.assets.binding,
        run_worker_first: config.assets.run_worker_first,
        routerConfig: { has_user_worker: true },
        assetConfig: { html_handling: config.assets.html_handling, not_found_handling: config.assets.not_found_handling },
      },
    }),
  };
}
