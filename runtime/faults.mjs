// The ways in which a sibling can be made to break, by name: for the command line and the control port.

import { VARIANTS } from "./config.mjs";
import { RENDERING_FAULTS } from "./isolate/faults.mjs";
import { Problem } from "./problem.mjs";

export { RENDERING_FAULTS };

/** Raises Problem for a fault that no sibling can have. */
export function checkRendering(worker, { kind, ms }) {
  if (!VARIANTS.includes(worker)) throw new Problem(`no sibling "${worker}" can fail; there are ${VARIANTS.join(", ")}`);
  if (!Object.hasOwn(RENDERING_FAULTS, kind ?? "")) {
    throw new Problem(`no fault "${kind ?? ""}"; there are ${Object.keys(RENDERING_FAULTS).join(", ")}`);
  }
  const { timed = false } = RENDERING_FAULTS[kind];
  if (timed !== (ms !== undefined) || (timed && !(Number.isInteger(ms) && ms >= 0))) {
    throw new Problem(`the fault ${kind} is written ${worker}=${kind}${timed ? ":MS" : ""}`);
  }
}
