// The local D1 database: its schema, and statements from other commands.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { askWrangler, ROOT } from "./config.mjs";
import { Problem } from "./problem.mjs";

const MIGRATIONS = join(ROOT, "migrations");
// A database that schema.sql made before there was a ledger has these, and the work of the first migration.
const OURS = ["users", "artworks", "sweep_positions"];

/** Where Wrangler, too, notes which migrations were applied. */
export function ledgerOf(gateway) {
  return gateway.d1_databases[0].migrations_table ?? "d1_migrations";
}

/** Brings a database to what schema.sql says: a new one by that file, an older one by its pending migrations. */
export async function applySchema(database, ledger) {
  const every = existsSync(MIGRATIONS) ? readdirSync(MIGRATIONS).filter((name) => name.endsWith(".sql")).sort() : [];
  const master = await query(database, { sql: "SELECT name FROM sqlite_master WHERE type = 'table'" });
  const tables = new Set(master.map(({ name }) => name));
  if (!tables.has("users") && !tables.has("artworks")) {
    return batch(database, [...statementsOf("schema.sql"), ...noted(ledger, every)]);
  }
  if (!tables.has(ledger) && !OURS.every((name) => tables.has(name))) {
    throw new Problem("the database holds another program's users and artworks; docs/deploy.md says how they are adopted");
  }
  const rows = tables.has(ledger) ? await query(database, { sql: `SELECT name FROM ${ledger}` }) : [{ name: every[0] }];
  const applied = new Set(rows.map(({ name }) => name));
  const pending = every.filter((name) => !applied.has(name));
  const statements = pending.flatMap((name) => statementsOf(join("migrations", name)));
  if (pending.length > 0) await batch(database, [...statements, ...noted(ledger, every)]);
}

/** Rows of one statement. */
export async function query(database, { sql, params = [] }) {
  const { results } = await database
    .prepare(sql)
    .bind(...params)
    .all();
  return results;
}

const batch = (database, statements) => database.batch(statements.map((sql) => database.prepare(sql)));

function statementsOf(file) {
  const text = readFileSync(join(ROOT, file), "utf8");
  return askWrangler("schema", [text], (wrangler) => wrangler.unstable_splitSqlQuery(text));
}

/** Statements that note migrations as applied. */
function noted(ledger, names) {
  if (names.length === 0) return [];
  const values = names.map((name) => `('${name}')`).join(", ");
  return [
    `CREATE TABLE IF NOT EXISTS ${ledger} (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
      applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`,
    `INSERT INTO ${ledger} (name) VALUES ${values} ON CONFLICT (name) DO NOTHING`,
  ];
}
