"""Adopts a database that has users and artworks of another program; nothing is lost. See docs/deploy.md.

Adds what the gateway needs; the migrations after BASE are then applied as to any other database. SQL is put
together from the names and values of that database, quoted. `python -m tools.deploy.adopt --dry-run` prints
it.
"""

# ruff: noqa: S608

from __future__ import annotations

import argparse
import os
import re
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.deploy import account, schema
from tools.deploy.account import InstalledWrangler, Wrangler
from tools.deploy.config import ENVIRONMENTS, ROOT, Target
from tools.deploy.schema import Migration
from tools.problem import Problem

Query = Callable[[str], list[dict[str, Any]]]

# What an adopted database has afterwards; the migrations after this one are applied as they are.
BASE = "0003_specification.sql"
ADOPTED_TABLES = ("users", "artworks")
# Columns whose values cannot be derived.
REQUIRED_COLUMNS = {"users": ("id", "username"), "artworks": ("id", "user_id", "slug", "title")}
_CONSTRAINT = re.compile(r"(?:CONSTRAINT|PRIMARY|UNIQUE|CHECK|FOREIGN)\b", re.IGNORECASE)
_DEFAULT_BY_EXPRESSION = re.compile(r"\s+NOT NULL DEFAULT \(.*\)$", re.DOTALL | re.IGNORECASE)
_ADDED_TWICE = re.compile(r"duplicate column name")
_TABLE = re.compile(r"^CREATE (?:VIRTUAL )?TABLE (?:IF NOT EXISTS )?(\w+)", re.MULTILINE)
_EXAMPLES = 10
_NAMES_WITHOUT_ADDRESS = f"""
SELECT id FROM users WHERE username IS NULL OR trim(username) = '' OR username NOT GLOB '*[^.]*'
LIMIT {_EXAMPLES + 1}
"""
_NAMES_TAKEN_TWICE = f"""
SELECT MIN(username) AS id FROM users GROUP BY lower(username) HAVING COUNT(*) > 1 LIMIT {_EXAMPLES + 1}
"""
_IDS_WITHOUT_TOKEN = f"""
SELECT id FROM users WHERE id GLOB '*[/ ]*' OR length(id) NOT BETWEEN 1 AND 255 LIMIT {_EXAMPLES + 1}
"""


@dataclass(frozen=True, slots=True)
class Adoption:
    """The SQL that adopts a database, and remarks: one sentence for each thing worth knowing.

    `covered` are the migrations whose work the SQL does, and which it records as applied.
    """

    sql: str
    remarks: tuple[str, ...]
    covered: tuple[Migration, ...]


def is_foreign(master: Sequence[Mapping[str, Any]], migrations: Sequence[Migration]) -> bool:
    """Whether a database has users and artworks that none of our migrations created."""
    if any(row["name"] == schema.MIGRATIONS_TABLE for row in master) or not is_adoptable(master):
        return False
    return schema.applied_count(schema.structure(master), migrations) is None


