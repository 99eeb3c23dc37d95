// Makes the files that `wrangler deploy` would upload, and packs them for an isolate.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { ROOT, shortName } from "./config.mjs";
import { precompiled } from "./precompile.mjs";
import { Problem } from "./problem.mjs";

const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
const BUNDLES = join(ROOT, ".cache/bundles");
// Where production puts the uploaded files.
const MODULE_ROOT = "/session/metadata";
const IGNORED = new Set(["__pycache__", "node_modules", ".venv"]);

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !IGNORED.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

/** Changes whenever wrangler's answer could: our files by content, vendored ones by size and time. */
function fingerprint(config) {
  const folder = dirname(config.configPath);
  const hash = createHash("sha256");
  hash.update(readFileSync(config.configPath)).update(readFileSync(join(ROOT, "package-lock.json")));
  for (const path of filesBelow(dirname(resolve(folder, config.main)))) hash.update(path).update(readFileSync(path));
  for (const path of filesBelow(join(folder, "python_modules"))) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}`);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The folder of the Worker's uploadable files, made by wrangler unless nothing changed. */
async function dryRun(config) {
  const name = shortName(config);
  if (!existsSync(join(dirname(config.configPath), "python_modules"))) {
    throw new Problem(`the ${name} Worker has no python_modules; run \`make setup\``);
  }
  const print = fingerprint(config);
  const folder = join(BUNDLES, `${name}-${print}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  const command = [WRANGLER, "deploy", "--dry-run", "--outdir", unfinished, "-c", config.configPath];
  const environment = { ...process.env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" };
  try {
    await promisify(execFile)(process.execPath, command, { cwd: dirname(config.configPath), env: environment });
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new Problem(`wrangler cannot bundle the ${name} Worker: ${(error.stderr || error.message).trim()}`);
  }
  for (const stale of readdirSync(BUNDLES).filter((each) => each.startsWith(`${name}-`) && !each.includes(print))) {
    rmSync(join(BUNDLES, stale), { recursive: true, force: true });
  }
  if (!existsSync(folder)) renameSync(unfinished, folder);
  return folder;
}

/** Files laid end to end with an index: `{files: [{path, offset, length}], bytes}`. */
function pack(entries) {
  let offset = 0;
  const files = entries.map(({ path, bytes }) => {
    const file = { path, offset, length: bytes.length };
    offset += bytes.length;
    return file;
  });
  return { files, bytes: Buffer.concat(entries.map((entry) => entry.bytes)) };
}

/** The Worker's uploadable files after `systemFiles` (absolute paths), packed together with their bytecode. */
export async function bundle(config, systemFiles) {
  const folder = await dryRun(config);
  const uploaded = filesBelow(folder)
    .map((path) => ({ path: relative(folder, path), bytes: readFileSync(path) }))
    .filter(({ path }) => path !== "README.md");
  const main = relative(dirname(resolve(dirname(config.configPath), config.main)), resolve(dirname(config.configPath), config.main));
  const bytecode = await precompiled(uploaded, MODULE_ROOT);
  return { ...pack([...systemFiles, ...uploaded, ...bytecode]), main: main.replace(/\.py$/, "") };
}
