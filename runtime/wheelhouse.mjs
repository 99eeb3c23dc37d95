// The packages that set-up fetched: whole, or one sentence that names the file that is not.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { CACHE, firstWrong } from "./cache.mjs";
import { Problem } from "./problem.mjs";

const WHEELHOUSE = join(CACHE, "wheelhouse");
export const LIBRARIES = join(WHEELHOUSE, "system");

/** Raises Problem unless every file is there with the bytes that were fetched. */
export function checkWheelhouse() {
  const path = firstWrong(WHEELHOUSE);
  if (!path) return;
  const fault = existsSync(path) ? "is not as it was fetched" : "is missing";
  throw new Problem(`${path} ${fault}; remove ${WHEELHOUSE} and run \`make setup\``);
}
