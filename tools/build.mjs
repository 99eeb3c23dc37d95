// What Wrangler runs before it bundles a Worker (`[build]` in each wrangler.toml), from the root of the checkout:
// `node tools/build.mjs gateway`. Ends with a sentence where something is missing that the Worker would need; for the
// gateway it also builds the page, whose Content-Security-Policy names the hosts in its configuration.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const ANCESTORS = 6; // this process, a shell, Wrangler, its launcher, and room for npx
const PAGE_SOURCES = ["web/src", "web/static", "web/build.mjs", "web/headers.mjs", "package-lock.json"];

class Missing extends Error {}

/** `[pid of the parent, command line]` of a process: from Linux's /proc, elsewhere from `ps`. */
function describe(pid) {
  if (existsSync("/proc/self/stat")) {
    const parent = readFileSync(`/proc/${pid}/stat`, "utf8").match(/^\d+ \(.*\) \S (\d+)/s)[1];
    return [Number(parent), readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
  }
  const line = execFileSync("ps", ["-ww", "-o", "ppid=,args=", "-p", String(pid)], { encoding: "utf8" });
  const [, parent, words] = line.match(/^\s*(\d+)\s+(.*)$/m);
  return [Number(parent), words];
}

/** Command lines of the processes that led to this one, as far as they can be read. */
function ancestors() {
  const found = [];
  try {
    for (let pid = process.ppid; pid > 1 && found.length < ANCESTORS; ) {
      const [parent, words] = describe(pid);
      found.push(words);
      pid = parent;
    }
  } catch {
    // What was read until here.
  }
  return found;
}

function checkPackages(folder) {
  if (!existsSync(join(root, "node_modules/wrangler")) || !existsSync(join(folder, "python_modules/workers"))) {
    throw new Missing("The packages of this Worker are not installed: run `make setup` first.");
  }
}

/** Secrets for `wrangler dev` stand in files beside wrangler.toml. */
function checkLocalSecrets(folder) {
  const files = [".dev.vars", `.dev.vars.${process.env.CLOUDFLARE_ENV}`, ".env", ".env.local"].map((name) => join(folder, name)).filter(existsSync);
  if (!files.some((path) => /^WORKER_AUTH_TOKEN="?[^"\s]/m.test(readFileSync(path, "utf8")))) {
    throw new Missing(
      "The secrets for local development are missing: `make wrangler-dev` writes them, prepares a database and " +
        "starts all four Workers.",
    );
  }
}

/** A gateway that is deployed alone would lose the addresses that `make deploy` sets. */
function checkAddresses(variables) {
  if (!variables.R2_S3_ENDPOINT.includes("ACCOUNT_ID")) return;
  if (ancestors().some((words) => words.includes("--dry-run"))) return;
  throw new Missing(
    "R2_S3_ENDPOINT in wrangler.toml names no account: `make deploy` fills it in, deploys the renderers before the " +
      "gateway and sets their secrets; docs/deploy.md has the same by hand.",
  );
}

/** The time of the newest file in a file or folder, in milliseconds. */
function newest(path) {
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Build the page unless it is newer than its sources and was built for the same hosts. */
async function buildPage(variables, config) {
  const dist = join(root, "web/dist");
  const index = join(dist, "index.html");
  const headers = join(dist, "_headers");
  const { headersFile } = await import(pathToFileURL(join(root, "web/headers.mjs")).href);
  const built = existsSync(index) && existsSync(headers) ? readFileSync(headers, "utf8") : null;
  const sources = PAGE_SOURCES.map((path) => join(root, path)).filter(existsSync);
  if (built === headersFile(variables) && Math.max(...sources.map(newest)) <= statSync(index).mtimeMs) return;
  const made = join(root, `.cache/page.${process.pid}`);
  const build = spawnSync(process.execPath, [join(root, "web/build.mjs"), made], {
    cwd: root,
    env: { ...process.env, GALLERY_CONFIG: config },
    encoding: "utf8",
  });
  if (build.status !== 0) {
    const lines = build.stderr.split("\n").filter((line) => line.includes("rror"));
    throw new Missing(`The page cannot be built: ${(lines[0] ?? build.stderr).trim()}`);
  }
  // At once, for another command may be reading the page.
  rmSync(dist, { recursive: true, force: true });
  renameSync(made, dist);
}

async function prepare(project) {
  const folder = project === "gateway" ? root : join(root, "variants", project);
  checkPackages(folder);
  if (process.env.WRANGLER_COMMAND === "dev") checkLocalSecrets(folder);
  if (project !== "gateway") return;
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const config = resolve(root, process.env.GALLERY_CONFIG ?? "wrangler.toml");
  const { vars } = readConfig({ config, env: process.env.CLOUDFLARE_ENV }, { hideWarnings: true });
  if (process.env.WRANGLER_COMMAND === "deploy") checkAddresses(vars);
  // A copy that has the built page without its sources keeps the page.
  if (existsSync(join(root, "web/build.mjs"))) await buildPage(vars, config);
  if (process.env.WRANGLER_COMMAND === "dev" && !process.env.GALLERY_WRANGLER_DEV) {
    console.log("The gateway needs the three renderers beside it: `make wrangler-dev` starts all four Workers.");
  }
}

try {
  await prepare(process.argv[2]);
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
