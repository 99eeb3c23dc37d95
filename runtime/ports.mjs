// A port to listen on, or one sentence about why there is none.

import { createServer } from "node:net";
import { Problem } from "./problem.mjs";

const REASONS = {
  EADDRINUSE: (port) => `port ${port} is in use; choose another with PORT=`,
  EACCES: (port) => `port ${port} is not for this user to take; choose one above 1023 with PORT=`,
};

/** Resolves to a port that is free now; `port` 0 asks for any. */
export function freePort(port, host) {
  return new Promise((done, refuse) => {
    const probe = createServer();
    probe.once("error", (error) => {
      const reason = REASONS[error.code]?.(port) ?? `port ${port} cannot be listened on: ${error.message}`;
      refuse(new Problem(reason));
    });
    probe.listen(port, host, () => {
      const chosen = probe.address().port;
      probe.close(() => done(chosen));
    });
  });
}
