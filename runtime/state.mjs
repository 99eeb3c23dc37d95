// The folder that holds everything a local stack keeps between runs: objects, rows, flags and its secrets.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { writeWhole } from "./cache.mjs";
import { Problem } from "./problem.mjs";

const ANSWER_MS = 5000;
/** The action of the control port by which a stack is known. */
export const HELLO = "hello";

const token = () => randomBytes(32).toString("hex");

/** Only its owner may read it, since it holds what opens the stack. */
function writeOwn(path, value) {
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

function parsed(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

/** Secrets of the local stack, made at first use and readable by their owner only. */
export function readSecrets(state) {
  const path = join(state, "secrets.json");
  if (!existsSync(path)) {
    writeOwn(path, {
      AUTH_JWT_SECRET: token(),
      WORKER_AUTH_TOKEN: token(),
      R2_ACCESS_KEY_ID: randomBytes(16).toString("hex"),
      R2_SECRET_ACCESS_KEY: token(),
    });
  }
  const secrets = parsed(path);
  if (!secrets) throw new Problem(`${path} cannot be read; remove it, and new secrets are made (old tokens end with it)`);
  return secrets;
}

/** The absolute path of the folder, made if need be; Git passes over what is in it. */
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

/** Tells other commands where the running stack listens. */
export function announce(state, stack) {
  writeOwn(stackFile(state), stack);
}

export function withdraw(state) {
  rmSync(stackFile(state), { force: true });
}

/** Whether the process still is the stack: after a kill, another may have got its number or its port. */
async function answers({ pid, control, token }) {
  try {
    process.kill(pid, 0);
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await fetch(`${control}/${HELLO}`, { signal, headers: { authorization: `Bearer ${token}` } });
    return answer.ok && (await answer.json()).pid === pid;
  } catch (error) {
    // A stack that is stopped for a while accepts connections and says nothing.
    return error.name === "TimeoutError";
  }
}

/** The stack that runs on this folder: `{pid, url, control, token}`, or null. */
export async function runningStack(state) {
  const stack = parsed(stackFile(state));
  return stack && (await answers(stack)) ? stack : null;
}
