// The database of a stack that does not run: Miniflare's D1 alone, on the same folder.

import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { readConfigs, workerOptions } from "./config.mjs";
import { applySchema, ledgerOf, query } from "./database.mjs";
import { Problem } from "./problem.mjs";

/** Rows of one statement run on the database in `state`. */
export async function withDatabase(state, statement) {
  const [gateway] = readConfigs();
  const { name, compatibilityDate, d1Databases } = workerOptions(gateway, {});
  const worker = { name, compatibilityDate, d1Databases, modules: true, script: "export default {}" };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({ cf: false, resourcePersistencePath: state, telemetry: { enabled: false }, workers: [worker] }),
  );
  try {
    const database = await miniflare.getD1Database(gateway.d1_databases[0].binding);
    await applySchema(database, ledgerOf(gateway));
    return await query(database, statement);
  } catch (error) {
    throw new Problem(error.message);
  } finally {
    await miniflare.dispose();
  }
}
