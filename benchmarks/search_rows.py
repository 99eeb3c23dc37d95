"""A gallery of any size, written row by row through the schema's own triggers."""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gallery.artwork import Category

USERS = 20_000
TAGS = 2_000
WORDS = 30_000
CAPTION_WORDS = 40
START = datetime(2024, 1, 1, tzinfo=UTC)
SECONDS_APART = 60
COMMON = "untitled"  # a word of every artwork
SEED = 7
_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
_TRANSACTION = 5_000
_COLUMNS = (
    "id, user_id, slug, title, description, category, tags, original_key, original_url, display_url,"
    " thumbnail_url, icon_url, width, height, original_width, original_height, is_featured, processed_at,"
    " created_at, updated_at"
)
_INSERT = f"INSERT INTO artworks ({_COLUMNS}) VALUES ({', '.join('?' * 20)})"  # noqa: S608


def fill(connection: sqlite3.Connection, schema: str, count: int) -> Iterator[int]:
    """Make the tables and `count` artworks in them, a minute apart; yields how many there are by now.

    Words follow Zipf's law; tags, and the number of artworks of a user, a power law. Every artwork has the
    word `untitled` and a tag that says whether its number is even, so that the worst intersections exist.
    """
    connection.executescript(schema)
    chance = random.Random(SEED)  # noqa: S311
    connection.executemany(
        "INSERT INTO users (id, username) VALUES (?, ?)",
        ((f"usr_{n:016x}", f"user{n}") for n in range(USERS)),
    )
    rows = _rows(chance, count)
    for done in range(0, count, _TRANSACTION):
        connection.execute("BEGIN")
        connection.executemany(_INSERT, itertools.islice(rows, _TRANSACTION))
        connection.execute("COMMIT")
        yield min(count, done + _TRANSACTION)


def schema_at(root: Path) -> str:
    return (root / "schema.sql").read_text()


def _rows(chance: random.Random, count: int) -> Iterator[tuple[Any, ...]]:
    vocabulary = [_word(chance) for _ in range(WORDS)]
    weights = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(WORDS)))
    for number in range(count):
        moment = START + timedelta(seconds=SECONDS_APART * number, milliseconds=number % 1000)
        created = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        words = chance.choices(vocabulary, cum_weights=weights, k=3 + CAPTION_WORDS)
        tags = [f"tag {_zipf(chance, TAGS)}" for _ in range(chance.randrange(6))]
        tags += [("even", "odd")[number % 2]]
        key = f"usr_{_zipf(chance, USERS):016x}"
        address = f"{key}/{number:036x}.jpg"
        yield (
            f"art_{number:032x}",
            key,
            f"work-{number}",
            " ".join([COMMON, *words[:3]]),
            " ".join(words[3:]),
            chance.choice([*Category]),
            json.dumps(list(dict.fromkeys(tags))),
            *(f"originals/{address}", *(f"https://cdn.example/{f}/{address}" for f in "odti")),
            *(2048, 1365, 4320, 2880),
            int(number % 100 == 0),
            *(created, created, created),
        )


def _word(chance: random.Random) -> str:
    length = max(2, min(16, round(chance.gauss(6.5, 2.3))))
    return "".join(chance.choices(_LETTERS, weights=range(len(_LETTERS), 0, -1), k=length))


def _zipf(chance: random.Random, most: int) -> int:
    return int(chance.paretovariate(0.6)) % most
