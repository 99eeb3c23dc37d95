"""Search: every way to write a row keeps the index right, every query is safe, every page is bounded."""

from __future__ import annotations

import json
import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any
from unicodedata import category
from urllib.parse import quote, urlencode
from uuid import NAMESPACE_URL, uuid5

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.database import ROOT, SqliteDatabase
from tests.support.gallery.world import World, json_of

from gallery.http import fields
from gallery.store import search

WRITERS_COLUMNS = (
    "id, user_id, slug, title, description, category, tags, original_key, original_url, display_url,"
    " thumbnail_url, icon_url, width, height, original_width, original_height, is_featured, processed_at,"
    " created_at, updated_at"
)
MIGRATION = next((ROOT / "migrations").glob("*_search.sql")).read_text()
TERMS = "SELECT term, doc FROM terms"


def write(database: SqliteDatabase, artwork_id: str, **said: Any) -> None:
    """A row as another program writes it, straight into the table."""
    tags = said.get("tags", ())
    values = [
        *[artwork_id, said.get("user", "usr_ada"), f"slug-{artwork_id}", said.get("title", "Untitled")],
        *[said.get("description"), said.get("category", "other")],
        tags if isinstance(tags, str) else json.dumps(tags, ensure_ascii=False),
        *[
            f"originals/usr_ada/{uuid5(NAMESPACE_URL, artwork_id)}.jpg",
            "o",
            "d",
            "t",
            "i",
            3,
            2,
            6,
            4,
            said.get("featured", 0),
            "2026-01-01",
        ],
        *[said.get("created", "2026-01-01T00:00:00.000Z"), "2026-01-01"],
    ]
    marks = ", ".join("?" * len(values))
    database.rows(f"INSERT INTO artworks ({WRITERS_COLUMNS}) VALUES ({marks})", *values)  # noqa: S608


def gallery() -> World:
    world = World()
    world.user()
    world.user("usr_bob", "Bob")
    return world


def walk(world: World, limit: int = 100, **filters: str) -> list[str]:
    """Ids of all pages, in order."""

    async def pages() -> list[str]:
        found: list[str] = []
        parameters = filters | {"limit": str(limit)}
        while True:
            answer = await world.ask("GET", f"/api/artworks?{urlencode(parameters)}")
            assert answer.status == 200, answer.body
            page = json_of(answer)
            found += [artwork["id"] for artwork in page["data"]]
            if page["nextCursor"] is None:
                return found
            parameters["cursor"] = page["nextCursor"]

    return run(pages())


def index_of(database: SqliteDatabase) -> list[tuple[str, int]]:
    database.rows("CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab(main, artwork_search, row)")
    return [(row["term"], row["doc"]) for row in database.rows(TERMS)]


def refill(database: SqliteDatabase) -> None:
    database.rows("INSERT INTO artwork_search (artwork_search) VALUES ('delete-all')")
    database.rows("INSERT INTO artwork_terms (artwork_id) SELECT id FROM artworks")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("sunset", True),
        ("SUN", True),
        ("öst", True),
        ("ost", True),
        ("ada", True),
        ("mari", True),
        ("dusk lake", True),
        ("lake sunset ada marine", True),
        ("sunset nowhere", False),
        ("unset", False),
        ("lake's", True),
        ("lake'x", False),
        ("l'lake", True),
        ("sonnenuntergangsstimmungsbild", True),
        ("sonnenuntergangsstimme", True),  # the first 16 letters count
        ("sonnenunterlage", False),
        ("100%", True),
        ("夕焼け", True),
        ("焼け", True),
        ("山", True),
        ("け", True),
        ("夕焼けの山abc", True),
        ("山夕", False),
        ("海辺", True),
        ("กรุงเทพ", True),
        ("เทพ", True),
        ("कलाकार", True),
        ("कला", True),
        ("Ｓｕｎｓｅｔ", True),
        ("ﬁn", True),
    ],
)
def test_words_are_found_wherever_they_were_said(asked: str, found: bool) -> None:
    world = gallery()
    write(
        world.database,
        "art_1",
        title="Sunset, l'été Østergård öst 夕焼けの山abc fin",
        description="At dusk, over the lake.\nSonnenuntergangsstimmungsbild. 100% कलाकार กรุงเทพ",
        tags=["marine", "海辺"],
    )
    write(world.database, "art_2", title="Another", user="usr_bob")
    assert walk(world, q=asked) == (["art_1"] if found else [])


