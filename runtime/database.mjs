// The local D1 database: its schema, its migrations, and statements from other commands.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { askWrangler, ROOT, readConfigs, workerOptions } from "./config.mjs";
import { Problem } from "./problem.mjs";

const MIGRATIONS = join(ROOT, "migrations");
// Tables of a database that schema.sql created before migrations were recorded; the first migration is applied in it.
const OUR_TABLES = ["users", "artworks", "sweep_positions"];

/** The table in which Wrangler, too, records the applied migrations. */
export function migrationsTable(gateway) {
  return gateway.d1_databases[0].migrations_table ?? "d1_migrations";
}

/** Creates the schema in a new database, or applies the pending migrations to an older one. */
export async function applySchema(database, table) {
  const every = existsSync(MIGRATIONS)
    ? readdirSync(MIGRATIONS)
        .filter((name) => name.endsWith(".sql"))
        .sort()
    : [];
  const master = await query(database, { sql: "SELECT name FROM sqlite_master WHERE type = 'table'" });
  const tables = new Set(master.map(({ name }) => name));
  if (!tables.has("users") && !tables.has("artworks")) {
    return batch(database, [...statementsOf("schema.sql"), ...recordMigrations(table, every)]);
  }
  if (!tables.has(table) && !OUR_TABLES.every((name) => tables.has(name))) {
    throw new Problem(
      "the database holds another program's users and artworks; docs/deploy.md says how they are adopted",
    );
  }
  const rows = tables.has(table) ? await query(database, { sql: `SELECT name FROM ${table}` }) : [{ name: every[0] }];
  const applied = new Set(rows.map(({ name }) => name));
  const pending = every.filter((name) => !applied.has(name));
  const statements = pending.flatMap((name) => statementsOf(join("migrations", name)));
  if (pending.length > 0) await batch(database, [...statements, ...recordMigrations(table, every)]);
}

/**
 * Rows of one statement.
 * @param {any} database
 * @param {{sql: string, params?: unknown[]}} statement
 * @returns {Promise<any[]>}
 */
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

/** Statements that record migrations as applied. */
function recordMigrations(table, names) {
  if (names.length === 0) return [];
  const values = names.map((name) => `('${name}')`).join(", ");
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
      applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`,
    `INSERT INTO ${table} (name) VALUES ${values} ON CONFLICT (name) DO NOTHING`,
  ];
}

/** Rows of one statement on the database in `state`, while no stack runs on it: Miniflare's D1 alone. */
export async function queryStored(state, statement) {
  const [gateway] = readConfigs();
  const { name, compatibilityDate, d1Databases } = workerOptions(gateway, {});
  const worker = { name, compatibilityDate, d1Databases, modules: true, script: "export default {}" };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      resourcePersistencePath: state,
      telemetry: { enabled: false },
      workers: [worker],
    }),
  );
  try {
    const database = await miniflare.getD1Database(gateway.d1_databases[0].binding);
    await applySchema(database, migrationsTable(gateway));
    return await query(database, statement);
  } catch (error) {
    throw new Problem(error.message);
  } finally {
    await miniflare.dispose();
  }
}
