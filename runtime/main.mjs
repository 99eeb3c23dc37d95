// Entry point of the local runtime: refuses a Node that is too old and an incomplete set-up, then runs the command.
//
// Static imports here must load in every Node that has modules; the rest is imported after the check.

import { existsSync } from "node:fs";
import module from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fail, Problem, sentence } from "./problem.mjs";

const MINIMUM_NODE = [22, 12];
const ROOT = fileURLToPath(new URL("..", import.meta.url));

function checkRequirements() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1])) {
    throw new Problem(`Node ${MINIMUM_NODE.join(".")} or newer is needed, this is ${process.versions.node}`);
  }
  for (const name of ["wrangler", "miniflare", "pyodide"]) {
    if (!existsSync(join(ROOT, "node_modules", name)))
      throw new Problem(`${name} is not installed; run \`make setup\``);
  }
}

try {
  checkRequirements();
  module.enableCompileCache(join(ROOT, ".cache/node"));
  const { run } = await import("./cli.mjs");
  await run(process.argv.slice(2));
} catch (error) {
  fail(String(error.code).startsWith("ERR_PARSE_ARGS") ? new Problem(sentence(error.message)) : error);
}
