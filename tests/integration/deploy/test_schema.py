"""schema.sql is the truth for a new database; the migrations bring an old one to the same form."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.deploy import sample_migrations
from tests.support.deploy.projects import ROOT
from tools.deploy import schema
from tools.deploy.schema import Migration

TRUTH = (ROOT / "schema.sql").read_text()
# What a migration changes on purpose, in the one row of a table.
MEANT = {"0003_specification.sql": [("artworks", "status", "active"), ("artworks", "tags", None)]}
MIGRATIONS = schema.migrations_in(ROOT / "migrations")
# Tables whose rows go on in another one, or are of no use any more.
MOVED = {"0002_uploads.sql": ["claims", "sweep_positions"]}


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [int(re.match(r"(\d{4})_[a-z0-9_]+\.sql$", each.name)[1]) for each in MIGRATIONS]  # type: ignore[index]
    assert numbers == list(range(1, len(MIGRATIONS) + 1))


def test_all_migrations_give_what_the_schema_gives() -> None:
    assert schema.structure_of(each.sql for each in MIGRATIONS) == schema.structure_of([TRUTH])


def test_the_schema_may_be_applied_twice() -> None:
    assert schema.structure_of([TRUTH, TRUTH]) == schema.structure_of([TRUTH])


def test_rows_survive_every_migration(database: sqlite3.Connection) -> None:
    first, *others = [*MIGRATIONS, *sample_migrations.LATER]
    database.executescript(first.sql)
    database.executescript(sample_migrations.FIRST_ROWS)
    before = sample_migrations.tables(database)
    assert all(len(rows) == 1 for rows in before.values())
    for migration in others:
        database.executescript(migration.sql)
        after = sample_migrations.tables(database)
        for table, column, value in MEANT.get(migration.name, ()):
            before[table][0][column] = value
        assert sample_migrations.lost(before, after) == MOVED.get(migration.name, []), migration.name
        before = after
    assert before["artworks"][0]["signature"] == before["signers"][0]["signer"] == "ann"
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_claims_become_uploads(database: sqlite3.Connection) -> None:
    first, second = MIGRATIONS[:2]
    database.executescript(first.sql)
    database.executescript(sample_migrations.FIRST_ROWS)
    database.execute("INSERT INTO claims VALUES ('originals/usr-2_x/2.tiff', '', 3, 1764000000000)")
    database.executescript(second.sql)
    found = {row["key"]: row for row in sample_migrations.tables(database)["uploads"]}
    worked_on, waiting = (found[key] for key in ("originals/usr_1/1.jpg", "originals/usr-2_x/2.tiff"))
    assert (worked_on["user_id"], worked_on["artwork_id"]) == ("usr_1", "art_1")
    assert (worked_on["holder"], worked_on["attempt"]) == ("holder", 2)
    assert worked_on["lease_until"] == 4000000000000, "who works on it goes on"
    assert (waiting["user_id"], waiting["artwork_id"], waiting["attempt"]) == ("usr-2_x", None, 3)
    assert abs(waiting["expires_at"] / 1000 - time.time()) < 60, "its create may still come"


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("DELETE FROM uploads", "uploads"),
        ("ALTER TABLE artworks DROP COLUMN width", "artworks"),
        ("UPDATE users SET artwork_limit = 1", "users"),
        ("DROP TABLE uploads", "uploads"),
    ],
)
def test_a_migration_that_loses_something_is_found(
    database: sqlite3.Connection, sql: str, table: str
) -> None:
    database.executescript(TRUTH + sample_migrations.ROWS)
    before = sample_migrations.tables(database)
    database.executescript(sql)
    assert sample_migrations.lost(before, sample_migrations.tables(database)) == [table]


def test_migrations_run_in_the_order_of_their_names(tmp_path: Path) -> None:
    every = [*MIGRATIONS, *sample_migrations.LATER]
    for migration in reversed(every):
        (tmp_path / migration.name).write_text(migration.sql)
    assert schema.migrations_in(tmp_path) == every


def test_a_database_knows_where_it_stands() -> None:
    for count in range(len(MIGRATIONS) + 1):
        found = schema.structure_of(each.sql for each in MIGRATIONS[:count])
        assert (
            schema.structure_of(each.sql for each in MIGRATIONS[: schema.applied_count(found, MIGRATIONS)])
            == found
        )
    assert schema.applied_count(schema.structure_of(["CREATE TABLE other (id)"]), MIGRATIONS) is None


def test_a_baseline_is_wranglers_own_ledger(database: sqlite3.Connection) -> None:
    steps = [Migration("0001_it's.sql", ""), Migration("0002_more.sql", "")]
    database.executescript(schema.baseline(steps))
    database.executescript(schema.baseline(steps))
    assert database.execute(schema.APPLIED).fetchall() == [("0001_it's.sql",), ("0002_more.sql",)]
    cli = (ROOT / "node_modules/wrangler/wrangler-dist/cli.js").read_text()
    columns = re.search(r"function getCreateMigrationsTableQuery.*?\((\s+id .*?)\n\);", cli, re.DOTALL)
    ours = re.search(r"\((\s+id .*?)\n\);", schema.CREATE_MIGRATIONS_TABLE, re.DOTALL)
    assert columns
    assert ours
    assert columns[1].split() == ours[1].split()


@pytest.mark.parametrize(
    "other",
    [
        "CREATE TABLE t (a TEXT, b TEXT NOT NULL DEFAULT 'A b')",
        "CREATE TABLE t (a TEXT PRIMARY KEY, b TEXT NOT NULL DEFAULT 'a b')",
        "CREATE TABLE t (a TEXT, b TEXT NOT NULL DEFAULT 'a b', CHECK (a > b))",
        "CREATE TABLE t (a TEXT, b TEXT NOT NULL DEFAULT 'a b') STRICT",
        "CREATE TABLE t (a TEXT, b TEXT NOT NULL DEFAULT 'a b'); CREATE INDEX i ON t (b, a)",
        "CREATE TABLE t (a TEXT, b TEXT NOT NULL DEFAULT 'a b'); CREATE UNIQUE INDEX i ON t (a, b)",
    ],
)
def test_schemas_that_differ_are_told_apart(other: str) -> None:
    plain = "CREATE TABLE t (a TEXT, b TEXT NOT NULL DEFAULT 'a b'); CREATE INDEX i ON t (a, b)"
    assert schema.structure_of([other]) != schema.structure_of([plain])


def test_schemas_that_mean_the_same_are_the_same() -> None:
    grown = [
        'create table if not exists "t" (a text) ;',
        "ALTER TABLE t ADD COLUMN b TEXT -- said later\n NOT NULL DEFAULT 'a b'; CREATE INDEX i ON t(a,b)",
    ]
    plain = "CREATE TABLE t (b TEXT NOT NULL DEFAULT 'a b', a TEXT); CREATE INDEX IF NOT EXISTS i ON t (a, b)"
    assert schema.structure_of(grown) == schema.structure_of([plain])
