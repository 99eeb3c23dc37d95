// Programs that the runtime starts and waits for; none of them outlives it.

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";

const running = new Map();

process.on("exit", () => {
  for (const [child, made] of running) {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
    rmSync(made, { recursive: true, force: true });
  }
});

/** What a program printed, `{status, output}`; the folder it makes is removed when it is ended before its time. */
export function finished(command, words, { made, ...options }) {
  return new Promise((done, refuse) => {
    // In a group of its own, so that what it starts itself can be ended with it.
    const child = spawn(command, words, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const parts = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => parts.push(part));
    child.once("error", refuse);
    child.once("close", (status) => {
      running.delete(child);
      done({ status, output: Buffer.concat(parts).toString() });
    });
    running.set(child, made);
  });
}
