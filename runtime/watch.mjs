// Keeps workerd running. One that ended was restarted by Miniflare and needs its Workers booted; one whose thread hangs is
// restarted here; one that keeps ending ends the runtime.

import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "./problem.mjs";

const CHECK_MS = 3000;
const MOST_RESTARTS = 5;
const MINUTE_MS = 60_000;

/**
 * Watches until `signal` is aborted. `ask` resolves once every Worker has answered; after `hangMs` without an answer,
 * `restart` is called. `fail` receives the Problem of a workerd that cannot be kept running.
 * Returns a function to be called each time that workerd has ended and runs again.
 */
export function watch({ ask, restart, fail, hangMs, signal }) {
  const restarts = [];
  let rebooting = false;

  const restarted = async () => {
    const now = Date.now();
    restarts.push(now);
    if (restarts.filter((time) => now - time < MINUTE_MS).length >= MOST_RESTARTS) {
      return fail(new Problem(`workerd ended ${MOST_RESTARTS} times within a minute; its own lines above say more`));
    }
    rebooting = true;
    try {
      await ask();
      console.log(
        `workerd ended and was started again after ${((Date.now() - now) / 1000).toFixed(1)} s; nothing that was stored is lost`,
      );
    } catch {
      // It has ended once more, and this function is called again.
    } finally {
      rebooting = false;
    }
  };

  const check = async () => {
    const timeout = sleep(hangMs, "timeout", { signal, ref: false });
    const answer = ask().then(
      () => "answered",
      (error) => error,
    );
    const outcome = await Promise.race([answer, timeout]);
    if (outcome === "timeout") {
      console.error(`workerd has not answered for ${hangMs / 1000} s and is started again`);
      await restart();
    } else if (outcome?.code === "ERR_RUNTIME_FAILURE") {
      fail(new Problem(`workerd ended and does not start again: ${outcome.message}`));
    }
  };

  const loop = async () => {
    while (!signal.aborted) {
      await sleep(CHECK_MS, undefined, { signal, ref: false });
      if (!rebooting) await check();
    }
  };
  loop().catch((error) => error.name === "AbortError" || fail(error));
  return restarted;
}
