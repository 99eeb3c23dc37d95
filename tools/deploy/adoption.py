"""Adds what the gateway needs to a database that has users and artworks already: in place, nothing lost.

The migrations after BASE are then applied as to any other database. SQL is put together from the names and
values of that database, quoted.
"""

# ruff: noqa: S608

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from tools.deploy import schema
from tools.deploy.schema import Migration
from tools.problem import Problem

Ask = Callable[[str], list[dict[str, Any]]]

# What an adopted database has afterwards; the migrations after this one are applied as they are.
BASE = "0003_specification.sql"
OWN = ("users", "artworks")
# What cannot be made up.
NEEDED = {"users": ("id", "username"), "artworks": ("id", "user_id", "slug", "title")}
_CONSTRAINT = re.compile(r"(?:CONSTRAINT|PRIMARY|UNIQUE|CHECK|FOREIGN)\b", re.IGNORECASE)
_DEFAULT_BY_EXPRESSION = re.compile(r"\s+NOT NULL DEFAULT \(.*\)$", re.DOTALL | re.IGNORECASE)
_ADDED_TWICE = re.compile(r"duplicate column name")
_TABLE = re.compile(r"^CREATE (?:VIRTUAL )?TABLE (?:IF NOT EXISTS )?(\w+)", re.MULTILINE)
_SHOWN = 10
_ODD_NAMES = f"""
SELECT id FROM users WHERE username IS NULL OR trim(username) = '' OR username NOT GLOB '*[^.]*'
LIMIT {_SHOWN + 1}
"""
_SAME_NAMES = f"""
SELECT MIN(username) AS id FROM users GROUP BY lower(username) HAVING COUNT(*) > 1 LIMIT {_SHOWN + 1}
"""
_STRANGE_IDS = f"""
SELECT id FROM users WHERE id GLOB '*[/ ]*' OR length(id) NOT BETWEEN 1 AND 255 LIMIT {_SHOWN + 1}
"""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is to be done: the SQL, and one sentence for each thing worth knowing.

    `covered` are the migrations whose work the SQL does, and which it notes as applied.
    """

    sql: str
    notes: tuple[str, ...]
    covered: tuple[Migration, ...]


def is_foreign(master: Sequence[Mapping[str, Any]], migrations: Sequence[Migration]) -> bool:
    """Whether a database has users and artworks that none of our migrations made."""
    if any(row["name"] == schema.LEDGER for row in master) or not is_adoptable(master):
        return False
    return schema.standing(schema.form(master), migrations) is None


def is_adoptable(master: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a database has users and artworks that may be another program's."""
    return set(OWN) <= {row["name"].lower() for row in master if row["type"] == "table"}


def adoption(ask: Ask, migrations: Sequence[Migration]) -> Adoption:
    """What to do to the database that `ask` asks. Raises Problem for one that cannot be adopted."""
    master = ask(schema.MASTER)
    if not is_adoptable(master):
        raise Problem("the database has no tables users and artworks to adopt; `make deploy` makes them")
    if any(row["name"] == schema.LEDGER for row in master):
        raise Problem("the database is the gallery's already; `make deploy` applies what is pending")
    count = next((n for n, each in enumerate(migrations, 1) if each.name == BASE), 0)
    base, later = migrations[:count], migrations[count:]
    found, wanted = _copy(master), sqlite3.connect(":memory:")
    try:
        for migration in base:
            wanted.executescript(migration.sql)
        _check(found, wanted, master, _names(wanted, "table").union(*map(_made, later)))
        columns, insisted = set(_described(found, "artworks")), _insisted(found, wanted, "users")
        steps = [*_columns(found, wanted), *_values(ask, found), *_others(found, wanted)]
        found.executescript("\n".join(steps))
        more, covered = _later(found, later)
        text = "\n".join([*steps, *more, schema.baseline([*base, *later[:covered]])])
        return Adoption(text, tuple(_notes(ask, columns, insisted, steps)), (*base, *later[:covered]))
    except sqlite3.Error as error:
        raise Problem(f"the tables of this database cannot be adopted: {error}") from error
    finally:
        found.close()
        wanted.close()


def _copy(master: Sequence[Mapping[str, Any]]) -> sqlite3.Connection:
    """The two tables with their indexes, without rows; what else there is only by its name."""
    database = sqlite3.connect(":memory:")
    for row in sorted(master, key=lambda row: str(row["type"]) != "table"):
        if row["sql"] and not re.match(r"sqlite_|_cf_", row["name"]):
            try:
                database.execute(row["sql"])
            except sqlite3.Error:
                # Shadow tables of a search index, or what belongs to a table of an extension.
                if row["name"] in OWN:
                    raise
    return database


