// The commands of the local runtime: `dev` keeps the Workers running, `sql` queries their database whether they run or not.

import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT, VARIANTS, WORKERS } from "./config.mjs";
import { checkFaults, INTERPRETER_FAULTS, RENDERING_FAULTS } from "./faults.mjs";
import { fail, Problem } from "./problem.mjs";

const DEFAULT_STATE = join(ROOT, ".state");

const linesOf = (faults) =>
  Object.entries(faults)
    .map(([kind, { means, timed }]) => `      ${(timed ? `${kind}:MS` : kind).padEnd(10)} ${means}`)
    .join("\n");

const USAGE = `usage: node runtime/main.mjs dev [options], or make dev ARGS="[options]"

  --port N                where the gallery listens; 0 takes any free port (8787)
  --state DIR             folder of everything that is kept between runs (.state)
  --var NAME[=VALUE]      set a variable or secret in every Worker; without a value, take it away
  --var WORKER:NAME[=VALUE]
                          the same in one of ${WORKERS.join(", ")}
  --memory-mib N          WebAssembly memory of an isolate (96)
  --samples N             fill an empty gallery with N generated pictures by three artists
  --inspect               let debuggers reach the isolates' JavaScript; prints the address
  --verbose               log every request
  --hang-seconds N        restart workerd when it has not answered for so long (60)
  --fault RENDERER=KIND   make a renderer (${VARIANTS.join(", ")}) fail:
${linesOf(RENDERING_FAULTS)}
  --fault WORKER=KIND     make the Python interpreter of any Worker fail, once:
${linesOf(INTERPRETER_FAULTS)}`;

/** @satisfies {import("node:util").ParseArgsOptionsConfig} */
const OPTIONS = {
  port: { type: "string", default: "8787" },
  state: { type: "string", default: DEFAULT_STATE },
  var: { type: "string", multiple: true, default: [] },
  fault: { type: "string", multiple: true, default: [] },
  "memory-mib": { type: "string" },
  "hang-seconds": { type: "string" },
  samples: { type: "string" },
  inspect: { type: "boolean", default: false },
  verbose: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

function parsePort(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Problem(`not a port: ${text}`);
  return port;
}

function parseMemory(text) {
  const mebibytes = Number(text);
  if (!(mebibytes > 0)) throw new Problem(`not an amount of memory: ${text}`);
  return mebibytes * 2 ** 20;
}

function parseSamples(text) {
  const samples = Number(text);
  if (!Number.isInteger(samples) || samples < 1 || samples > 50) throw new Problem(`not 1 to 50 samples: ${text}`);
  return samples;
}

function parseHang(text) {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new Problem(`not a number of seconds: ${text}`);
  return seconds * 1000;
}

/** `["A=1", "icon:B"]` → `{"": {A: "1"}, icon: {B: null}}`: those of every Worker, and of one; null removes a variable. */
function parseVariables(pairs) {
  const variables = {};
  for (const pair of pairs) {
    const [, worker = "", name, value = null] = /^(?:([^=:]*):)?([^=]+)(?:=(.*))?$/s.exec(pair) ?? [];
    if (!name) throw new Problem(`not a variable: ${pair}`);
    if (worker && !WORKERS.includes(worker))
      throw new Problem(`no Worker "${worker}"; there are ${WORKERS.join(", ")}`);
    variables[worker] = { ...variables[worker], [name]: value };
  }
  return variables;
}

/** `["icon=hang", "gateway=crash"]` → `{icon: {rendering: {kind: "hang"}}, gateway: {interpreter: {kind: "crash"}}}`. */
function parseFaults(pairs) {
  const faults = {};
  for (const pair of pairs) {
    const [worker, fault] = pair.split("=");
    const [kind, ms] = (fault ?? "").split(":");
    const about = { kind, ...(ms !== undefined && { ms: ms === "" ? NaN : Number(ms) }) };
    const named = Object.hasOwn(INTERPRETER_FAULTS, kind) ? { interpreter: about } : { rendering: about };
    checkFaults(worker, named);
    faults[worker] = { ...faults[worker], ...named };
  }
  return faults;
}

/** The options of `dev`, as startStack takes them. Raises Problem for one that it cannot have. */
function readOptions(argv) {
  const { values } = parseArgs({ args: argv, options: OPTIONS });
  return {
    state: values.state,
    port: parsePort(values.port),
    variables: parseVariables(values.var),
    faults: parseFaults(values.fault),
    ...(values["memory-mib"] !== undefined && { memoryLimit: parseMemory(values["memory-mib"]) }),
    ...(values["hang-seconds"] !== undefined && { hangMs: parseHang(values["hang-seconds"]) }),
    ...(values.samples !== undefined && { samples: parseSamples(values.samples) }),
    inspect: values.inspect,
    verbose: values.verbose,
    help: values.help,
  };
}

let stack;
let stopping;

// Before the stack is ready, and at the second signal, the process exits at once; its exit ends all that it started.
function end(_name, number) {
  if (!stack || stopping) process.exit(128 + number);
  stopping = stack.stop().then(() => process.exit(0), fail);
}

function listen() {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    // Miniflare's own listeners would end the process before the stack has stopped.
    process.removeAllListeners(signal);
    process.on(signal, end);
  }
}

