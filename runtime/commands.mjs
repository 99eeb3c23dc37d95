// The commands of the local runtime: `dev` keeps the four Workers running, `sql` reaches their database either way.

import { parseArgs } from "node:util";
import { DEFAULT_STATE, readOptions, USAGE } from "./options.mjs";
import { fail, Problem } from "./problem.mjs";

let stack;
let stopping;

/** Before the stack is ready, and when asked twice, the process ends at once: its exit ends all that it started. */
function end(name, number) {
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
  // Until here there is nothing to end, and a signal ends the process even while modules are read.
  listen();
  stack = await startStack({ ...options, state: openState(options.state) });
  listen();
  const pages = options.variables[""]?.ALLOWED_ORIGINS;
  if (pages) console.log(`pages on ${pages} may call it, by ALLOWED_ORIGINS`);
  if (stack.inspector) console.log(`inspector on ${stack.inspector}`);
  console.log(`ready on ${stack.url} after ${((Date.now() - started) / 1000).toFixed(1)} s (state in ${options.state})`);
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

async function askRunning(running, statement) {
  const answer = await fetch(`${running.control}/sql`, {
    method: "POST",
    headers: { authorization: `Bearer ${running.token}` },
    body: JSON.stringify(statement),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Problem(body.error);
  return body.rows;
}

async function askStored(state, statement) {
  const { withDatabase } = await import("./offline.mjs");
  return withDatabase(state, statement);
}

/** One SQL statement from standard input (`{sql, params}`), its rows and the secrets to standard output. */
async function sql(argv) {
  const { values } = parseArgs({ args: argv, options: { state: { type: "string", default: DEFAULT_STATE } } });
  const { openState, readSecrets, runningStack } = await import("./state.mjs");
  const state = openState(values.state);
  const statement = await readStatement();
  const running = await runningStack(state);
  const rows = await (running ? askRunning(running, statement) : askStored(state, statement));
  console.log(JSON.stringify({ rows, url: running?.url ?? null, secrets: readSecrets(state) }));
}

const COMMANDS = { dev, sql };

/** Runs the command that the words name; raises Problem for what the person at the terminal can mend. */
export async function run([name, ...argv]) {
  if (name === "--help") return console.log(USAGE);
  if (!Object.hasOwn(COMMANDS, name ?? "")) {
    throw new Problem(`no command "${name ?? ""}"; there are ${Object.keys(COMMANDS).join(", ")}`);
  }
  return COMMANDS[name](argv);
}
