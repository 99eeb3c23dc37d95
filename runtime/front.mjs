// The port that clients know, served by a Worker of its own (isolate/front.mjs) in front of all that Miniflare serves.

import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { portOf } from "./control.mjs";
import { Problem } from "./problem.mjs";

const SERVICE = "runtime:front";
const PLUGIN = "front";
const REASONS = {
  EADDRINUSE: (port) => `port ${port} is in use; choose another with PORT=`,
  EACCES: (port) => `port ${port} is reserved for other users; choose one above 1023 with PORT=`,
};

/** Resolves to a port that is free now; `port` 0 asks for any. Raises Problem with the reason when there is none. */
export function freePort(port, host) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      const reason = REASONS[error.code ?? ""]?.(port) ?? `port ${port} cannot be listened on: ${error.message}`;
      reject(new Problem(reason));
    });
    probe.listen(port, host, () => {
      const chosen = portOf(probe);
      probe.close(() => resolve(chosen));
    });
  });
}

/** A binding through which Miniflare loads `plugins` below; the front listens on `address` and asks `control` with `token`. */
export const frontBinding = ({ address, control, token }) => ({
  name: "FRONT",
  type: PLUGIN,
  plugin: { package: import.meta.filename, name: PLUGIN },
  options: { address, control, token },
});

function optionsIn({ config }) {
  const bindings = Object.values(config.env ?? {});
  return bindings.find((binding) => binding.dev?.plugin?.name === PLUGIN)?.dev.options;
}

/** What Miniflare asks of a plugin; the Worker that has the binding sees nothing of it. */
export const plugins = {
  [PLUGIN]: {
    getBindings: () => [],
    getNodeBindings: () => ({}),
    getServices({ options }) {
      const front = optionsIn(options);
      if (!front) return;
      const { address, control, token } = front;
      const worker = {
        compatibilityDate: "2026-06-01",
        modules: [
          { name: "front.mjs", esModule: readFileSync(join(import.meta.dirname, "isolate/front.mjs"), "utf8") },
        ],
        bindings: [
          { name: "MINIFLARE", service: { name: "core:entry" } },
          { name: "CONTROL", service: { name: `${SERVICE}-control` } },
          { name: "SETTINGS", json: JSON.stringify({ token }) },
        ],
      };
      return {
        services: [
          { name: SERVICE, worker },
          { name: `${SERVICE}-control`, external: { address: control, http: {} } },
        ],
        sockets: [{ name: PLUGIN, address, service: { name: SERVICE }, http: {} }],
        extensions: [],
      };
    },
  },
};
