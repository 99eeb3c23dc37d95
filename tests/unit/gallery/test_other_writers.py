"""Artworks that another program recorded in the same database: served by what they have."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.creates import create, walk
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import PICTURES, World, json_of
from tests.unit.gallery.test_audit import removed
from tests.unit.gallery.test_sweep import sweep, upload

from gallery.store import artworks
from gallery.store.artworks import tags_of
from gallery.times import iso_of

# The gallery's own statement: these columns and no others.
INSERT = """
INSERT INTO artworks (id, user_id, slug, title, description, materials, dimensions, created_date, category,
  tags, original_url, display_url, thumbnail_url, icon_url, status, is_featured, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
CDN = "https://images.example"
URLS = {f"{name}_url": f"{CDN}/{name}/7.jpg" for name in ("original", "display", "thumbnail", "icon")}
ROW: dict[str, Any] = {
    "id": "5f0c7f0e-3f6e-4d5e-9a53-0f2f5f6f7f8f",
    "user_id": "usr_ada",
    "slug": "dusk",
    "title": "Dusk",
    "description": None,
    "materials": None,
    "dimensions": None,
    "created_date": "Spring 2024",
    "category": "Oil & Gold",
    "tags": None,
    **URLS,
    "status": "active",
    "is_featured": 0,
    "created_at": "2025-01-02T03:04:05Z",
    "updated_at": "2025-01-02T03:04:05Z",
}
PATH = f"/api/artworks/{ROW['id']}"
WIRE_URLS = {f"{name}Url": f"{CDN}/{name}/7.jpg" for name in ("original", "display", "thumbnail", "icon")}


def record(world: World, **changes: Any) -> None:
    world.database.rows(INSERT, *(ROW | changes).values())
    world.database.rows("UPDATE users SET artwork_count = artwork_count + 1 WHERE id = 'usr_ada'")


def gallery(**changes: Any) -> World:
    """A gallery in which the other program has recorded one artwork of ada's."""
    world = World()
    world.user()
    record(world, **changes)
    return world


def ask(world: World, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    async def story() -> tuple[int, Any]:
        answer = await world.ask(method, path, body, headers=headers)
        await world.finish()
        return answer.status, json_of(answer) if answer.body else None

    return run(story())


@pytest.mark.parametrize("path", [PATH, "/api/users/ada/artworks/dusk"])
def test_it_is_read_with_its_urls_as_stored(path: str) -> None:
    status, answer = ask(gallery(), "GET", path, **bearer())
    assert status == 200
    data = answer["data"]
    assert {name: data[name] for name in WIRE_URLS} == WIRE_URLS
    for name in ("width", "height", "originalWidth", "originalHeight", "dominantColor", "thumbHash"):
        assert data[name] is None
    assert data["processedAt"] is None
    assert (data["category"], data["createdDate"], data["tags"]) == ("Oil & Gold", "Spring 2024", [])
    assert data["createdAt"] == data["updatedAt"] == "2025-01-02T03:04:05.000Z"
    assert "originalDownloadUrl" not in data


@pytest.mark.parametrize(
    "artwork_id", ["17", "V1StGXR8_Z5jdHi6B-myT", "a.b:c", "mit Leerzeichen/und Strich", "夕焼け"]
)
def test_its_id_may_be_any_text(artwork_id: str) -> None:
    world = gallery(id=artwork_id)
    status, answer = ask(world, "GET", f"/api/artworks/{quote(artwork_id, safe='')}")
    assert (status, answer["data"]["id"]) == (200, artwork_id)
    record(world, id="later", slug="later", created_at="2025-01-03")
    first = ask(world, "GET", "/api/artworks?limit=1")[1]
    assert first["data"][0]["id"] == "later"
    record(world, id=artwork_id + "0", slug="earlier", created_at="2025-01-01")
    second = ask(world, "GET", f"/api/artworks?limit=1&cursor={quote(first['nextCursor'], safe='')}")[1]
    assert second["data"][0]["id"] == artwork_id
    third = ask(world, "GET", f"/api/artworks?limit=1&cursor={quote(second['nextCursor'], safe='')}")[1]
    assert third["data"][0]["id"] == artwork_id + "0"


# In the order of the times they mean.
TIMES: list[Any] = [
    "2025-01-02 03:04:05",
    "2025-01-02T03:04:05.001Z",
    "2025-01-02T05:04:06+02:00",
    1_735_787_047,
    "2025-01-02T03:04:07.500Z",
    1_735_787_048_000,
    "1735787049",
    "2025-01-02T03:04:10",
    "2025-01-03",
]


def test_lists_follow_the_time_however_it_is_written() -> None:
    world = World()
    world.user()
    for number in (4, 0, 8, 2, 6, 1, 3, 5, 7):
        record(world, id=f"id-{number}", slug=f"slug-{number}", created_at=TIMES[number])
    seen: list[str] = []
    cursor = ""
    while True:
        page = ask(world, "GET", f"/api/artworks?limit=2{cursor}")[1]
        seen += [artwork["id"] for artwork in page["data"]]
        if not page["nextCursor"]:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert seen == [f"id-{number}" for number in reversed(range(len(TIMES)))]


@pytest.mark.parametrize("written", TIMES)
def test_the_database_and_the_gateway_read_times_alike(written: Any) -> None:
    world = gallery(created_at=written, updated_at=written)
    data = ask(world, "GET", PATH)[1]["data"]
    assert data["createdAt"] == data["updatedAt"] == iso_of(written)


@pytest.mark.parametrize("written", ["", "yesterday", "now", "2025-99-99", "0000"])
def test_a_time_that_is_none_hides_nothing(written: str) -> None:
    world = gallery(created_at=written, updated_at=written)
    assert ask(world, "GET", PATH)[1]["data"]["createdAt"] == "1970-01-01T00:00:00.000Z"
    assert len(ask(world, "GET", "/api/artworks")[1]["data"]) == 1


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (None, ()),
        ("", ()),
        ("[]", ()),
        ('["sea", "夕"]', ("sea", "夕")),
        ("sea, dusk", ("sea", "dusk")),
        ("[broken", ("[broken",)),
        ('{"a": 1}', ('{"a": 1}',)),
        ("7", ("7",)),
    ],
)
def test_tags_are_a_json_array_or_texts_between_commas(text: str | None, tags: tuple[str, ...]) -> None:
    assert tags_of(text) == tags
    world = gallery(tags=text)
    assert tuple(ask(world, "GET", PATH)[1]["data"]["tags"]) == tags
    assert ask(world, "GET", "/api/artworks?tag=sea")[0] == 200


