"""Which schema a database has, whatever the way it got it: compared by what it means, not by its text."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MASTER = "SELECT type, name, sql FROM sqlite_master"
# `migrations_table` in wrangler.toml: another program in the same database keeps its own in d1_migrations.
LEDGER = "vfa_migrations"
APPLIED = f"SELECT name FROM {LEDGER}"  # noqa: S608 (the constant above)
# As Wrangler makes it, so that `wrangler d1 migrations apply` goes on from here.
CREATE_LEDGER = f"""CREATE TABLE IF NOT EXISTS "{LEDGER}"(
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);
"""
TOKEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|[\w.]+|\s+|.", re.DOTALL)
_INTERNAL = re.compile(rf"sqlite_|_cf_|d1_migrations$|{LEDGER}$")

Form = dict[tuple[str, str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str


def migrations_in(folder: Path) -> list[Migration]:
    """In the order in which Wrangler applies them."""
    return [Migration(path.name, path.read_text()) for path in sorted(folder.glob("*.sql"))]


def form(master: Iterable[Mapping[str, Any]]) -> Form:
    """What `sqlite_master` declares: a table as the set of its definitions, all else as its words."""
    return {
        (row["type"], row["name"]): frozenset(
            _definitions(row["sql"]) if row["type"] == "table" else [" ".join(_words(row["sql"]))]
        )
        for row in master
        if row["sql"] and not _INTERNAL.match(row["name"])
    }


def form_of(scripts: Iterable[str]) -> Form:
    """The form that running SQL scripts on an empty database gives."""
    database = sqlite3.connect(":memory:")
    try:
        for script in scripts:
            database.executescript(script)
        return form(_rows(database))
    finally:
        database.close()


def standing(found: Form, migrations: Sequence[Migration]) -> int | None:
    """After how many of the migrations a database has this form; None when after none of them."""
    for count in range(len(migrations), -1, -1):
        if found == form_of(migration.sql for migration in migrations[:count]):
            return count
    return None


def baseline(migrations: Iterable[Migration]) -> str:
    """SQL that notes migrations as applied."""
    names = [migration.name.replace("'", "''") for migration in migrations]
    return CREATE_LEDGER + "".join(
        f"INSERT INTO {LEDGER} (name) VALUES ('{name}') ON CONFLICT (name) DO NOTHING;\n"  # noqa: S608
        for name in names
    )


def _rows(database: sqlite3.Connection) -> list[dict[str, Any]]:
    return [dict(zip(("type", "name", "sql"), row, strict=True)) for row in database.execute(MASTER)]


def _definitions(sql: str) -> Iterator[str]:
    """The parts of a statement between its outermost brackets, and what stands around them.

    An added column stands last in the text, so the order of definitions says nothing.
    """
    depth = 0
    part: list[str] = []
    around: list[str] = []
    for word in _words(sql):
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


def _words(sql: str) -> Iterator[str]:
    for word in TOKEN.findall(sql):
        if word.isspace() or word.startswith(("--", "/*")):
            continue
        if word.startswith("'"):
            yield word
        else:
            plain = re.fullmatch(r'"(\w+)"', word)
            yield (plain[1] if plain else word).lower()
