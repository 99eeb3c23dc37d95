// The folder that holds everything a local stack keeps between runs: objects, rows, flags and its secrets.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const token = () => randomBytes(32).toString("hex");

/** Secrets of the local stack, made at first use and readable by their owner only. */
export function readSecrets(state) {
  const path = join(state, "secrets.json");
  if (!existsSync(path)) {
    const secrets = {
      AUTH_JWT_SECRET: token(),
      WORKER_AUTH_TOKEN: token(),
      R2_ACCESS_KEY_ID: randomBytes(16).toString("hex"),
      R2_SECRET_ACCESS_KEY: token(),
    };
    writeFileSync(path, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  }
  return JSON.parse(readFileSync(path, "utf8"));
}

export function openState(folder) {
  const state = resolve(folder);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  return state;
}

const stackFile = (state) => join(state, "stack.json");

/** Tells other commands where the running stack listens. */
export function announce(state, stack) {
  writeFileSync(stackFile(state), `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600 });
}

export function withdraw(state) {
  rmSync(stackFile(state), { force: true });
}

/** The stack that runs on this folder: `{pid, url, control, token}`, or null. */
export function runningStack(state) {
  if (!existsSync(stackFile(state))) return null;
  const stack = JSON.parse(readFileSync(stackFile(state), "utf8"));
  try {
    process.kill(stack.pid, 0);
    return stack;
  } catch {
    return null;
  }
}
