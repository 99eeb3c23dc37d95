// How many rows the local D1 counts as read: `node search_rows.mjs FILE`, with {name: [[sql, params], …]} on stdin.

import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

process.env.MINIFLARE_WORKERD_PATH ??= join(import.meta.dirname, "../runtime/workerd.sh");
const asked = JSON.parse(readFileSync(0, "utf8"));
const state = mkdtempSync(join(tmpdir(), "search-"));
const start = () =>
  new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: "export default {}",
      d1Databases: { DB: "DB" },
      resourcePersistencePath: state,
      telemetry: { enabled: false },
    }),
  );

/** The file in which the local D1 keeps its database. */
function fileOf(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /[0-9a-f]{64}\.sqlite$/.test(name),
  );
  return join(folder, files[0]);
}

try {
  const first = start();
  await (await first.getD1Database("DB")).prepare("CREATE TABLE made (id)").run();
  await first.dispose();
  const file = fileOf(state);
  for (const end of ["-wal", "-shm"]) rmSync(file + end, { force: true });
  copyFileSync(process.argv[2], file);
  const second = start();
  const database = await second.getD1Database("DB");
  const counts = {};
  for (const [name, statements] of Object.entries(asked)) {
    counts[name] = 0;
    for (const [sql, params] of statements) {
      const { meta } = await database
        .prepare(sql)
        .bind(...params)
        .all();
      counts[name] += meta.rows_read;
    }
  }
  await second.dispose();
  console.log(JSON.stringify(counts));
} finally {
  rmSync(state, { recursive: true, force: true });
}
