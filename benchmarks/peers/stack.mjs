// The four Workers as `make dev` starts them, on a folder of state given as the argument, until standard input ends.
// With --staged the gateway's answers to creates carry `x-bench-bindings`: where their time went.
//
// Prints one line of JSON once all isolates are warm: {url, pid, boots}.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startStack } from "../../runtime/stack.mjs";
import { openState } from "../../runtime/state.mjs";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { staged: { type: "boolean" } } });
const file = (name) => ({
  path: `/session/metadata/${name}`,
  bytes: readFileSync(join(import.meta.dirname, "workers", name)),
});
const overlays = values.staged ? { gateway: { files: [file("bindings.py"), file("spans.py")], main: "bindings" } } : {};
const log = console.log;
// What the Workers log would be taken for an answer.
console.log = console.info = () => {};
const stack = await startStack({ state: openState(positionals[0]), port: 0, overlays });
log(JSON.stringify({ url: stack.url, pid: process.pid, boots: stack.boots }));

process.stdin.resume();
process.stdin.on("end", async () => {
  await stack.stop();
  process.exit(0);
});
