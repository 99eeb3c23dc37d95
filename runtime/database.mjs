// The local D1 database: its schema, and statements from other commands.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { askWrangler, ROOT } from "./config.mjs";

/** Applies schema.sql, which may be applied any number of times. */
export async function applySchema(database) {
  const schema = readFileSync(join(ROOT, "schema.sql"), "utf8");
  const statements = askWrangler("schema", [schema], (wrangler) => wrangler.unstable_splitSqlQuery(schema));
  await database.batch(statements.map((sql) => database.prepare(sql)));
}

/** Rows of one statement. */
export async function query(database, { sql, params = [] }) {
  const { results } = await database
    .prepare(sql)
    .bind(...params)
    .all();
  return results;
}
