// The options of `dev`, read from the command line and checked before anything starts.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT, VARIANTS } from "./config.mjs";
import { checkFaults, INTERPRETER_FAULTS, RENDERING_FAULTS, WORKERS } from "./faults.mjs";
import { Problem } from "./problem.mjs";

export const DEFAULT_STATE = join(ROOT, ".state");

const linesOf = (faults) =>
  Object.entries(faults)
    .map(([kind, { means, timed }]) => `      ${(timed ? `${kind}:MS` : kind).padEnd(10)} ${means}`)
    .join("\n");

export const USAGE = `usage: node runtime/main.mjs dev [options], or make dev ARGS="[options]"

  --port N                where the gallery listens; 0 takes any free port (8787)
  --state DIR             folder of everything that is kept between runs (.state)
  --var NAME[=VALUE]      set a variable or secret in every Worker; without a value, take it away
  --var WORKER:NAME[=VALUE]
                          the same in one of ${WORKERS.join(", ")}
  --memory-mib N          WebAssembly memory of an isolate (96)
  --inspect               let debuggers reach the isolates' JavaScript; says where
  --verbose               log every request
  --hang-seconds N        start workerd again when it has not answered for so long (60)
  --fault SIBLING=KIND    make a sibling (${VARIANTS.join(", ")}) break:
${linesOf(RENDERING_FAULTS)}
  --fault WORKER=KIND     make the Python interpreter of any Worker break, once:
${linesOf(INTERPRETER_FAULTS)}`;

const OPTIONS = {
  port: { type: "string", default: "8787" },
  state: { type: "string", default: DEFAULT_STATE },
  var: { type: "string", multiple: true, default: [] },
  fault: { type: "string", multiple: true, default: [] },
  "memory-mib": { type: "string" },
  "hang-seconds": { type: "string" },
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
    if (worker && !WORKERS.includes(worker)) throw new Problem(`no Worker "${worker}"; there are ${WORKERS.join(", ")}`);
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

/** The options of `dev`, as startStack takes them. */
export function readOptions(argv) {
  const { values } = parseArgs({ args: argv, options: OPTIONS });
  return {
    state: values.state,
    port: parsePort(values.port),
    variables: parseVariables(values.var),
    faults: parseFaults(values.fault),
    ...(values["memory-mib"] !== undefined && { memoryLimit: parseMemory(values["memory-mib"]) }),
    ...(values["hang-seconds"] !== undefined && { hangMs: parseHang(values["hang-seconds"]) }),
    inspect: values.inspect,
    verbose: values.verbose,
    help: values.help,
  };
}
