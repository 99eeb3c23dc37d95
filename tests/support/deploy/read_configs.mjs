// Prints every wrangler.toml of the command line as Wrangler reads it, for production ("") and for staging, as JSON.

import { unstable_readConfig as readConfig } from "wrangler";

const read = (config, env) => readConfig({ config, env }, { hideWarnings: true });
const environments = (path) => ({ "": read(path, undefined), staging: read(path, "staging") });
console.log(JSON.stringify(process.argv.slice(2).map(environments)));