def is_adoptable(master: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a database has users and artworks that may be another program's."""
    return set(ADOPTED_TABLES) <= {row["name"].lower() for row in master if row["type"] == "table"}


def plan_adoption(query: Query, migrations: Sequence[Migration]) -> Adoption:
    """The SQL that adopts the database that `query` reads.

    Raises:
        Problem: it cannot be adopted.
    """
    master = query(schema.MASTER)
    if not is_adoptable(master):
        raise Problem("the database has no tables users and artworks to adopt; `make deploy` creates them")
    if any(row["name"] == schema.MIGRATIONS_TABLE for row in master):
        raise Problem("the database is the gallery's already; `make deploy` applies what is pending")
    count = next((n for n, each in enumerate(migrations, 1) if each.name == BASE), 0)
    base, later = migrations[:count], migrations[count:]
    found, wanted = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    try:
        _copy(master, found)
        for migration in base:
            wanted.executescript(migration.sql)
        _check(found, wanted, master, _names(wanted, "table").union(*map(_created_tables, later)))
        columns, required = set(_columns_of(found, "artworks")), _required_of_others(found, wanted, "users")
        steps = [*_add_columns(found, wanted), *_correct_values(query, found), *_create_others(found, wanted)]
        found.executescript("\n".join(steps))
        more, covered = _overlapping(found, later)
        text = "\n".join([*steps, *more, schema.baseline([*base, *later[:covered]])])
        return Adoption(text, tuple(_remarks(query, columns, required, steps)), (*base, *later[:covered]))
    except sqlite3.Error as error:
        raise Problem(f"the tables of this database cannot be adopted: {error}") from error
    finally:
        found.close()
        wanted.close()


def _copy(master: Sequence[Mapping[str, Any]], database: sqlite3.Connection) -> None:
    """Create the two tables with their indexes, without rows; what else there is only by its name."""
    for row in sorted(master, key=lambda row: str(row["type"]) != "table"):
        if row["sql"] and not re.match(r"sqlite_|_cf_", row["name"]):
            try:
                database.execute(row["sql"])
            except sqlite3.Error:
                # Shadow tables of a search index, or what belongs to a table of an extension.
                if row["name"] in ADOPTED_TABLES:
                    raise


def _check(
    found: sqlite3.Connection,
    wanted: sqlite3.Connection,
    master: Sequence[Mapping[str, Any]],
    tables: Set[str],
) -> None:
    for table, names in REQUIRED_COLUMNS.items():
        columns = _columns_of(found, table)
        if lacking := [name for name in names if name not in columns]:
            raise Problem(f"the table {table} has no {' and no '.join(lacking)}, which cannot be derived")
        if columns["id"]["type"].upper() == "INTEGER" and table == "artworks":
            raise Problem("the ids of artworks are INTEGER, but the gateway's own are texts")
    if unknown := _required_of_others(found, wanted, "artworks"):
        raise Problem(
            f"artworks.{unknown[0]} is NOT NULL without a default, so the gateway, which does not know it, "
            "could record nothing; give it a default first"
        )
    taken = {row["name"].lower() for row in master} - set(ADOPTED_TABLES)
    for name in sorted(tables - set(ADOPTED_TABLES)):
        if name in taken:
            raise Problem(
                f"the database has a table {name} of its own, and the gateway needs one of that name"
            )


def _required_of_others(found: sqlite3.Connection, wanted: sqlite3.Connection, table: str) -> list[str]:
    """Columns that every INSERT must name and the gateway's does not."""
    known = _columns_of(wanted, table)
    return [
        name
        for name, column in _columns_of(found, table).items()
        if name not in known and column["notnull"] and column["dflt_value"] is None and not column["pk"]
    ]


def _add_columns(found: sqlite3.Connection, wanted: sqlite3.Connection) -> Iterator[str]:
    """Add the columns that are missing."""
    for table in ADOPTED_TABLES:
        known = _columns_of(found, table)
        for name, text in _definitions(_sql_of(wanted, table)).items():
            if name in known:
                continue
            plain = _DEFAULT_BY_EXPRESSION.sub("", text)
            yield f"ALTER TABLE {table} ADD COLUMN {' '.join(plain.split())};"
            if plain != text:  # SQLite adds no column whose default is an expression
                default = text[text.upper().index("DEFAULT ") + len("DEFAULT ") :]
                yield f"UPDATE {table} SET {name} = {default};"


def _correct_values(query: Query, found: sqlite3.Connection) -> Iterator[str]:
    """Correct what the gateway relies on: unique slugs, limits, counts."""
    if query("SELECT 1 FROM artworks WHERE slug IS NULL OR slug = '' LIMIT 1"):
        yield "UPDATE artworks SET slug = id WHERE slug IS NULL OR slug = '';"
    order = "created_at, id" if "created_at" in _columns_of(found, "artworks") else "id"
    for artwork_id, slug in _new_slugs(query, order):
        yield f"UPDATE artworks SET slug = {_quoted(slug)} WHERE id = {_quoted(artwork_id)};"
    known = _columns_of(found, "users")
    if "artwork_limit" in known and query("SELECT 1 FROM users WHERE artwork_limit IS NULL LIMIT 1"):
        yield "UPDATE users SET artwork_limit = 50 WHERE artwork_limit IS NULL;"
    count = "(SELECT COUNT(*) FROM artworks WHERE artworks.user_id = users.id)"
    yield f"UPDATE users SET artwork_count = {count} WHERE artwork_count IS NOT {count};"


def _new_slugs(query: Query, order: str) -> Iterator[tuple[str, str]]:
    """The artworks whose user has an older one with the same slug, and the next free slug for each."""
    twice = query(
        "SELECT id, user_id, slug FROM artworks WHERE (user_id, slug) IN (SELECT user_id, slug FROM artworks "
        "WHERE slug <> '' GROUP BY user_id, slug HAVING COUNT(*) > 1) "
        f"ORDER BY {order}"
    )
    if not twice:
        return
    users = ", ".join(sorted({_quoted(row["user_id"]) for row in twice}))
    taken = {
        (row["user_id"], row["slug"])
        for row in query(f"SELECT user_id, slug FROM artworks WHERE user_id IN ({users})")
    }
    seen: set[tuple[Any, Any]] = set()
    for row in twice:
        user, slug = row["user_id"], row["slug"]
        if (user, slug) not in seen:  # the one that is shown at its address so far
            seen.add((user, slug))
            continue
        number = 1
        while (user, f"{slug}-{number}") in taken:
            number += 1
        taken.add((user, f"{slug}-{number}"))
        yield row["id"], f"{slug}-{number}"


def _create_others(found: sqlite3.Connection, wanted: sqlite3.Connection) -> Iterator[str]:
    """Create the tables, indexes and triggers that are missing."""
    for kind in ("table", "index", "trigger"):
        for name in sorted(_names(wanted, kind) - _names(found, kind)):
            yield f"{_sql_of(wanted, name)};"


def _overlapping(found: sqlite3.Connection, later: Sequence[Migration]) -> tuple[list[str], int]:
    """What is left of the later migrations up to the last that adds a column which this database has already.

    Those cannot be applied as they are. Returns the statements and how many migrations they replace.
    """
    statements: list[str] = []
    done: tuple[list[str], int] = ([], 0)
    for number, migration in enumerate(later, 1):
        kept, has_twice = _apply(found, migration)
        statements += kept
        if has_twice:
            done = list(statements), number
    return done


def _apply(found: sqlite3.Connection, migration: Migration) -> tuple[list[str], bool]:
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


def _remarks(query: Query, columns: Set[str], required: Sequence[str], steps: Sequence[str]) -> Iterator[str]:
    """Sentences about the consequences.

    `columns` are those that artworks has before, `required` those that a new user must have.
    """
    for table in ADOPTED_TABLES:
        added = [step.split()[5] for step in steps if step.startswith(f"ALTER TABLE {table} ADD COLUMN")]
        if added:
            yield f"{table} gets {', '.join(added)}"
    if renamed := sum(step.startswith("UPDATE artworks SET slug = '") for step in steps):
        yield f"{renamed} artworks get another slug, since an older one of their user has the same"
    if "status" in columns:
        for row in query(
            "SELECT status, COUNT(*) AS n FROM artworks WHERE status <> 'active' GROUP BY status"
        ):
            yield f"{row['n']} artworks are {row['status']}: only their owners see them"
    if required:
        yield f"users are added by the other program only, for each needs {', '.join(required)}"
    if odd := query(_NAMES_WITHOUT_ADDRESS):
        yield f"no address can hold the names of the users {_listed(odd)}: their artworks are found by id"
    if same := query(_NAMES_TAKEN_TWICE):
        yield f"several users are called {_listed(same)}, up to the case of letters"
    if strange := query(_IDS_WITHOUT_TOKEN):
        yield f"no token can name the users {_listed(strange)}: their ids have blanks, slashes or no end"


def _listed(rows: Sequence[Mapping[str, Any]]) -> str:
    names = [str(row["id"]) for row in rows[:_EXAMPLES]]
    return ", ".join(names) + (" and others" if len(rows) > _EXAMPLES else "")


def _quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _columns_of(database: sqlite3.Connection, table: str) -> dict[str, dict[str, Any]]:
    """The columns of a table as `PRAGMA table_xinfo` has them, by name."""
    cursor = database.execute(f"PRAGMA table_xinfo({table})")
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    return {row["name"].lower(): row for row in rows}


def _names(database: sqlite3.Connection, kind: str) -> set[str]:
    sql = "SELECT name FROM sqlite_master WHERE type = ? AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    return {name.lower() for (name,) in database.execute(sql, (kind,))}


def _created_tables(migration: Migration) -> set[str]:
    """Names of the tables that a migration creates."""
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


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy.adopt", description=__doc__)
    parser.add_argument("--env", choices=ENVIRONMENTS, default="production", help="whose database")
    parser.add_argument("--local", action="store_true", help="the database of `wrangler dev`")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done and its SQL")
    return parser.parse_args(words)


def adopt(target: Target, wrangler: Wrangler, *, local: bool, dry_run: bool) -> None:
    """Plan the adoption of an environment's database, print it and, without `dry_run`, carry it out.

    Raises:
        Problem: the database cannot be adopted, or Wrangler fails.
    """
    # Away from wrangler.toml, a database is found by its name.
    name, place = ("DB", "--local") if local else (target.database, "--remote")

    def run(folder: Path, *words: str) -> str:
        where = target.root if local else folder
        option = (target.option,) if local else ()
        words = ("d1", "execute", name, place, *words)
        return account.output_of(wrangler.run(*words, *option, folder=where), account.command_name(words))

    with tempfile.TemporaryDirectory(prefix="vfa-adopt-") as empty:
        folder = Path(empty)

        def query(sql: str) -> list[dict[str, Any]]:
            return account.parse_rows(run(folder, "--json", "--command", sql))

        found = plan_adoption(query, schema.migrations_in(target.root / "migrations"))
        print("\n  ".join([f"{target.database} has users and artworks of another program", *found.remarks]))
        if dry_run:
            print(found.sql)
            return
        path = folder / "adopt.sql"
        path.write_text(found.sql)
        run(folder, "--yes", "--file", str(path))
    print(f"{target.database} is adopted; `make deploy` applies what is pending")


def main(
    words: Sequence[str] | None = None,
    root: Path = ROOT,
    make_wrangler: Callable[[Path, dict[str, str]], Wrangler] = InstalledWrangler,
    environ: Mapping[str, str] = os.environ,
) -> int:
    options = _arguments(words)
    target = Target(root, options.env)
    wrangler = make_wrangler(root, {})
    try:
        if not options.local:
            found = account.require_account(target, wrangler, environ.get("CLOUDFLARE_ACCOUNT_ID"))
            wrangler = make_wrangler(root, {"CLOUDFLARE_ACCOUNT_ID": found.id})
        adopt(target, wrangler, local=options.local, dry_run=options.dry_run)
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
