// Checks the faults that a Worker can be given, for the command line and the control port.

import { VARIANTS, WORKERS } from "./config.mjs";
import { INTERPRETER_FAULTS, RENDERING_FAULTS } from "./isolate/faults.mjs";
import { Problem } from "./problem.mjs";

export { INTERPRETER_FAULTS, RENDERING_FAULTS };

/**
 * Raises Problem for a fault that the Worker cannot have.
 * @param {string} worker
 * @param {{rendering?: {kind: string, ms?: number}, interpreter?: {kind: string}}} fault
 */
export function checkFaults(worker, { rendering, interpreter }) {
  if (!WORKERS.includes(worker)) throw new Problem(`no Worker "${worker}" can fail; there are ${WORKERS.join(", ")}`);
  if (rendering) checkRendering(worker, rendering);
  if (interpreter && !Object.hasOwn(INTERPRETER_FAULTS, interpreter.kind ?? "")) {
    throw new Problem(`no fault "${interpreter.kind ?? ""}"; there are ${Object.keys(INTERPRETER_FAULTS).join(", ")}`);
  }
}

/**
 * @param {string} worker
 * @param {{kind: string, ms?: number}} rendering
 */
function checkRendering(worker, { kind, ms }) {
  if (!Object.hasOwn(RENDERING_FAULTS, kind ?? "")) {
    const kinds = [...Object.keys(RENDERING_FAULTS), ...Object.keys(INTERPRETER_FAULTS)];
    throw new Problem(`no fault "${kind ?? ""}"; there are ${kinds.join(", ")}`);
  }
  if (!VARIANTS.includes(worker))
    throw new Problem(`the fault ${kind} is for one of ${VARIANTS.join(", ")}, not ${worker}`);
  const { timed = false } = RENDERING_FAULTS[kind];
  if (timed !== (ms !== undefined) || (timed && !(Number.isInteger(ms) && Number(ms) >= 0))) {
    throw new Problem(`the fault ${kind} is written ${worker}=${kind}${timed ? ":MS" : ""}`);
  }
}
