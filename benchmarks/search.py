"""Lists and searches of a large gallery: milliseconds in sqlite, rows read as D1 counts them, cost of writes.

The gallery is made once, which takes half an hour, and kept in .cache/bench. Each query goes through the
gateway's own code to sqlite; the statements that it asked are then put to a copy of the file in the local D1.
Milliseconds are CPU time, which other processes on the machine do not stretch; the file is in memory.

    PYTHONPATH=src .venv/bin/python -m benchmarks.search --output benchmarks/results/search.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from benchmarks import machine, search_rows
from benchmarks.places import ROOT
from gallery.http import fields
from gallery.ports import Platform, Row, Statement
from gallery.store import search

ROUNDS = 5
WRITES = 200
MOST_ROWS = 2_000
MOST_MS = 20.0
E_WORDS = "untitled a b c d e f g"
# Parameters of GET /api/artworks; {user} and {tag} have few artworks.
QUERIES = {
    "the newest": "",
    "one user": "username=user1",
    "one user with few artworks": "username={user}",
    "a user that does not exist": "username=nobody",
    "one category": "category=painting",
    "one tag": "tag=tag 1",
    "a rare tag": "tag={tag}",
    "featured": "featured=true",
    "not featured": "featured=false",
    "a word of every artwork": "q=untitled",
    "a prefix of one letter": "q=e",
    "a word that is in no artwork": "q=zzzzzzzz",
    "user and category": "username=user1&category=painting",
    "user, category, tag and featured": "username=user1&category=painting&tag=tag 1&featured=false",
    "common word and rare tag": "q=untitled&tag={tag}",
    "common word and few artworks of a user": "q=untitled&username={user}",
    "common word and unknown user": "q=untitled&username=nobody",
    "common word and featured": "q=untitled&featured=true",
    "two common words": "q=untitled e",
    "two common words that never meet": "q=odd even",
    "eight common words": f"q={E_WORDS}",
    "common word, common tag": "q=untitled&tag=odd",
    "featured, and a tag that no featured artwork has": "featured=true&tag=odd",
    "the same with two common words": "featured=true&tag=odd&q=untitled e",
    "the same with eight common words": f"featured=true&tag=odd&category=painting&q={E_WORDS}",
}


class Recorder:
    """D1 over a file, which remembers what it was asked."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.asked: list[Statement] = []
        self.seconds = 0.0

    async def batch(self, statements: Sequence[Statement]) -> list[list[Row]]:
        self.asked += statements
        started = time.thread_time()
        answers: list[list[Row]] = [[dict(r) for r in self._connection.execute(*s)] for s in statements]
        self.seconds += time.thread_time() - started
        return answers


class _Platform:
    """As much of the platform as a list needs."""

    def __init__(self, database: Recorder) -> None:
        self.database = database


def listed(connection: sqlite3.Connection, query: str) -> tuple[int, str | None, Recorder]:
    """How many artworks a page has, the next cursor, and what it took."""
    recorder = Recorder(connection)
    platform = cast(Platform, _Platform(recorder))
    page, cursor = asyncio.run(search.list_artworks(platform, fields.list_query_of(query)))
    return len(page), cursor, recorder


def measured(connection: sqlite3.Connection, query: str) -> dict[str, Any]:
    """One query from the top and from the middle: the slower of the two, and the statements."""
    middle = connection.execute(
        "SELECT (max(position) - min(position)) / 2 + min(position) FROM artwork_positions"
    ).fetchone()[0]
    worst: dict[str, Any] = {"ms": -1.0}
    for cursor in ("", f"&cursor=p{middle}"):
        runs = [listed(connection, f"{query}&limit=100{cursor}") for _ in range(ROUNDS)]
        milliseconds = [run[2].seconds * 1000 for run in runs]
        found, following, recorder = runs[0]
        if statistics.median(milliseconds) > worst["ms"]:
            worst = {
                "ms": round(statistics.median(milliseconds), 2),
                "all": [round(value, 2) for value in milliseconds],
                "found": found,
                "goesOn": following is not None,
                "asked": recorder.asked,
            }
    return worst


