"""The statements, run against the schema."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.support.gallery.fakes import SqliteDatabase

from gallery.store import artworks, search, uploads, users

STATEMENTS = {
    name: text
    for module in (artworks, users, search)
    for name, text in vars(module).items()
    if name.isupper() and not name.startswith("_") and isinstance(text, str)
}

INSERT_ADA = "INSERT INTO users (id, username, artwork_limit, artwork_count) VALUES ('usr_ada', 'ada', ?, ?)"


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_statement_fits_the_schema_and_d1(name: str) -> None:
    numbers = {int(number) for number in re.findall(r"\?(\d+)", STATEMENTS[name])}
    assert numbers == set(range(1, len(numbers) + 1))
    assert len(numbers) <= 100
    assert not re.search(r"\?(?!\d)", STATEMENTS[name])
    SqliteDatabase().rows(f"EXPLAIN {STATEMENTS[name]}", *[None] * len(numbers))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ARTWORK", ["art_1"]),
        ("ARTWORK_OF_ORIGINAL", ["originals/u/x.jpg"]),
        ("ARTWORK_BY_SLUG", ["ada", "slug"]),
        ("USER", ["usr_ada"]),
    ],
)
def test_a_single_row_is_found_by_an_index(name: str, values: list[Any]) -> None:
    plan = SqliteDatabase().rows(f"EXPLAIN QUERY PLAN {STATEMENTS[name]}", *values)
    assert not [step["detail"] for step in plan if step["detail"].startswith("SCAN")]


def insert(database: SqliteDatabase, slug: str, number: int, seconds: float = 60) -> str | None:
    key = f"originals/usr_ada/{number}.jpg"
    text, bound = uploads.take(key, "usr_ada", "me", seconds)
    database.rows(text, *bound)
    values = [
        *[f"art_{number}", "usr_ada", slug, "Title", None, None, None, None, "other", "[]", key],
        *[1, 300, 200, 4000, 3000, None, None, "now", "now", "me"],
        *[f"https://cdn/{folder}/{number}.jpg" for folder in ("originals", "display", "thumbnails", "icons")],
        "etag",
    ]
    database.rows(artworks.INSERT_ARTWORK, *values)
    found = database.rows("SELECT slug FROM artworks WHERE id = ?", f"art_{number}")
    return found[0]["slug"] if found else None


@pytest.mark.parametrize(
    ("taken", "slug", "expected"),
    [
        ([], "pear", "pear"),
        (["pear"], "pear", "pear-1"),
        (["pear", "pear-1", "pear-2"], "pear", "pear-3"),
        (["pear", "pear-2"], "pear", "pear-1"),
        (["pear-1"], "pear", "pear"),
        (["pear", "pear-1", "pear-tree", "pear-9"], "pear", "pear-2"),
        (["pear", "pear-99999999999999999999"], "pear", "pear-1"),
        (["pear", "pear-1"], "pear-1", "pear-1-1"),
        (["pear", "pears", "pea"], "pear", "pear-1"),
        (["夕焼け"], "夕焼け", "夕焼け-1"),
        (["100%", "a_b"], "a_b", "a_b-1"),
    ],
)
def test_a_slug_is_the_first_free_one(taken: list[str], slug: str, expected: str) -> None:
    database = SqliteDatabase()
    database.rows(INSERT_ADA, 50, 0)
    for number, name in enumerate(taken):
        insert(database, name, number)
        database.rows("UPDATE artworks SET slug = ? WHERE id = ?", name, f"art_{number}")
    assert insert(database, slug, 1000) == expected


@pytest.mark.parametrize(("limit", "count"), [(0, 0), (3, 3), (3, 4)])
def test_a_full_quota_inserts_nothing(limit: int, count: int) -> None:
    database = SqliteDatabase()
    database.rows(INSERT_ADA, limit, count)
    assert insert(database, "pear", 1) is None


def test_after_the_end_of_its_lease_nothing_is_inserted() -> None:
    database = SqliteDatabase()
    database.rows(INSERT_ADA, 50, 0)
    assert insert(database, "pear", 1, seconds=0) is None


def test_without_the_lease_nothing_is_inserted_or_counted() -> None:
    database = SqliteDatabase()
    database.rows(INSERT_ADA, 50, 0)
    insert(database, "pear", 1)
    key = "originals/usr_ada/1.jpg"
    count = ["usr_ada", "art_1", key, "me"]
    database.rows(artworks.COUNT_ARTWORK, *count)
    text, bound = uploads.settle(key, "me", "art_1")
    database.rows(text, *bound)
    database.rows(artworks.COUNT_ARTWORK, *count)
    assert database.rows("SELECT artwork_count AS n FROM users") == [{"n": 1}]
