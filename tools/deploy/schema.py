"""Which schema a database has, and which migrations led to it, compared by what SQL declares."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MASTER = "SELECT type, name, sql FROM sqlite_master"
# `migrations_table` in wrangler.toml: another program in the same database keeps its own in d1_migrations.
MIGRATIONS_TABLE = "vfa_migrations"
APPLIED = f"SELECT name FROM {MIGRATIONS_TABLE}"  # noqa: S608 (the constant above)
# As Wrangler creates it, so that `wrangler d1 migrations apply` continues from here.
CREATE_MIGRATIONS_TABLE = f"""CREATE TABLE IF NOT EXISTS "{MIGRATIONS_TABLE}"(
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);
"""
TOKEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|[\w.]+|\s+|.", re.DOTALL)
_INTERNAL = re.compile(rf"sqlite_|_cf_|d1_migrations$|{MIGRATIONS_TABLE}$")

Structure = dict[tuple[str, str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of a folder of migrations."""

    name: str
    sql: str


def migrations_in(folder: Path) -> list[Migration]:
    """The migrations in a folder, in the order in which Wrangler applies them."""
    return [Migration(path.name, path.read_text()) for path in sorted(folder.glob("*.sql"))]


def structure(master: Iterable[Mapping[str, Any]]) -> Structure:
    """What rows of sqlite_master declare: a table as its set of definitions, anything else as its tokens."""
    return {
        (row["type"], row["name"]): frozenset(
            _definitions(row["sql"]) if row["type"] == "table" else [" ".join(_tokens(row["sql"]))]
        )
        for row in master
        if row["sql"] and not _INTERNAL.match(row["name"])
    }


def structure_of(scripts: Iterable[str]) -> Structure:
    """The structure of an empty database after SQL scripts were run.

    Raises:
        sqlite3.Error: a script does not run.
    """
    database = sqlite3.connect(":memory:")
    try:
        for script in scripts:
            database.executescript(script)
        return structure(_rows(database))
    finally:
        database.close()


def applied_count(found: Structure, migrations: Sequence[Migration]) -> int | None:
    """After how many of the migrations a database has this structure; None when after none of them."""
    for count in range(len(migrations), -1, -1):
        if found == structure_of(migration.sql for migration in migrations[:count]):
            return count
    return None


def baseline(migrations: Iterable[Migration]) -> str:
    """SQL that records migrations as applied."""
    names = [migration.name.replace("'", "''") for migration in migrations]
    return CREATE_MIGRATIONS_TABLE + "".join(
        f"INSERT INTO {MIGRATIONS_TABLE} (name) VALUES ('{name}') ON CONFLICT (name) DO NOTHING;\n"  # noqa: S608
        for name in names
    )


def _rows(database: sqlite3.Connection) -> list[dict[str, Any]]:
    return [dict(zip(("type", "name", "sql"), row, strict=True)) for row in database.execute(MASTER)]


def _definitions(sql: str) -> Iterator[str]:
    """The parts of a statement between its outermost brackets, and the tokens around them.

    ALTER TABLE appends, so the order of definitions does not matter.
    """
    depth = 0
    part: list[str] = []
    around: list[str] = []
    for word in _tokens(sql):
        depth -= word == ")"
        if depth == 0:
            around.append(word)
        if depth > 1 or (depth == 1 and word != ","):
            part.append(word)
        elif part:
            yield " ".join(part)
            part = []
        depth += word == "("
    yield " ".join(around)


def _tokens(sql: str) -> Iterator[str]:
    for word in TOKEN.findall(sql):
        if word.isspace() or word.startswith(("--", "/*")):
            continue
        if word.startswith("'"):
            yield word
        else:
            plain = re.fullmatch(r'"(\w+)"', word)
            yield (plain[1] if plain else word).lower()