def _check(
    found: sqlite3.Connection,
    wanted: sqlite3.Connection,
    master: Sequence[Mapping[str, Any]],
    tables: Set[str],
) -> None:
    for table, names in NEEDED.items():
        columns = _described(found, table)
        if lacking := [name for name in names if name not in columns]:
            raise Problem(f"the table {table} has no {' and no '.join(lacking)}, which cannot be made up")
        if columns["id"]["type"].upper() == "INTEGER" and table == "artworks":
            raise Problem("the ids of artworks are INTEGER, but the gateway's own are texts")
    if unknown := _insisted(found, wanted, "artworks"):
        raise Problem(
            f"artworks.{unknown[0]} is NOT NULL without a default, so the gateway, which does not know it, "
            "could record nothing; give it a default first"
        )
    taken = {row["name"].lower() for row in master} - set(OWN)
    for name in sorted(tables - set(OWN)):
        if name in taken:
            raise Problem(
                f"the database has a table {name} of its own, and the gateway needs one of that name"
            )


def _insisted(found: sqlite3.Connection, wanted: sqlite3.Connection, table: str) -> list[str]:
    """Columns that an INSERT of the gateway's would have to name and does not."""
    known = _described(wanted, table)
    return [
        name
        for name, column in _described(found, table).items()
        if name not in known and column["notnull"] and column["dflt_value"] is None and not column["pk"]
    ]


def _columns(found: sqlite3.Connection, wanted: sqlite3.Connection) -> Iterator[str]:
    """Adds the columns that are missing."""
    for table in OWN:
        known = _described(found, table)
        for name, text in _definitions(_sql_of(wanted, table)).items():
            if name in known:
                continue
            plain = _DEFAULT_BY_EXPRESSION.sub("", text)
            yield f"ALTER TABLE {table} ADD COLUMN {' '.join(plain.split())};"
            if plain != text:  # SQLite adds no column whose default is worked out
                default = text[text.upper().index("DEFAULT ") + len("DEFAULT ") :]
                yield f"UPDATE {table} SET {name} = {default};"


def _values(ask: Ask, found: sqlite3.Connection) -> Iterator[str]:
    """Puts right what the gateway counts on: slugs of their own, limits, counts."""
    if ask("SELECT 1 FROM artworks WHERE slug IS NULL OR slug = '' LIMIT 1"):
        yield "UPDATE artworks SET slug = id WHERE slug IS NULL OR slug = '';"
    order = "created_at, id" if "created_at" in _described(found, "artworks") else "id"
    for artwork_id, slug in _new_slugs(ask, order):
        yield f"UPDATE artworks SET slug = {_quoted(slug)} WHERE id = {_quoted(artwork_id)};"
    known = _described(found, "users")
    if "artwork_limit" in known and ask("SELECT 1 FROM users WHERE artwork_limit IS NULL LIMIT 1"):
        yield "UPDATE users SET artwork_limit = 50 WHERE artwork_limit IS NULL;"
    count = "(SELECT COUNT(*) FROM artworks WHERE artworks.user_id = users.id)"
    yield f"UPDATE users SET artwork_count = {count} WHERE artwork_count IS NOT {count};"


def _new_slugs(ask: Ask, order: str) -> Iterator[tuple[str, str]]:
    """The artworks whose user has an older one with the same slug, and the next free slug for each."""
    twice = ask(
        "SELECT id, user_id, slug FROM artworks WHERE (user_id, slug) IN (SELECT user_id, slug FROM artworks "
        "WHERE slug <> '' GROUP BY user_id, slug HAVING COUNT(*) > 1) "
        f"ORDER BY {order}"
    )
    if not twice:
        return
    users = ", ".join(sorted({_quoted(row["user_id"]) for row in twice}))
    taken = {
        (row["user_id"], row["slug"])
        for row in ask(f"SELECT user_id, slug FROM artworks WHERE user_id IN ({users})")
    }
    seen: set[tuple[Any, Any]] = set()
    for row in twice:
        user, slug = row["user_id"], row["slug"]
        if (user, slug) not in seen:  # the one that its address has shown until now
            seen.add((user, slug))
            continue
        number = 1
        while (user, f"{slug}-{number}") in taken:
            number += 1
        taken.add((user, f"{slug}-{number}"))
        yield row["id"], f"{slug}-{number}"


