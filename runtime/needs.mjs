// What the stack needs of the four wrangler.toml files beyond what Wrangler itself asks of them.

import { statSync } from "node:fs";
import { Cron } from "croner";
import { Problem } from "./problem.mjs";

// The first is the gateway's, the other that of each sibling.
const TABLES = [["d1_databases", "r2_buckets", "kv_namespaces", "services", "ratelimits"], ["r2_buckets"]];

function isCron(text) {
  try {
    return Boolean(new Cron(text, { paused: true }));
  } catch {
    return false;
  }
}

function* faultsOf(config, tables, names) {
  for (const field of ["name", "main", "compatibility_date"]) if (!config[field]) yield `has no \`${field}\``;
  for (const table of tables) if (!config[table].length) yield `has no [[${table}]]`;
  // Wrangler has made it absolute.
  if (config.main && !isFile(config.main)) yield `names ${config.main} as \`main\`, which is no file`;
  for (const { binding, service } of config.services) {
    if (!names.includes(service)) yield `binds ${binding} to ${service}, which none of the Workers is called`;
  }
  for (const cron of config.triggers.crons ?? []) if (!isCron(cron)) yield `has a cron that cannot be read: ${cron}`;
}

const isFile = (path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** Raises Problem that names the first file at fault and what is wrong with it. */
export function checkConfigs([gateway, ...siblings]) {
  const names = [gateway, ...siblings].map((config) => config.name);
  for (const config of [gateway, ...siblings]) {
    const [fault] = faultsOf(config, TABLES[config === gateway ? 0 : 1], names);
    if (fault) throw new Problem(`${config.configPath} ${fault}`);
  }
}
