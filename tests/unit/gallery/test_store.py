"""The statements, run against the schema with D1's limits; columns are written and read by name."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from typing import Any

import pytest
from tests.support.gallery.database import SqliteDatabase

from gallery.artwork import Artwork, Description, Rendered, User
from gallery.ports import Statement
from gallery.store import artworks, database, search, uploads, users
from gallery.store.artworks import artwork_of
from gallery.store.users import user_of

STATEMENTS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": text
    for module in (database, artworks, users, uploads, search)
    for name, text in vars(module).items()
    if name.isupper() and name[0] != "_" and isinstance(text, str) and re.match(r"\s*[A-Z]+ ", text)
}
KEY = "originals/usr_ada/{}.jpg"
INSERT_ADA = "INSERT INTO users (id, username, artwork_limit, artwork_count) VALUES ('usr_ada', 'ada', ?, ?)"


def bound(text: str) -> Statement:
    names = set(re.findall(r":([a-z_]+)", text))
    return database.bind(text, **dict.fromkeys(names))


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_statement_fits_the_schema_and_d1(name: str) -> None:
    text, values = bound(STATEMENTS[name])
    SqliteDatabase().rows(f"EXPLAIN {text}", *values)


def test_all_tables_are_among_the_statements() -> None:
    text = " ".join(STATEMENTS.values())
    assert all(f" {table}" in text for table in ("users", "artworks", "uploads", "artwork_search"))
    assert len(STATEMENTS) > 40


@pytest.mark.parametrize(
    "statement",
    [
        artworks.find("art_1"),
        artworks.find_by_original(KEY.format("x")),
        artworks.find_by_slug("ada", "slug"),
        users.find("usr_ada"),
        users.find_by_subject("https://login.example", "ada"),
        users.find_by_username("ada"),
        uploads.find(KEY.format("x")),
    ],
)
def test_a_single_row_is_found_by_an_index(statement: Statement) -> None:
    text, values = statement
    plan = SqliteDatabase().rows(f"EXPLAIN QUERY PLAN {text}", *values)
    assert not [step["detail"] for step in plan if step["detail"].startswith("SCAN")]


def rendered(number: int = 1, **changes: Any) -> Rendered:
    columns = ("original_url", "display_url", "thumbnail_url", "icon_url")
    urls: dict[str, Any] = {column: f"https://cdn/{column}/{number}" for column in columns}
    made = Rendered(
        version=1,
        original_etag="etag of the original",
        **urls,
        width=301,
        height=202,
        original_width=4003,
        original_height=3004,
        dominant_color="#a0b0c0",
        thumb_hash="a hash",
        processed_at="2026-01-02T03:04:05.006Z",
    )
    return replace(made, **changes)


def run(database: SqliteDatabase, statement: Statement) -> list[dict[str, Any]]:
    text, values = statement
    return database.rows(text, *values)


def insert(database: SqliteDatabase, title: str, number: int, seconds: float = 60) -> str | None:
    """Insert an artwork under a lease of so many seconds; its slug, if it was inserted."""
    key = KEY.format(number)
    run(database, uploads.take(key, "usr_ada", "me", seconds))
    description = Description(title)
    statement = artworks.insert(
        f"art_{number}",
        "usr_ada",
        key,
        description,
        rendered(number),
        holder="me",
        now="2026-01-01T00:00:00Z",
    )
    run(database, statement)
    found = database.rows("SELECT slug FROM artworks WHERE id = ?", f"art_{number}")
    return found[0]["slug"] if found else None


DESCRIPTION = Description(
    title="A title",
    description="a description",
    materials="oil",
    dimensions="1 × 2 m",
    created_date="about 1890",
    category="painting",
    tags=("one", "two, three"),
)


def read(database: SqliteDatabase) -> Artwork:
    (row,) = run(database, artworks.find("art_1"))
    return artwork_of(row)


def test_each_field_of_an_artwork_is_read_from_where_it_was_written() -> None:
    database = SqliteDatabase()
    database.rows(INSERT_ADA, 50, 0)
    run(database, uploads.take(KEY.format(1), "usr_ada", "me", 60))
    now = "2026-02-03T04:05:06.007Z"
    run(
        database,
        artworks.insert("art_1", "usr_ada", KEY.format(1), DESCRIPTION, rendered(), holder="me", now=now),
    )
    artwork = read(database)
    for written in (DESCRIPTION, rendered()):
        for field in fields(written):
            assert getattr(artwork, field.name) == getattr(written, field.name), field.name
    assert (artwork.id, artwork.user_id, artwork.username) == ("art_1", "usr_ada", "ada")
    assert (artwork.slug, artwork.original_key, artwork.status) == ("a-title", KEY.format(1), "active")
    assert (artwork.created_at, artwork.updated_at, artwork.revision, artwork.is_featured) == (
        now,
        now,
        1,
        False,
    )
    changed = replace(
        artwork,
        title="Another",
        description=None,
        materials="ink",
        dimensions="small",
        created_date="today",
        category="drawing",
        tags=(),
        is_featured=True,
        revision=2,
        updated_at="2026-03-04T05:06:07.008Z",
    )
    run(database, artworks.update(changed))
    assert read(database) == changed
    again = rendered(
        2, version=2, original_etag="another", width=5, height=6, original_width=7, dominant_color=None
    )
    run(database, artworks.renew("art_1", KEY.format(1), again, holder="me", now=now))
    renewed = read(database)
    for field in fields(again):
        expected = "etag of the original" if field.name == "original_etag" else getattr(again, field.name)
        assert getattr(renewed, field.name) == expected, field.name


def test_an_artwork_has_every_field_that_is_written() -> None:
    names = {field.name for field in fields(Artwork)}
    assert {field.name for kind in (Description, Rendered) for field in fields(kind)} <= names


def test_each_field_of_a_user_is_read_from_where_it_was_written() -> None:
    database = SqliteDatabase()
    values: dict[str, Any] = {"issuer": "https://login.example", "subject": "auth0|ada", "artwork_limit": 7}
    created = "2026-01-01T00:00:00.000Z"
    run(database, users.insert(id="usr_1", username="ada", created_at=created, **values))
    (row,) = run(database, users.find("usr_1"))
    ada = User("usr_1", "ada", 7, 0, "active", 0, "https://login.example", "auth0|ada", created)
    assert user_of(row) == ada
    change: dict[str, Any] = {
        "username": "eva",
        "artwork_limit": 8,
        "status": "suspended",
        "tokens_valid_after": 9,
    }
    run(database, users.update("usr_1", issuer="https://other.example", subject="eva", **change))
    (row,) = run(database, users.find("usr_1"))
    assert user_of(row) == replace(ada, issuer="https://other.example", subject="eva", **change)


def test_a_parameter_that_is_missing_or_superfluous_is_refused() -> None:
    with pytest.raises(TypeError):
        database.bind("SELECT :one", two=2)
    with pytest.raises(TypeError):
        database.bind("SELECT :one", one=1, two=2)


def test_more_values_than_a_function_takes_in_d1_are_packed() -> None:
    names = [f"column_{number}" for number in range(70)]
    (row,) = SqliteDatabase().rows(f"SELECT {database.packed(str(n) for n in range(70))} AS packed")
    assert database.unpacked(names, row["packed"]) == {name: n for n, name in enumerate(names)}
    assert json.loads(row["packed"])[2] == list(range(64, 70))


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
    count = artworks.count("art_1", "usr_ada", KEY.format(1), "me")
    run(database, count)
    run(database, uploads.settle(KEY.format(1), "me", "art_1"))
    run(database, count)
    assert database.rows("SELECT artwork_count AS n FROM users") == [{"n": 1}]
