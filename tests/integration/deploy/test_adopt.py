"""Adopting the database of a gallery that was there before: in place, with nothing lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy import sample_migrations
from tests.support.deploy.cloudflare import Cloudflare, Database
from tests.support.deploy.fake_wrangler import FakeWrangler
from tests.support.deploy.foreign_databases import GALLERIES, TWICE, ask_of, open_gallery
from tests.support.deploy.projects import ROOT
from tests.support.deploy.runs import Runner, changed
from tests.support.gallery.clock import run
from tests.support.gallery.creates import create
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import World, json_of
from tests.unit.gallery.test_other_writers import INSERT, ROW
from tools.deploy import adopt, schema
from tools.deploy.adopt import Adoption, plan_adoption
from tools.deploy.schema import Migration
from tools.problem import Problem

Opener = Callable[[str], sqlite3.Connection]

MIGRATIONS = schema.migrations_in(ROOT / "migrations")
TABLES = {name for kind, name in schema.structure_of(each.sql for each in MIGRATIONS) if kind == "table"}
OURS = min(TABLES - {"users", "artworks"})


@pytest.fixture
def gallery() -> Iterator[Opener]:
    """Makes databases of other programs, which are closed after the test."""
    with ExitStack() as connections:
        yield lambda script: connections.enter_context(closing(open_gallery(script)))


def adopted(database: sqlite3.Connection, migrations: list[Migration] = MIGRATIONS) -> Adoption:
    """Adopt as the command does: everything in one transaction, then what is pending."""
    found = plan_adoption(ask_of(database), migrations)
    database.executescript(f"BEGIN;\n{found.sql}\nCOMMIT;")
    for migration in migrations:
        if migration not in found.covered:
            database.executescript(migration.sql)
    return found


def world_of(database: sqlite3.Connection) -> World:
    """A gateway in memory on this database."""
    world = World()
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA foreign_keys = ON")
    world.database.connection = database
    return world


def ask(world: World, method: str, path: str, body: Any = None, user: str | None = None) -> tuple[int, Any]:
    async def story() -> tuple[int, Any]:
        headers = bearer(user) if user else {}
        answer = await world.ask(method, path, body, headers=headers)
        return answer.status, json_of(answer) if answer.body else None

    return run(story())


@pytest.mark.parametrize("name", GALLERIES)
def test_nothing_is_lost(name: str, gallery: Opener) -> None:
    database = gallery(GALLERIES[name])
    before = sample_migrations.tables(database)
    adopted(database)
    after = sample_migrations.tables(database)
    for rows in (*before["users"], *after["users"]):
        rows.pop("artwork_count", None)
        if rows.get("artwork_limit") in (None, 50):
            rows.pop("artwork_limit", None)
    assert [
        {column: row.get(column) for column in old}
        for old, row in zip(before["users"], after["users"], strict=True)
    ] == before["users"]
    del before["users"], after["users"]
    assert sample_migrations.lost(before, after) == []
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    assert {"idx_users_email", "idx_artworks_user", "artworks_touched", "popular"} <= names


@pytest.mark.parametrize("name", GALLERIES)
def test_an_adopted_gallery_works(name: str, gallery: Opener) -> None:
    database = gallery(GALLERIES[name])
    adopted(database)
    world = world_of(database)
    listed = ask(world, "GET", "/api/artworks")[1]["data"]
    assert [artwork["id"] for artwork in listed] == ["3", "5f0c7f0e-3f6e-4d5e-9a53-0f2f5f6f7f8f"]
    one = ask(world, "GET", "/api/users/ann/artworks/dusk")[1]["data"]
    assert (one["displayUrl"], one["tags"], one["category"]) == ("https://i/display/1.jpg", ["sea"], "Oil")
    assert one["createdAt"] == "2025-01-02T03:04:05.000Z"
    assert ask(world, "GET", "/api/artworks/2")[0] == 404
    assert ask(world, "GET", "/api/artworks/2", user="u1")[1]["data"]["status"] == "draft"
    me = ask(world, "GET", "/api/me", user="u1")[1]["data"]
    assert (me["artworkCount"], me["artworkLimit"]) == (2, 50)
    assert ask(world, "PATCH", "/api/artworks/2", {"title": "Dawn!"}, "u1")[0] == 200
    assert ask(world, "DELETE", "/api/artworks/3", user="u-2")[0] == 204
    made = run(create(world, world.original("u1"), "u1", title="Dusk"))
    assert (made.status, json_of(made)["data"]["slug"]) == (201, "dusk-1")
    assert world.count("u1") == 3
    assert world.count("u-2") == 0


def test_its_own_statement_still_records(gallery: Opener) -> None:
    database = gallery(GALLERIES["as it was specified"])
    adopted(database)
    database.execute(INSERT, [*(ROW | {"user_id": "u1", "slug": "another", "id": "another"}).values()])
    assert ask(world_of(database), "GET", "/api/artworks/another")[0] == 200


def test_an_address_that_two_artworks_have_stays_the_older_ones(gallery: Opener) -> None:
    database = gallery(TWICE)
    found = adopted(database)
    slugs = dict(database.execute("SELECT id, slug FROM artworks"))
    assert slugs == {
        "5f0c7f0e-3f6e-4d5e-9a53-0f2f5f6f7f8f": "dusk",
        "2": "dusk-2",
        "3": "dusk",
        "4": "dusk-1",
        "5": "5",
    }
    assert any("1 artworks get another slug" in note for note in found.remarks)


def test_what_is_worth_knowing_is_said(gallery: Opener) -> None:
    database = gallery(GALLERIES["as it was specified"])
    database.executescript(
        "INSERT INTO users (id, email, username) VALUES ('auth0|7', 'c', '..'), ('u4', 'd', 'ANN'), "
        "('a b', 'e', 'eve')"
    )
    remarks = "\n".join(plan_adoption(ask_of(database), MIGRATIONS).remarks)
    assert "artworks gets original_key, original_etag, version, width" in remarks
    assert "1 artworks are draft: only their owners see them" in remarks
    assert "no address can hold the names of the users auth0|7" in remarks
    assert "several users are called" in remarks
    assert "no token can name the users a b" in remarks


def test_a_dry_run_asks_and_changes_nothing(gallery: Opener) -> None:
    database = gallery(GALLERIES["as it was specified"])
    before = list(database.iterdump())
    database.execute("PRAGMA query_only = ON")
    plan_adoption(ask_of(database), MIGRATIONS)
    assert list(database.iterdump()) == before


NEXT = [
    Migration(
        "9001_names.sql",
        "CREATE TABLE badges (id TEXT PRIMARY KEY);\nALTER TABLE users ADD COLUMN role TEXT;",
    ),
    Migration(
        "9002_people.sql",
        "ALTER TABLE users ADD COLUMN display_name TEXT;\nALTER TABLE users ADD COLUMN website TEXT;\n"
        "CREATE TRIGGER no_limits AFTER INSERT ON users BEGIN UPDATE users SET role = 'x'; SELECT 1; END;",
    ),
    Migration("9003_more.sql", "ALTER TABLE users ADD COLUMN more TEXT;"),
]


def test_a_later_migration_that_adds_what_is_there_is_done_but_for_that(gallery: Opener) -> None:
    database = gallery(GALLERIES["as it was specified"])
    found = adopted(database, [*MIGRATIONS, *NEXT])
    assert [each.name for each in found.covered] == [each.name for each in (*MIGRATIONS, *NEXT[:2])]
    columns = [row[1] for row in database.execute("PRAGMA table_info(users)")]
    assert {"role", "display_name", "website", "more"} <= set(columns)
    assert database.execute(schema.APPLIED).fetchall() == [(each.name,) for each in found.covered]


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("CREATE TABLE notes (id)", "no tables users and artworks"),
        (
            "CREATE TABLE users (id TEXT, username TEXT); CREATE TABLE artworks (id TEXT)",
            "no user_id and no slug",
        ),
        (
            """CREATE TABLE users (id TEXT, username TEXT);
            CREATE TABLE artworks (id TEXT, user_id TEXT, slug TEXT, title TEXT, frame TEXT NOT NULL)""",
            "artworks.frame is NOT NULL without a default",
        ),
        (GALLERIES["as it was specified"] + f"CREATE TABLE {OURS} (x)", f"a table {OURS} of its own"),
        ("\n".join(each.sql for each in MIGRATIONS) + schema.baseline(MIGRATIONS), "the gallery's already"),
    ],
)
def test_what_cannot_be_adopted_is_said_in_a_sentence(script: str, sentence: str, gallery: Opener) -> None:
    with pytest.raises(Problem, match=sentence):
        plan_adoption(ask_of(gallery(script)), MIGRATIONS)


def foreign(cloud: Cloudflare) -> Database:
    database = cloud.databases["vfa-gallery"] = Database("vfa-gallery")
    database.connection.executescript(GALLERIES["as it was specified"])
    return database


def test_make_deploy_offers_to_adopt(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    database = foreign(cloud)
    before = list(database.connection.iterdump())
    assert run(FakeWrangler(cloud)) == 1
    said = capsys.readouterr().err
    assert "holds users and artworks of another program" in said
    assert "--adopt adds it in place" in said
    assert run(wrangler := FakeWrangler(cloud), "--adopt", "--dry-run") == 0
    assert "add what users and artworks of vfa-gallery lack, in place" in capsys.readouterr().out
    assert list(database.connection.iterdump()) == before
    assert not changed(wrangler)


def test_make_deploy_adopts_and_goes_on(cloud: Cloudflare, run: Runner) -> None:
    database = foreign(cloud)
    assert run(FakeWrangler(cloud), "--adopt") == 0
    applied = [row["name"] for row in database.query(schema.APPLIED)[0]["results"]]
    assert applied == [migration.name for migration in MIGRATIONS]
    assert len(database.query("SELECT created_ms FROM artworks WHERE status = 'active'")[0]["results"]) == 2
    assert run(again := FakeWrangler(cloud), "--adopt") == 0
    assert not any("--file" in words and "d1" in words for words in again.commands)


def test_the_command_adopts(root: Path, cloud: Cloudflare, capsys: pytest.CaptureFixture[str]) -> None:
    database = foreign(cloud)
    before = list(database.connection.iterdump())
    wrangler = FakeWrangler(cloud)
    assert adopt.main(["--dry-run"], root, lambda *_: wrangler, {}) == 0
    assert "ALTER TABLE artworks ADD COLUMN original_key TEXT;" in capsys.readouterr().out
    assert list(database.connection.iterdump()) == before
    assert adopt.main([], root, lambda *_: wrangler, {}) == 0
    assert "is adopted" in capsys.readouterr().out
    assert adopt.main([], root, lambda *_: wrangler, {}) == 1
    assert "is the gallery's already" in capsys.readouterr().err
