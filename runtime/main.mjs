// The door of the local runtime: turns away a Node that is too old and a set-up that is not whole, then runs the command.
//
// What is imported here at once must load in any Node that knows modules; the rest is imported after the check.

import { existsSync } from "node:fs";
import module from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fail, Problem, sentence } from "./problem.mjs";

const MINIMUM_NODE = [22, 12];
const ROOT = fileURLToPath(new URL("..", import.meta.url));

function checkIngredients() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1])) {
    throw new Problem(`Node ${MINIMUM_NODE.join(".")} or newer is needed, this is ${process.versions.node}`);
  }
  for (const name of ["wrangler", "miniflare", "pyodide"]) {
    if (!existsSync(join(ROOT, "node_modules", name))) throw new Problem(`${name} is not installed; run \`make setup\``);
  }
}

try {
  checkIngredients();
  module.enableCompileCache(join(ROOT, ".cache/node"));
  const { run } = await import("./commands.mjs");
  await run(process.argv.slice(2));
} catch (error) {
  fail(String(error.code).startsWith("ERR_PARSE_ARGS") ? new Problem(sentence(error.message)) : error);
}