def test_filters_find_it() -> None:
    world = gallery(tags='["sea"]')
    for query in ("category=Oil%20%26%20Gold", "tag=sea", "q=DUSK", "username=ada", "featured=false"):
        found = ask(world, "GET", f"/api/artworks?{query}")[1]["data"]
        assert [artwork["slug"] for artwork in found] == ["dusk"], query
    assert ask(world, "GET", "/api/artworks?category=painting")[1]["data"] == []


def test_an_artwork_without_a_known_user_is_served() -> None:
    world = World()
    world.database.connection.execute("PRAGMA foreign_keys = OFF")
    record(world, user_id="gone")
    assert ask(world, "GET", PATH)[1]["data"]["username"] == "gone"


def test_its_owner_changes_it_and_what_is_not_named_stays() -> None:
    world = gallery(tags="sea, dusk")
    status, answer = ask(world, "PATCH", PATH, {"title": "Dawn"}, **bearer())
    assert (status, answer["data"]["title"], answer["data"]["tags"]) == (200, "Dawn", ["sea", "dusk"])
    assert {name: answer["data"][name] for name in WIRE_URLS} == WIRE_URLS
    row = world.artworks()[0]
    assert {name: row[name] for name in URLS} == URLS
    assert (row["created_at"], row["original_key"], row["status"]) == (ROW["created_at"], None, "active")
    assert ask(world, "PATCH", PATH, {"title": "Mine"}, **bearer("usr_bob"))[0] == 403


def test_its_owner_removes_it_and_no_object_goes() -> None:
    world = gallery(original_url=f"{CDN}/originals/usr_ada/{'0' * 8}-0000-4000-8000-{'0' * 12}.jpg")
    key = world.original()
    record(world, id="other", slug="other", original_url=f"{CDN}/{key}")
    assert ask(world, "DELETE", PATH, **bearer())[0] == 204
    assert ask(world, "DELETE", "/api/artworks/other", **bearer())[0] == 204
    assert (world.artworks(), world.count()) == ([], 0)
    assert list(world.objects.stored) == [key]
    assert ask(world, "GET", PATH)[0] == 404


def test_it_cannot_be_rendered_again_and_is_told_why() -> None:
    status, answer = ask(gallery(), "POST", f"{PATH}/reprocess", **bearer())
    assert (status, answer["code"]) == (404, "not_found")
    assert "original of this artwork is not kept here" in answer["error"]