def _others(found: sqlite3.Connection, wanted: sqlite3.Connection) -> Iterator[str]:
    """Makes the tables, indexes and triggers that are missing."""
    for kind in ("table", "index", "trigger"):
        for name in sorted(_names(wanted, kind) - _names(found, kind)):
            yield f"{_sql_of(wanted, name)};"


def _later(found: sqlite3.Connection, later: Sequence[Migration]) -> tuple[list[str], int]:
    """What is left of the later migrations up to the last that adds a column which this database has already.

    Those cannot be applied as they are. The statements, and how many migrations they stand for.
    """
    statements: list[str] = []
    done: tuple[list[str], int] = ([], 0)
    for number, migration in enumerate(later, 1):
        kept, has_twice = _applied(found, migration)
        statements += kept
        if has_twice:
            done = list(statements), number
    return done


def _applied(found: sqlite3.Connection, migration: Migration) -> tuple[list[str], bool]:
    """The statements of a migration that this database takes, and whether it has some columns already."""
    kept: list[str] = []
    twice = False
    for statement in _statements(migration.sql):
        try:
            found.execute(statement)
            kept.append(statement)
        except sqlite3.OperationalError as error:
            if not _ADDED_TWICE.search(str(error)):
                raise Problem(f"{migration.name} does not fit this database: {error}") from error
            twice = True
    return kept, twice


def _notes(ask: Ask, columns: Set[str], insisted: Sequence[str], steps: Sequence[str]) -> Iterator[str]:
    """What to know; `columns` are those that artworks has before, `insisted` what a new user must have."""
    for table in OWN:
        added = [step.split()[5] for step in steps if step.startswith(f"ALTER TABLE {table} ADD COLUMN")]
        if added:
            yield f"{table} gets {', '.join(added)}"
    if renamed := sum(step.startswith("UPDATE artworks SET slug = '") for step in steps):
        yield f"{renamed} artworks get another slug, for an older one of their user has the same"
    if "status" in columns:
        for row in ask("SELECT status, COUNT(*) AS n FROM artworks WHERE status <> 'active' GROUP BY status"):
            yield f"{row['n']} artworks are {row['status']}: only their owners see them"
    if insisted:
        yield f"users are added by the other program only, for each needs {', '.join(insisted)}"
    if odd := ask(_ODD_NAMES):
        yield f"no address can hold the names of the users {_listed(odd)}: their artworks are found by id"
    if same := ask(_SAME_NAMES):
        yield f"several users are called {_listed(same)}, up to the case of letters"
    if strange := ask(_STRANGE_IDS):
        yield f"no token can name the users {_listed(strange)}: their ids have blanks, slashes or no end"


def _listed(rows: Sequence[Mapping[str, Any]]) -> str:
    names = [str(row["id"]) for row in rows[:_SHOWN]]
    return ", ".join(names) + (" and others" if len(rows) > _SHOWN else "")


def _quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _described(database: sqlite3.Connection, table: str) -> dict[str, dict[str, Any]]:
    """The columns of a table as `PRAGMA table_xinfo` has them, by name."""
    cursor = database.execute(f"PRAGMA table_xinfo({table})")
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    return {row["name"].lower(): row for row in rows}


def _names(database: sqlite3.Connection, kind: str) -> set[str]:
    sql = "SELECT name FROM sqlite_master WHERE type = ? AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    return {name.lower() for (name,) in database.execute(sql, (kind,))}


def _made(migration: Migration) -> set[str]:
    """Names of the tables that a migration makes."""
    return {name.lower() for name in _TABLE.findall(migration.sql)}


def _sql_of(database: sqlite3.Connection, name: str) -> str:
    return str(database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0])


def _definitions(sql: str) -> dict[str, str]:
    """The definitions of a table's columns by their names, as they are written, without comments."""
    depth = 0
    parts = [""]
    for word in schema.TOKEN.findall(sql):
        if word.startswith(("--", "/*")):
            continue
        depth -= word == ")"
        if depth == 1 and word == ",":
            parts.append("")
        elif depth >= 1:
            parts[-1] += word
        depth += word == "("
    texts = [part.strip() for part in parts]
    return {text.split()[0].strip('"').lower(): text for text in texts if not _CONSTRAINT.match(text)}


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for part in re.split(r"(;)", script):
        statement += part
        if part == ";" and sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
