// The Worker on the port that clients know, as a plugin of Miniflare, which listens elsewhere: see isolate/front.mjs.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const SERVICE = "runtime:front";
const PLUGIN = "front";

/** A binding that makes Miniflare listen on `address`, with the front before all that it serves. */
export const frontBinding = (address) => ({
  name: "FRONT",
  type: PLUGIN,
  plugin: { package: import.meta.filename, name: PLUGIN },
  options: { address },
});

function addressIn({ config }) {
  const bindings = Object.values(config.env ?? {});
  return bindings.find((binding) => binding.dev?.plugin?.name === PLUGIN)?.dev.options.address;
}

/** What Miniflare asks a plugin for; the Worker that has the binding sees nothing of it. */
export const plugins = {
  [PLUGIN]: {
    getBindings: () => [],
    getNodeBindings: () => ({}),
    getServices({ options }) {
      const address = addressIn(options);
      if (!address) return;
      const worker = {
        compatibilityDate: "2026-06-01",
        modules: [{ name: "front.mjs", esModule: readFileSync(join(import.meta.dirname, "isolate/front.mjs"), "utf8") }],
        bindings: [{ name: "MINIFLARE", service: { name: "core:entry" } }],
      };
      return {
        services: [{ name: SERVICE, worker }],
        sockets: [{ name: PLUGIN, address, service: { name: SERVICE }, http: {} }],
        extensions: [],
      };
    },
  },
};
