// Makes the files that `wrangler deploy` would upload, and packs them for an isolate.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { finished } from "./children.mjs";
import { ROOT, shortName } from "./config.mjs";
import { precompiled } from "./precompile.mjs";
import { Problem, sentence } from "./problem.mjs";
import { firstChanged } from "./records.mjs";

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

/** Wrangler's errors without its colours, warnings and advice. */
function reason(output) {
  const plain = stripVTControlCharacters(output);
  const errors = [...plain.matchAll(/\[ERROR\] (.*)/g)].map(([, error]) => error);
  return sentence(errors.length ? errors.join("\n") : plain);
}

/** Raises Problem unless set-up has made what is bundled beside the sources. */
function checkSetUp(config) {
  for (const made of ["python_modules", config.assets?.directory].filter(Boolean)) {
    if (existsSync(resolve(dirname(config.configPath), made))) continue;
    throw new Problem(`the ${shortName(config)} Worker has no ${made}; run \`make setup\``);
  }
}

/** The folder of the Worker's uploadable files, made by wrangler unless nothing changed. */
async function dryRun(config) {
  checkSetUp(config);
  const name = shortName(config);
  const print = fingerprint(config);
  const folder = join(BUNDLES, `${name}-${print}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  const words = [WRANGLER, "deploy", "--dry-run", "--outdir", unfinished, "-c", config.configPath];
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false" };
  const wrangler = await finished(process.execPath, words, { cwd: dirname(config.configPath), env, made: unfinished });
  if (wrangler.status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new Problem(`wrangler cannot bundle the ${name} Worker: ${reason(wrangler.output)}`);
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
  const made = await dryRun(config);
  const uploaded = filesBelow(made)
    .map((path) => ({ path: relative(made, path), bytes: readFileSync(path) }))
    .filter(({ path }) => path !== "README.md");
  const changed = firstChanged(uploaded);
  if (changed) {
    const folder = dirname(config.configPath);
    const mend = `remove ${join(folder, "python_modules")} and run \`make setup\``;
    throw new Problem(`${join(folder, changed)} is not as its package has it; ${mend}`);
  }
  const bytecode = await precompiled(uploaded, MODULE_ROOT);
  return { ...pack([...systemFiles, ...uploaded, ...bytecode]), main: basename(config.main, ".py") };
}
