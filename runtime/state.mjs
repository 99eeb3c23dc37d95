// The folder that holds everything a local stack keeps between runs: objects, rows, readiness flags and secrets.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { writeWhole } from "./cache.mjs";
import { Problem } from "./problem.mjs";

const ANSWER_MS = 5000;
/** The action of the control port that identifies a stack. */
export const HELLO = "hello";

const token = () => randomBytes(32).toString("hex");

// Readable by its owner only, because it holds secrets.
function writePrivate(path, value) {
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

function parsed(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

/** Secrets of the local stack, created at first use. Raises Problem for a broken file. */
export function readSecrets(state) {
  const path = join(state, "secrets.json");
  if (!existsSync(path)) {
    writePrivate(path, {
      AUTH_JWT_SECRET: token(),
      WORKER_AUTH_TOKEN: token(),
      R2_ACCESS_KEY_ID: randomBytes(16).toString("hex"),
      R2_SECRET_ACCESS_KEY: token(),
    });
  }
  const secrets = parsed(path);
  if (!secrets)
    throw new Problem(
      `${path} cannot be read; remove it, and new secrets are created (tokens signed with the old ones end with it)`,
    );
  return secrets;
}

/** The absolute path of the folder, created if it is missing and ignored by Git. Raises Problem when it cannot be. */
export function openState(folder) {
  const state = resolve(folder);
  const ignored = join(state, ".gitignore");
  try {
    mkdirSync(state, { recursive: true, mode: 0o700 });
    if (!existsSync(ignored)) writeWhole(ignored, "*\n");
  } catch (error) {
    throw new Problem(`nothing can be kept in ${state}: ${error.message}`);
  }
  return state;
}

const stackFile = (state) => join(state, "stack.json");

/** Writes where the stack listens, for other commands. */
export function announce(state, stack) {
  writePrivate(stackFile(state), stack);
}

export function withdraw(state) {
  rmSync(stackFile(state), { force: true });
}

/** Whether the process is still the stack: after a kill, another may have its pid or its port. */
async function isAlive({ pid, control, token }) {
  try {
    process.kill(pid, 0);
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await fetch(`${control}/${HELLO}`, { signal, headers: { authorization: `Bearer ${token}` } });
    return answer.ok && (await answer.json()).pid === pid;
  } catch (error) {
    // A suspended stack accepts connections and does not answer.
    return error.name === "TimeoutError";
  }
}

/** The stack that runs on this folder: `{pid, url, control, token}`, or null. */
export async function runningStack(state) {
  const stack = parsed(stackFile(state));
  return stack && (await isAlive(stack)) ? stack : null;
}