@pytest.mark.parametrize("status", ["processing", "archived", "draft", "ready"])
def test_only_active_artworks_are_public(status: str) -> None:
    world = gallery(status=status)
    for path in (PATH, "/api/users/ada/artworks/dusk"):
        assert ask(world, "GET", path)[0] == 404
        assert ask(world, "GET", path, **bearer("usr_bob"))[0] == 404
        shown = ask(world, "GET", path, **bearer())
        assert (shown[0], shown[1]["data"]["status"]) == (200, status)
        assert ask(world, "GET", path, **bearer("usr_op", role="operator"))[0] == 200
    assert ask(world, "GET", "/api/artworks", **bearer())[1]["data"] == []
    assert ask(world, "PATCH", PATH, {"title": "x"}, **bearer("usr_bob"))[0] == 404
    assert ask(world, "PATCH", PATH, {"title": "x"}, **bearer())[0] == 200
    assert ask(world, "DELETE", PATH, **bearer())[0] == 204


@pytest.mark.parametrize("dry_run", [True, False])
async def test_sweeper_and_audit_spare_what_its_urls_name_and_report_nothing(dry_run: bool) -> None:
    world = World()
    world.user()
    key, orphan = await upload(world), await upload(world)
    tail = key.removeprefix("originals/")
    spared = {key, f"display/{tail}", f"thumbnails/{tail}", f"icons/{tail}"}
    for each in spared:
        world.objects.put(each, PICTURES["image/jpeg"], "image/jpeg")
    record(
        world,
        original_url=f"{CDN}/{key}",
        display_url=f"{CDN}/display/{tail}?v=2",
        thumbnail_url=f"/thumbnails/{tail}",
        icon_url=f"{CDN}/deep/icons/{tail}?width=3",
    )
    world.time += 48 * 3600
    report = await sweep(world, dry_run=dry_run)
    assert (report.removed, report.missing, report.failed) == ([orphan], [], [])
    later = await walk(world, dry_run=dry_run)
    assert removed(later) == ({orphan} if dry_run else set())
    assert not [found for report in later for found in (*report.missing, *report.replaced, *report.failed)]
    assert set(world.objects.stored) == spared | ({orphan} if dry_run else set())


def test_what_its_urls_name_is_found_by_an_index() -> None:
    text, values = artworks.referenced([])
    plan = [step["detail"] for step in World().database.rows(f"EXPLAIN QUERY PLAN {text}", *values)]
    assert not [detail for detail in plan if "SCAN artworks" in detail]


async def test_ours_and_theirs_stand_side_by_side() -> None:
    world = gallery()
    made = json_of(await create(world, world.original(), title="Dusk"))["data"]
    assert (made["slug"], made["status"], world.count()) == ("dusk-1", "active", 2)
    active = world.database.rows("SELECT slug FROM artworks WHERE status = 'active' ORDER BY slug")
    assert [row["slug"] for row in active] == ["dusk", "dusk-1"]
    assert world.artworks()[1]["tags"] is None


@pytest.mark.parametrize("user_id", ["auth0|64fe", "ann@example.org", "17", "夕", "u" * 200, "did:key:z6Mk"])
async def test_a_user_id_may_be_any_text(user_id: str) -> None:
    world = World()
    world.user(user_id, "ann")
    record(world, user_id=user_id)
    assert (await world.ask("PATCH", PATH, {"title": "x"}, headers=bearer(user_id))).status == 200
    wish = {"filename": "x.jpg", "contentType": "image/jpeg"}
    ticket = json_of(await world.ask("POST", "/api/artworks/upload-url", wish, headers=bearer(user_id)))
    world.objects.put(ticket["key"], PICTURES["image/jpeg"], "image/jpeg")
    assert (await create(world, ticket["key"], "usr_bob")).status == 403
    made = await create(world, ticket["key"], user_id)
    assert (made.status, json_of(made)["data"]["userId"]) == (201, user_id)
    shown = json_of(made)["data"]["displayUrl"].removeprefix("https://gallery.example")
    assert (await world.ask("GET", shown)).status == 200


@pytest.mark.parametrize("user_id", ["a b", "a/b", "../a", "a\n", "u" * 256])
def test_an_id_that_no_token_can_name_is_401(user_id: str) -> None:
    assert ask(World(), "GET", "/api/me", **bearer(user_id))[0] == 401