NASTY = [
    *[
        '"',
        '""',
        "'",
        '"a',
        'a"',
        "a*",
        "*",
        "^a",
        "a:b",
        "terms:a",
        "-a",
        "+a",
        "(a",
        "a)",
        "{a b}",
        "a + b",
    ],
    *["AND", "OR", "NOT", "NEAR(a b)", "a NOT b", "a AND", "%", "_", "\0", "a\0b", "\u0301", "a\u0301\u0301"],
    *[
        "\ue000",
        "\ue000\U000f0001",
        "\u200d",
        "\ufeff",
        "\ufffe",
        "\U0010ffff",
        "\u2028",
        "'; DROP TABLE x; --",
    ],
    *[
        "x" * 100,
        "ß" * 100,
        " ".join("abcdefghijklmnopqrstuvwxyz"),
        "夕" * 100,
        "۱۲۳",
        "½",
        "İ",
        "ǅ",
        "😀",
        "\\",
    ],
]


@pytest.mark.parametrize("asked", NASTY)
def test_no_query_is_an_error(asked: str) -> None:
    world = gallery()
    write(world.database, "art_1", title=f"{asked} a")
    answer = run(world.ask("GET", f"/api/artworks?q={quote(asked)}&username=ada&tag={quote(asked)}"))
    assert answer.status == 200, answer.body
    words = search.words_of(asked)
    assert walk(world, q=asked) == (["art_1"] if words else [])


def test_every_letter_is_one_term_of_the_index() -> None:
    schema = SqliteDatabase().rows("SELECT sql FROM sqlite_master WHERE name = 'artwork_search'")[0]["sql"]
    assert "content = 'artwork_terms'" in schema
    text = schema.replace("content = 'artwork_terms',", "content = '',").replace(
        "content_rowid = 'position',", ""
    )
    letters = [chr(c) for c in range(0x110000) if category(chr(c))[0] in "LNM"]
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(text)
        for start in range(0, len(letters), 50):
            words = [word for c in letters[start : start + 50] for word in search.words_of(f"a{c}b{c}")]
            assert words
            expression = " OR ".join(search.term_of(word) for word in words)
            database.execute("SELECT 1 FROM artwork_search WHERE artwork_search MATCH ?", (expression,))


def test_a_text_cannot_pass_for_a_filter() -> None:
    world = gallery()
    write(world.database, "art_1", tags=["secret"], featured=1)
    tokens = [row["token"] for row in world.database.rows("SELECT token FROM search_facets")]
    write(world.database, "art_2", user="usr_bob", title=" ".join(tokens), description=" ".join(tokens))
    assert (
        walk(world, username="ada") == walk(world, tag="secret") == walk(world, featured="true") == ["art_1"]
    )
    assert walk(world, q=" ".join(tokens)[:100]) == []


def test_what_another_program_writes_is_listed_and_kept_in_step() -> None:
    world = gallery()
    database = world.database
    write(database, "b7", title="Harbour", tags=["Sea", "sea"], created="2026-01-02 10:00:00")
    write(
        database, "17", title="Harbour at dusk", user="usr_bob", tags='{"a": [1, null]}', created="2025-12-31"
    )
    write(database, "x", title="Harbour lost", tags='"one"', created="no date at all")
    assert walk(world) == walk(world, q="harb") == ["b7", "17", "x"]
    assert walk(world, tag="Sea") == ["b7"]
    database.rows("UPDATE artworks SET title = 'Pier', tags = '[\"pier\"]', is_featured = 1 WHERE id = 'b7'")
    assert walk(world, q="harbour") == ["17", "x"]
    assert walk(world, tag="Sea") == []
    assert walk(world, tag="pier") == walk(world, featured="true") == walk(world, q="pier") == ["b7"]
    database.rows("UPDATE users SET username = 'grace' WHERE id = 'usr_ada'")
    assert walk(world, q="ada") == walk(world, username="ada") == []
    assert walk(world, q="grace") == walk(world, username="GRACE") == ["b7", "x"]
    database.rows("UPDATE artworks SET created_at = '2026-05-01T00:00:00Z', id = 'y' WHERE id = 'x'")
    assert walk(world) == ["y", "b7", "17"]
    database.rows("DELETE FROM artworks WHERE id = 'b7'")
    assert walk(world) == ["y", "17"]
    assert walk(world, q="pier") == walk(world, tag="pier") == []
    before = index_of(database)
    refill(database)
    assert index_of(database) == before