async function dev(argv) {
  const options = readOptions(argv);
  if (options.help) return console.log(USAGE);
  const started = Date.now();
  const { startStack } = await import("./stack.mjs");
  const { openState } = await import("./state.mjs");
  // Earlier there is nothing to end, and a signal then ends the process even while modules load.
  listen();
  stack = await startStack({ ...options, state: openState(options.state) });
  listen();
  const pages = options.variables[""]?.ALLOWED_ORIGINS;
  if (pages) console.log(`pages on ${pages} may call it, by ALLOWED_ORIGINS`);
  if (stack.inspector) console.log(`inspector on ${stack.inspector}`);
  console.log(
    `ready on ${stack.url} after ${((Date.now() - started) / 1000).toFixed(1)} s (state in ${options.state})`,
  );
  console.log(nextSteps(stack.url, options.state));
  if (options.samples) addSamples(stack.url, options.state, options.samples);
}

/** Where to look, and a command for a second terminal. */
function nextSteps(url, state) {
  const where = resolve(state) === DEFAULT_STATE ? "" : ` --state ${state}`;
  return `  page  ${url}/
  API   ${url}/docs/
  next  .venv/bin/vfa user add NAME${where}   then "Sign in" on the page`;
}

/** Fills an empty gallery with generated pictures, in a process that ends with this one. */
function addSamples(url, state, samples) {
  const args = ["-m", "tools.samples", "--url", url, "--state", resolve(state), "--count", String(samples)];
  const child = spawn(join(ROOT, ".venv/bin/python"), args, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  child.once("error", (error) => console.error(`the samples cannot be made: ${error.message}`));
  process.on("exit", () => child.kill());
}

async function readStatement() {
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem("standard input must be a statement as JSON, {sql, params}");
  }
}

async function queryRunning(running, statement) {
  const answer = await fetch(`${running.control}/sql`, {
    method: "POST",
    headers: { authorization: `Bearer ${running.token}` },
    body: JSON.stringify(statement),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Problem(body.error);
  return body.rows;
}

/** Runs one SQL statement from standard input, `{sql, params}`; prints `{rows, url, secrets}`. */
async function sql(argv) {
  const { values } = parseArgs({ args: argv, options: { state: { type: "string", default: DEFAULT_STATE } } });
  const { queryStored } = await import("./database.mjs");
  const { openState, readSecrets, runningStack } = await import("./state.mjs");
  const state = openState(values.state);
  const statement = await readStatement();
  const running = await runningStack(state);
  const rows = await (running ? queryRunning(running, statement) : queryStored(state, statement));
  console.log(JSON.stringify({ rows, url: running?.url ?? null, secrets: readSecrets(state) }));
}

const COMMANDS = { dev, sql };

/**
 * Runs the command that the arguments name. Raises Problem for what the person at the terminal can correct.
 * @param {string[]} argv
 */
export async function run([name, ...argv]) {
  if (name === "--help") return console.log(USAGE);
  if (!Object.hasOwn(COMMANDS, name ?? "")) {
    throw new Problem(`no command "${name ?? ""}"; there are ${Object.keys(COMMANDS).join(", ")}`);
  }
  return COMMANDS[name](argv);
}