def rarest(connection: sqlite3.Connection) -> dict[str, str]:
    """A user and a tag of few artworks each."""
    user = connection.execute(
        "SELECT username FROM users WHERE id IN (SELECT user_id FROM artworks LIMIT 5000) ORDER BY"
        " (SELECT count(*) FROM artworks WHERE user_id = users.id) LIMIT 1"
    ).fetchone()[0]
    tags = [row[0] for row in connection.execute("SELECT DISTINCT tag FROM artwork_tags LIMIT 1500")]
    return {"user": user, "tag": tags[-1]}


def writes(connection: sqlite3.Connection) -> dict[str, float]:
    """Milliseconds of an insert, a change of the title and a removal, each a transaction of its own."""
    copied = ", ".join(row[1] for row in connection.execute("PRAGMA table_info(artworks)"))
    values = copied.replace("id,", "?,", 1).replace("slug", "?").replace("original_key", "?")
    sources = [
        row[0] for row in connection.execute("SELECT artwork_id FROM artwork_positions LIMIT ?", (WRITES,))
    ]
    steps: dict[str, tuple[str, Any]] = {
        "create": (
            f"INSERT INTO artworks ({copied}) SELECT {values} FROM artworks WHERE id = ?",  # noqa: S608
            lambda source: (f"copy {source}", f"copy {source}", f"copy {source}", source),
        ),
        "change": ("UPDATE artworks SET title = 'Changed' WHERE id = ?", lambda source: (f"copy {source}",)),
        "remove": ("DELETE FROM artworks WHERE id = ?", lambda source: (f"copy {source}",)),
    }
    taken = {}
    for name, (text, values_of) in steps.items():
        seconds = []
        for source in sources:
            started = time.thread_time()
            connection.execute(text, values_of(source))
            seconds.append(time.thread_time() - started)
        taken[name] = round(statistics.median(seconds) * 1000, 3)
    return taken


def rows_read(path: Path, results: dict[str, dict[str, Any]]) -> None:
    """Ask the local D1 the same statements of the same file; `asked` gives way to `rowsRead`."""
    asked = {name: result.pop("asked") for name, result in results.items()}
    done = subprocess.run(
        [str(ROOT / ".venv/bin/node"), str(ROOT / "benchmarks/search_rows.mjs"), str(path)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    for name, count in json.loads(done.stdout).items():
        results[name]["rowsRead"] = count


def opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def made(path: Path, count: int) -> float:
    """Seconds that making the gallery took."""
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    started = time.monotonic()
    for done in search_rows.fill(connection, search_rows.schema_at(ROOT), count):
        print(f"{done:,} of {count:,}", end="\r", flush=True)
    connection.close()
    return round(time.monotonic() - started, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--gallery", type=Path, help="a database that was made before")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    path = arguments.gallery or ROOT / f".cache/bench/search-{arguments.count}.db"
    if not path.exists():
        made(path, arguments.count)
    load = machine.load()
    connection = opened(path)
    count = connection.execute("SELECT count(*) FROM artwork_positions").fetchone()[0]
    rare = rarest(connection)
    results = {name: measured(connection, query.format(**rare)) for name, query in QUERIES.items()}
    cost = writes(connection)
    connection.close()
    rows_read(path, results)
    for name, result in results.items():
        print(f"{result['ms']:8.2f} ms {result['rowsRead']:6} rows {result['found']:4} found  {name}")
    print(cost, f"{path.stat().st_size / count:,.0f} bytes an artwork")
    about = {"count": count, "bytesAnArtwork": round(path.stat().st_size / count), "loadBefore": load}
    report = {
        "about": about | {"machine": machine.machine()},
        "measured": {"queries": results, "milliseconds of a write": cost},
    }
    if arguments.output:
        arguments.output.write_text(json.dumps(report, indent=1) + "\n")
    within = [result["rowsRead"] <= MOST_ROWS and result["ms"] <= MOST_MS for result in results.values()]
    return 0 if all(within) else 1


if __name__ == "__main__":
    raise SystemExit(main())