def test_random_writes_leave_the_index_as_if_filled_anew() -> None:
    chance = random.Random(11)  # noqa: S311
    world = gallery()
    database = world.database
    words = ["sea", "lake", "dusk", "été", "夕焼け", "harbour", "pier", "ada"]
    living: set[str] = set()
    for number in range(400):
        action = chance.choice(["write", "write", "change", "delete", "rename", "move"])
        said = " ".join(chance.choices(words, k=3))
        artwork_id = chance.choice(sorted(living)) if living else ""
        if action == "write" or not living:
            living.add(f"art_{number}")
            moment = f"2026-01-0{chance.randrange(1, 9)}T00:00:00.00{chance.randrange(3)}Z"
            write(database, f"art_{number}", title=said, tags=chance.choices(words, k=2), created=moment)
        elif action == "change":
            database.rows(
                "UPDATE artworks SET description = ?, revision = revision + 1 WHERE id = ?", said, artwork_id
            )
        elif action == "delete":
            living.remove(artwork_id)
            database.rows("DELETE FROM artworks WHERE id = ?", artwork_id)
        elif action == "rename":
            database.rows("UPDATE users SET username = ? WHERE id = 'usr_ada'", f"user{number}")
        else:
            database.rows(
                "UPDATE artworks SET created_at = ? WHERE id = ?", f"2026-02-{1 + number % 28:02}", artwork_id
            )
    ordered = database.rows(
        "SELECT created_at FROM artworks JOIN artwork_positions ON artwork_id = id ORDER BY position"
    )
    assert [row["created_at"][:23] for row in ordered] == sorted(row["created_at"][:23] for row in ordered)
    assert set(walk(world, limit=7)) == living
    before = index_of(database)
    refill(database)
    assert index_of(database) == before


def test_more_artworks_of_one_millisecond_than_it_has_numbers() -> None:
    world = gallery()
    write(world.database, "later", created="2026-01-01T00:00:02.000Z")
    for number in range(1100):
        write(world.database, f"art_{number:04}")
    write(world.database, "earlier", created="2025-12-31T23:59:59.999Z")
    expected = ["later", *(f"art_{number:04}" for number in reversed(range(1100))), "earlier"]
    assert walk(world) == expected


async def test_an_artwork_keeps_its_place_when_it_is_changed_between_two_pages() -> None:
    world = gallery()
    for number in range(6):
        write(world.database, f"art_{number}")
    page = json_of(await world.ask("GET", "/api/artworks?limit=3"))
    world.database.rows("UPDATE artworks SET title = 'Changed'")
    rest = json_of(await world.ask("GET", f"/api/artworks?limit=3&cursor={page['nextCursor']}"))
    assert [a["id"] for a in page["data"] + rest["data"]] == [f"art_{n}" for n in reversed(range(6))]


@pytest.mark.parametrize(
    "text", [search.SEARCH, search.NEWEST_OF_FACET, search.FACET_REACH, search.WORD_REACH]
)
def test_a_position_is_an_integer_to_the_index(text: str) -> None:
    assert re.findall(r"rowid < (?!CAST\(:before AS INTEGER\))", text) == []
    assert "rowid < CAST" in text


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> World:
    """A gallery of 600 artworks in blocks of 50, of which a search looks at few."""
    monkeypatch.setattr("gallery.store.search.FEW", 5)
    monkeypatch.setattr("gallery.store.search.SHARED_BLOCKS", 2)
    world = gallery()
    trigger = world.database.rows("SELECT sql FROM sqlite_master WHERE name = 'artwork_positions_inserted'")[
        0
    ]["sql"]
    assert ">= 16384" in trigger
    world.database.rows("DROP TRIGGER artwork_positions_inserted")
    world.database.rows(trigger.replace(">= 16384", ">= 50"))
    for number in range(600):
        write(
            world.database,
            f"art_{number:03}",
            title="common " + ("rare" if number in (3, 590) else "plenty" if number % 2 else "many"),
            user=("usr_ada", "usr_bob")[number % 3 == 0],
            category=("painting", "drawing")[number % 5 == 0],
            tags=[f"t{number % 7}"],
            featured=int(number % 10 == 0),
            created=f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z",
        )
    return world


