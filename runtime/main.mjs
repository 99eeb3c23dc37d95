// The commands of the local runtime: `dev` keeps the four Workers running, `sql` reaches their database either way.

import { existsSync } from "node:fs";
import module from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fail, Problem } from "./problem.mjs";

const MINIMUM_NODE = [22, 12];
const ROOT = join(import.meta.dirname, "..");

// An older Node has no such cache, and is about to be told that it is too old.
module.enableCompileCache?.(join(ROOT, ".cache/node"));

function checkIngredients() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1])) {
    throw new Problem(`Node ${MINIMUM_NODE.join(".")} or newer is needed, this is ${process.versions.node}`);
  }
  for (const name of ["wrangler", "miniflare", "pyodide"]) {
    if (!existsSync(join(ROOT, "node_modules", name))) throw new Problem(`${name} is not installed; run \`make setup\``);
  }
}

/** `["A=1", "B"]` → `{A: "1", B: null}`; null removes a variable. */
function parseVariables(pairs) {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name, ...value] = pair.split("=");
      return [name, pair.includes("=") ? value.join("=") : null];
    }),
  );
}

/** `["icon=hang", "thumbnail=late:3000"]` → `{icon: {rendering: {kind: "hang"}}, …}`. */
function parseFaults(pairs) {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [worker, fault = ""] = pair.split("=");
      const [kind, ms] = fault.split(":");
      return [worker, { rendering: { kind, ms: Number(ms ?? 0) } }];
    }),
  );
}

function parsePort(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Problem(`not a port: ${text}`);
  return port;
}

async function dev(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: "string", default: "8787" },
      state: { type: "string", default: join(ROOT, ".state") },
      var: { type: "string", multiple: true, default: [] },
      fault: { type: "string", multiple: true, default: [] },
      "memory-mib": { type: "string" },
      verbose: { type: "boolean", default: false },
    },
  });
  const { startStack } = await import("./stack.mjs");
  const { openState } = await import("./state.mjs");
  const started = Date.now();
  const stack = await startStack({
    state: openState(values.state),
    port: parsePort(values.port),
    variables: parseVariables(values.var),
    faults: parseFaults(values.fault),
    memoryLimit: values["memory-mib"] && Number(values["memory-mib"]) * 2 ** 20,
    verbose: values.verbose,
  });
  let stopping;
  const stop = () => (stopping ??= stack.stop().then(() => process.exit(0), fail));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    // Miniflare's own listeners would end the process before the stack has stopped.
    process.removeAllListeners(signal);
    process.on(signal, stop);
  }
  console.log(`ready on ${stack.url} after ${((Date.now() - started) / 1000).toFixed(1)} s (state in ${values.state})`);
}

async function readStdin() {
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  return text;
}

/** One SQL statement from standard input (`{sql, params}`), its rows and the secrets to standard output. */
async function sql(argv) {
  const { values } = parseArgs({ args: argv, options: { state: { type: "string", default: join(ROOT, ".state") } } });
  const { openState, readSecrets, runningStack } = await import("./state.mjs");
  const state = openState(values.state);
  const statement = JSON.parse(await readStdin());
  const running = runningStack(state);
  if (running) {
    const answer = await fetch(`${running.control}/sql`, {
      method: "POST",
      headers: { authorization: `Bearer ${running.token}` },
      body: JSON.stringify(statement),
    });
    const body = await answer.json();
    if (!answer.ok) throw new Problem(body.error);
    console.log(JSON.stringify({ rows: body.rows, url: running.url, secrets: readSecrets(state) }));
    return;
  }
  const { withDatabase } = await import("./offline.mjs");
  const rows = await withDatabase(state, statement);
  console.log(JSON.stringify({ rows, url: null, secrets: readSecrets(state) }));
}

const COMMANDS = { dev, sql };

try {
  checkIngredients();
  const [name, ...argv] = process.argv.slice(2);
  if (!COMMANDS[name]) throw new Problem(`no command ${name}; there are ${Object.keys(COMMANDS).join(", ")}`);
  await COMMANDS[name](argv);
} catch (error) {
  fail(error.code?.startsWith?.("ERR_PARSE_ARGS") ? new Problem(error.message) : error);
}
