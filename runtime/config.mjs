// Reads and checks the wrangler.toml files that deploy the Workers, and turns them into Miniflare's worker options.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { Cron } from "croner";
import { cached } from "./cache.mjs";
import { Problem, sentence } from "./problem.mjs";

export const ROOT = resolve(import.meta.dirname, "..");
const GATEWAY = join(ROOT, "wrangler.toml");
const PROJECTS = join(ROOT, "variants");

/** The renderers, by the folders that have a wrangler.toml. */
export const VARIANTS = readdirSync(PROJECTS)
  .filter((name) => existsSync(join(PROJECTS, name, "wrangler.toml")))
  .sort();
export const WORKERS = ["gateway", ...VARIANTS];

/** What each version of Python needs; tools/vendor.py reads the same table. */
export const PYTHONS = JSON.parse(readFileSync(join(import.meta.dirname, "pythons.json"), "utf8"));

// Bindings without which the gateway, and any renderer, cannot work.
const GATEWAY_TABLES = ["d1_databases", "r2_buckets", "kv_namespaces", "services", "ratelimits"];
const RENDERER_TABLES = ["r2_buckets"];

const packages = readFileSync(join(ROOT, "package-lock.json"));

/** The result of `question` about `inputs`, cached because Wrangler takes most of a second to load. */
export function askWrangler(name, inputs, question) {
  return cached(name, [packages, ...inputs], () => question(createRequire(import.meta.url)("wrangler")));
}

function readConfig(path) {
  try {
    const read = (wrangler) => wrangler.unstable_readConfig({ config: path }, { hideWarnings: true });
    return askWrangler("config", [path, readFileSync(path)], read);
  } catch (error) {
    if (error.code === "ENOENT") throw new Problem(`${path} is missing`);
    const reason = sentence(error.message ?? error).replace(/^Processing \S+ configuration: - /, "");
    throw new Problem(`${path} does not parse: ${reason}`);
  }
}

/** The parsed wrangler.toml files, the gateway's first. Raises Problem for one that the stack cannot run. */
export function readConfigs() {
  const configs = [GATEWAY, ...VARIANTS.map((variant) => join(PROJECTS, variant, "wrangler.toml"))].map(readConfig);
  const names = configs.map((config) => config.name);
  for (const config of configs) {
    const [fault] = faultsOf(config, names);
    if (fault) throw new Problem(`${config.configPath} ${fault}`);
    pythonVersion(config);
  }
  return configs;
}

function* faultsOf(config, names) {
  for (const field of ["name", "main", "compatibility_date"]) if (!config[field]) yield `has no \`${field}\``;
  const tables = config.configPath === GATEWAY ? GATEWAY_TABLES : RENDERER_TABLES;
  for (const table of tables) if (!config[table].length) yield `has no [[${table}]]`;
  // Wrangler has made the path absolute.
  if (config.main && !isFile(config.main)) yield `names ${config.main} as \`main\`, which is no file`;
  for (const { binding, service } of config.services) {
    if (!names.includes(service)) yield `binds ${binding} to ${service}, which none of the Workers is called`;
  }
  for (const cron of config.triggers.crons ?? []) if (!isCron(cron)) yield `has a cron that cannot be read: ${cron}`;
}

const isFile = (path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function isCron(text) {
  try {
    return Boolean(new Cron(text, { paused: true }));
  } catch {
    return false;
  }
}

/** `vfa-gallery-thumbnail` → `thumbnail`; the gateway's is `gateway`. */
export function shortName(config) {
  return config.configPath === GATEWAY ? "gateway" : basename(dirname(config.configPath));
}

/** `"3.13"` or `"3.14"` for a parsed wrangler.toml. Raises Problem when it asks for an older one or none. */
export function pythonVersion({ configPath, compatibility_date: date, compatibility_flags: flags = [] }) {
  const override = process.env.PYTHON_WORKERS;
  const newestFirst = Object.keys(PYTHONS).toReversed();
  if (override) {
    if (newestFirst.includes(override)) return override;
    throw new Problem(`PYTHON_WORKERS is ${override}; it may be ${newestFirst.toReversed().join(" or ")}`);
  }
  if (!flags.includes("python_workers")) throw new Problem(`${configPath} lacks the compatibility flag python_workers`);
  const chosen =
    newestFirst.find((version) => PYTHONS[version].flags.some((flag) => flags.includes(flag))) ??
    newestFirst.find((version) => date >= PYTHONS[version].since);
  if (!chosen)
    throw new Problem(`${configPath} asks for a Python older than ${newestFirst.at(-1)} by its compatibility_date`);
  return chosen;
}

const byBinding = (entries, value) => Object.fromEntries(entries.map((entry) => [entry.binding, value(entry)]));

/**
 * Miniflare options of one Worker except its modules: every binding that its wrangler.toml declares.
 * @param {any} config as Wrangler parses it
 * @param {{variables?: Record<string, unknown>, s3Credentials?: {accessKeyId: string, secretAccessKey: string}}} overrides
 */
export function workerOptions(config, { variables, s3Credentials }) {
  return {
    name: config.name,
    compatibilityDate: config.compatibility_date,
    bindings: { ...config.vars, ...variables },
    // Local data is stored by binding, because a deployment writes other ids into wrangler.toml.
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
        assetConfig: {
          html_handling: config.assets.html_handling,
          not_found_handling: config.assets.not_found_handling,
        },
      },
    }),
  };
}