@pytest.mark.parametrize("limit", [1, 4, 100])
@pytest.mark.parametrize(
    "filters",
    [
        {"q": "common plenty"},
        {"q": "plenty many"},
        {"q": "common rare"},
        {"q": "c p"},
        {"q": "many", "featured": "true"},
        {"q": "plenty", "featured": "true"},
        {"username": "bob", "category": "drawing"},
        {"username": "ada", "tag": "t3", "featured": "false", "category": "painting", "q": "common"},
        {"username": "nobody", "q": "common"},
        {"tag": "none", "q": "common"},
    ],
)
def test_pages_of_a_search_miss_nothing_however_short(
    small: World, filters: dict[str, str], limit: int
) -> None:
    said: dict[str, Callable[[Any, str], bool]] = {
        "q": lambda row, value: all(f" {word}" in f" {row['title']}" for word in value.split()),
        "username": lambda row, value: {"ada": "usr_ada", "bob": "usr_bob"}.get(value) == row["user_id"],
        "category": lambda row, value: row["category"] == value,
        "tag": lambda row, value: value in json.loads(row["tags"]),
        "featured": lambda row, value: row["is_featured"] == (value == "true"),
    }
    rows = small.database.rows("SELECT * FROM artworks ORDER BY created_at DESC")
    expected = [row["id"] for row in rows if all(said[name](row, value) for name, value in filters.items())]
    assert walk(small, limit, **filters) == expected


def test_a_search_that_finds_nothing_looks_at_a_few_blocks_and_says_where_to_go_on(small: World) -> None:
    page = json_of(run(small.ask("GET", "/api/artworks?q=plenty%20many")))
    assert page["data"] == []
    assert page["nextCursor"] is not None
    rare = json_of(run(small.ask("GET", "/api/artworks?q=common%20rare")))
    assert [artwork["id"] for artwork in rare["data"]] == ["art_590", "art_003"]
    assert rare["nextCursor"] is None


def test_what_a_request_may_read_is_bounded() -> None:
    page = 4 * (fields.MOST + 1)  # of the index, the positions, the artworks and the users
    terms = 4 + search.WORDS
    assert page + search.PROBES * search.FEW + 2 * terms + search.MOST_BLOCKS + 1 <= 2000


def test_the_migration_indexes_the_artworks_that_there_are() -> None:
    world = gallery()
    database = world.database
    for number in range(30):
        write(
            database,
            f"art_{number:02}",
            title=f"Work {number}",
            created=f"2026-01-01T00:00:{number % 10:02}Z",
        )
    expected, index = walk(world), index_of(database)
    names = ("TRIGGER", "VIEW", "TABLE")
    for kind in names:
        for row in database.rows(
            "SELECT name FROM sqlite_master WHERE type = ? AND sql IS NOT NULL", kind.lower()
        ):
            ours = row["name"].startswith(("artwork_", "artworks_", "search_", "users_"))
            if ours and not row["name"].startswith("artwork_search_"):
                database.rows(f"DROP {kind} {row['name']}")
    database.rows("CREATE INDEX artworks_newest ON artworks (created_at DESC, id DESC)")
    database.connection.executescript(MIGRATION)
    assert sorted(walk(world)) == sorted(expected)
    assert walk(world)[:3] == ["art_29", "art_19", "art_09"]
    database.rows("DROP TABLE temp.terms")
    assert index_of(database) == index
    assert database.rows("SELECT name FROM sqlite_master WHERE name LIKE 'artworks_newest%'") == []
