// Sees to it that workerd runs: one that died was started again by Miniflare and needs its Workers booted, one whose
// thread is stuck is started again by us, and one that keeps dying is given up.

import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "./problem.mjs";

const LOOK_MS = 3000;
const MANY = 5;
const MINUTE_MS = 60_000;

/**
 * Watches until `signal` is aborted. `ask` resolves once every Worker has answered, `restart` starts workerd again; after
 * `hangMs` without an answer that is done. `fail` gets the Problem of a workerd that cannot be kept running.
 * Returns a function to be called after each death, when workerd runs again.
 */
export function watch({ ask, restart, fail, hangMs, signal }) {
  const deaths = [];
  let reviving = false;

  const revived = async () => {
    const now = Date.now();
    deaths.push(now);
    if (deaths.filter((death) => now - death < MINUTE_MS).length >= MANY) {
      return fail(new Problem(`workerd ended ${MANY} times within a minute; its own lines above say more`));
    }
    reviving = true;
    try {
      await ask();
      console.log(`workerd ended and was started again after ${((Date.now() - now) / 1000).toFixed(1)} s; nothing that was stored is lost`);
    } catch {
      // It has ended once more, and will be heard of again.
    } finally {
      reviving = false;
    }
  };

  const look = async () => {
    const late = sleep(hangMs, "late", { signal, ref: false });
    const answer = ask().then(() => "there", (error) => error);
    const seen = await Promise.race([answer, late]);
    if (seen === "late") {
      console.error(`workerd has not answered for ${hangMs / 1000} s and is started again`);
      await restart();
    } else if (seen?.code === "ERR_RUNTIME_FAILURE") {
      fail(new Problem(`workerd ended and does not start again: ${seen.message}`));
    }
  };

  const loop = async () => {
    while (!signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal, ref: false });
      if (!reviving) await look();
    }
  };
  loop().catch((error) => error.name === "AbortError" || fail(error));
  return revived;
}
