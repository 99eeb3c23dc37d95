// Collects the files that `wrangler deploy` would upload, verifies the vendored ones, and packs them for an isolate.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { pythonVersion, ROOT, shortName } from "./config.mjs";
import { Problem, sentence } from "./problem.mjs";
import { compileModules } from "./pyodide.mjs";

const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
const BUNDLES = join(ROOT, ".cache/bundles");
const IGNORED = new Set(["__pycache__", "node_modules", ".venv"]);
const RECORD_LINE = /^(.*),sha256=([^,]+),\d+$/gm;

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

/** A digest of all that a bundle depends on: our files by content, vendored ones by size and time. */
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
function errorsIn(output) {
  const plain = stripVTControlCharacters(output);
  const errors = [...plain.matchAll(/\[ERROR\] (.*)/g)].map(([, error]) => error);
  return sentence(errors.length ? errors.join("\n") : plain);
}

/** Raises Problem when set-up has not yet written what is bundled beside the sources. */
function checkSetUp(config) {
  for (const folder of ["python_modules", config.assets?.directory].filter(Boolean)) {
    if (existsSync(resolve(dirname(config.configPath), folder))) continue;
    throw new Problem(`the ${shortName(config)} Worker has no ${folder}; run \`make setup\``);
  }
}

/** The folder of the Worker's uploadable files, written by Wrangler unless nothing changed. */
async function dryRun(config) {
  checkSetUp(config);
  const name = shortName(config);
  const version = fingerprint(config);
  const folder = join(BUNDLES, `${name}-${version}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  const args = [WRANGLER, "deploy", "--dry-run", "--outdir", unfinished, "-c", config.configPath];
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false" };
  const wrangler = await run(process.execPath, args, { cwd: dirname(config.configPath), env, output: unfinished });
  if (wrangler.status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new Problem(`wrangler cannot bundle the ${name} Worker: ${errorsIn(wrangler.output)}`);
  }
  for (const stale of readdirSync(BUNDLES).filter((each) => each.startsWith(`${name}-`) && !each.includes(version))) {
    rmSync(join(BUNDLES, stale), { recursive: true, force: true });
  }
  if (!existsSync(folder)) renameSync(unfinished, folder);
  return folder;
}

const running = new Map();

// No program outlives the runtime.
process.on("exit", () => {
  for (const [child, folder] of running) {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has already ended.
    }
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Runs a program, `{status, output}`. The folder that it writes is deleted when the runtime ends first. */
function run(command, args, { output: folder, ...options }) {
  return new Promise((resolve, reject) => {
    // In a process group of its own, so that its own children end with it.
    const child = spawn(command, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const parts = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => parts.push(part));
    child.once("error", reject);
    child.once("close", (status) => {
      running.delete(child);
      resolve({ status, output: Buffer.concat(parts).toString() });
    });
    running.set(child, folder);
  });
}

/** Digest by path of every file that the RECORD of a vendored package lists. */
function recordedDigests(files) {
  const digests = new Map();
  for (const { path, bytes } of files.filter((file) => file.path.endsWith(".dist-info/RECORD"))) {
    const packages = dirname(dirname(path));
    for (const [, name, digest] of bytes.toString().matchAll(RECORD_LINE)) digests.set(join(packages, name), digest);
  }
  return digests;
}

/** The path of the first of `[{path, bytes}]` whose digest is not the one in its package's RECORD. */
function firstChanged(files) {
  const digests = recordedDigests(files);
  const isChanged = ({ path, bytes }) =>
    digests.has(path) && digests.get(path) !== createHash("sha256").update(bytes).digest("base64url");
  return files.find(isChanged)?.path;
}

/** Files concatenated, with an index: `{files: [{path, offset, length}], bytes}`. */
function pack(entries) {
  let offset = 0;
  const files = entries.map(({ path, bytes }) => {
    const file = { path, offset, length: bytes.length };
    offset += bytes.length;
    return file;
  });
  return { files, bytes: Buffer.concat(entries.map((entry) => entry.bytes)) };
}

/**
 * The Worker's uploadable files after `systemFiles` (absolute paths), packed together with their bytecode:
 * `{files, bytes, main, version}`, the last two naming the main module and the version of Python.
 */
export async function bundle(config, systemFiles) {
  const folder = await dryRun(config);
  const uploaded = filesBelow(folder)
    .map((path) => ({ path: relative(folder, path), bytes: readFileSync(path) }))
    .filter(({ path }) => path !== "README.md");
  const changed = firstChanged(uploaded);
  if (changed) {
    const project = dirname(config.configPath);
    const mend = `remove ${join(project, "python_modules")} and run \`make setup\``;
    throw new Problem(`${join(project, changed)} is not as its package has it; ${mend}`);
  }
  const version = pythonVersion(config);
  const bytecode = await compileModules(uploaded, version);
  return { ...pack([...systemFiles, ...uploaded, ...bytecode]), main: basename(config.main, ".py"), version };
}
