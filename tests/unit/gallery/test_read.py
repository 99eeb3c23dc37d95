"""Reading: lists, cursors, slugs, quotas, readiness, caching."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.creates import create
from tests.support.gallery.database import SqliteDatabase
from tests.support.gallery.fakes import WritingRenderer, written_response
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import START, World, json_of

from gallery.ports import RendererResponse
from gallery.store import search
from gallery.store.database import bind
from gallery.variants import Variant


async def gallery(count: int = 7) -> World:
    """Artworks named 0, 1, 2, …, a second apart, half of them Bob's."""
    world = World()
    world.user()
    world.user("usr_bob", "Bob")
    for number in range(count):
        user = ("usr_ada", "usr_bob")[number % 2]
        await create(
            world,
            world.original(user),
            user,
            title=f"Nº {number}",
            category=("painting", "drawing")[number % 3 == 0],
            tags=["odd" if number % 2 else "even", "100%"],
        )
        world.time += 1
    return world


async def titles(world: World, query: str = "") -> list[int]:
    answer = await world.ask("GET", f"/api/artworks{query}")
    assert answer.status == 200, answer.body
    return [int(artwork["title"][3:]) for artwork in json_of(answer)["data"]]


async def test_the_newest_come_first() -> None:
    assert await titles(await gallery()) == [6, 5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?username=ada", [6, 4, 2, 0]),
        ("?username=ADA", [6, 4, 2, 0]),
        ("?username=bob", [5, 3, 1]),
        ("?username=nobody", []),
        ("?username=", [6, 5, 4, 3, 2, 1, 0]),
        ("?category=drawing", [6, 3, 0]),
        ("?tag=odd", [5, 3, 1]),
        ("?tag=100%25", [6, 5, 4, 3, 2, 1, 0]),
        ("?tag=od", []),
        ("?q=n%C2%BA%204", [4]),
        ("?q=N%C2%BA", [6, 5, 4, 3, 2, 1, 0]),
        ("?q=%25", []),
        ("?q=_", []),
        ("?q=%27%20OR%201=1--", []),
        ("?featured=true", [2]),
        ("?featured=false", [6, 5, 4, 3, 1, 0]),
        ("?username=ada&category=drawing&tag=even&limit=1", [6]),
        ("?unknown=1", [6, 5, 4, 3, 2, 1, 0]),
    ],
)
async def test_filters_choose(query: str, expected: list[int]) -> None:
    world = await gallery()
    world.database.rows("UPDATE artworks SET is_featured = 1 WHERE title = 'Nº 2'")
    assert await titles(world, query) == expected


@pytest.mark.parametrize(
    ("title", "asked", "found"),
    [
        ("ÉCOLE Ölberg", "école", True),
        ("ÉCOLE Ölberg", "ÉCOLE ÖL", True),
        ("école ölberg", "École Ölberg", True),
        ("école", "ecole", True),
        ("ecole", "École", True),
        ("ecole", "écolier", False),
        ("Школа", "шКОЛА", True),
        ("Καφές", "ΚΑΦΈΣ", True),
        ("Straße", "STRASSE", False),
        ("Straße", "straße", True),
        ("Cafe\u0301", "café", True),
        ("Café", "cafe\u0301", True),
        ("Ⅻ", "ⅻ", True),
        ("".join(map(chr, range(0x410, 0x428))), "".join(map(chr, range(0x430, 0x448))), True),
    ],
)
async def test_titles_are_found_whatever_their_case_and_spelling(title: str, asked: str, found: bool) -> None:
    world = World()
    world.user()
    assert (await create(world, world.original(), title=title)).status == 201
    answer = await world.ask("GET", f"/api/artworks?q={quote(asked)}")
    assert len(json_of(answer)["data"]) == found


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?limit=101",
        "?limit=-1",
        "?limit=1.5",
        "?limit=",
        "?limit=٣",
        "?limit=" + "9" * 400,
        "?limit=1&limit=2",
        "?featured=1",
        "?featured=TRUE",
        "?cursor=",
        "?cursor=x",
        "?cursor=1750000000000",
        "?cursor=9999999999999-art_zz",
        "?cursor=p",
        "?cursor=p1x",
        "?cursor=p-1",
        "?cursor=p" + "9" * 17,
        "?cursor=1750000000000-art_" + "0" * 32,
        "?q=%ff",
        "?q=" + "x" * 101,
        "?" + "&".join(f"p{n}=1" for n in range(51)),
    ],
)
def test_a_parameter_of_the_wrong_kind_is_400(query: str) -> None:
    answer = run(World().ask("GET", f"/api/artworks{query}"))
    assert (answer.status, json_of(answer)["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
async def test_pages_follow_each_other_while_artworks_are_added(limit: int) -> None:
    world = await gallery()
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = json_of(
            await world.ask("GET", f"/api/artworks?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        )
        assert len(page["data"]) <= limit
        seen += [artwork["title"] for artwork in page["data"]]
        cursor = page["nextCursor"]
        await create(world, world.original(), title="later")
        world.time += 1
    assert seen == [f"Nº {n}" for n in reversed(range(7))]


async def test_artworks_of_one_moment_are_each_listed_once() -> None:
    world = World()
    world.user()
    for _ in range(6):
        await create(world, world.original())
    seen, cursor = set(), ""
    for _ in range(6):
        page = json_of(await world.ask("GET", f"/api/artworks?limit=1{cursor}"))
        seen |= {artwork["id"] for artwork in page["data"]}
        cursor = f"&cursor={page['nextCursor']}"
    assert len(seen) == 6
    assert page["nextCursor"] is None


@pytest.mark.parametrize("text", [search.NEWEST, search.SEARCH, search.NEWEST_OF_FACET])
def test_a_page_is_read_in_order_without_sorting(text: str) -> None:
    possible = {"before": 2**52, "most": 10, "expression": '"x"', "facet": "tag:x"}
    statement, values = bind(text, **{name: value for name, value in possible.items() if f":{name}" in text})
    plan = [s["detail"] for s in SqliteDatabase().rows(f"EXPLAIN QUERY PLAN {statement}", *values)]
    assert not any("TEMP B-TREE" in step for step in plan), plan
    scans = [step for step in plan if step.startswith("SCAN")]
    assert all("VIRTUAL TABLE" in step for step in scans), plan


async def test_an_artwork_is_found_by_its_readable_address() -> None:
    world = World()
    world.user()
    made = json_of(await create(world, world.original(), title="夕焼けの山"))["data"]
    for slug in ("夕焼けの山", "%E5%A4%95%E7%84%BC%E3%81%91%E3%81%AE%E5%B1%B1"):
        answer = await world.ask("GET", f"/api/users/Ada/artworks/{slug}")
        assert answer.status == 200
        assert json_of(answer)["data"]["id"] == made["id"]
    for path in ("ada/artworks/x", "bob/artworks/夕焼けの山", "ada/artworks/%ff", "%2e%2e/artworks/x"):
        assert (await world.ask("GET", f"/api/users/{path}")).status == 404


async def test_the_quota_and_its_use() -> None:
    world = World()
    world.user(limit=3)
    await create(world, world.original())
    answer = await world.ask("GET", "/api/me", headers=bearer())
    assert json_of(answer)["data"] == {
        "id": "usr_ada",
        "username": "ada",
        "artworkLimit": 3,
        "artworkCount": 1,
        "artworkRemaining": 2,
    }
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert (await world.ask("GET", "/api/me")).status == 401
    assert (await world.ask("GET", "/api/me", headers=bearer("usr_gone"))).status == 404


READS = (
    "/api/artworks",
    "/api/artworks/{id}",
    "/api/users/ada/artworks/still-life",
    "/api/me",
    "/openapi.json",
)


@pytest.mark.parametrize("target", READS)
@pytest.mark.parametrize("user", [None, "usr_ada"])
async def test_what_was_read_before_is_304(target: str, user: str | None) -> None:
    world = World()
    world.user()
    made = json_of(await create(world, world.original()))["data"]
    path, headers = target.replace("{id}", made["id"]), bearer(user) if user else {}
    if path == "/api/me" and not user:
        return
    answer = await world.ask("GET", path, headers=headers)
    condition = headers | {"If-None-Match": answer.headers["ETag"]}
    again = await world.ask("GET", path, headers=condition)
    assert (again.status, again.body, again.headers["ETag"]) == (304, None, answer.headers["ETag"])
    assert (await world.ask("HEAD", path, headers=condition)).status == 304
    assert "no-cache" in answer.headers["Cache-Control"]
    await create(world, world.original())
    await world.ask("PATCH", f"/api/artworks/{made['id']}", {"title": "x"}, headers=bearer())
    changed = await world.ask("GET", path, headers=condition)
    assert changed.status == (304 if path == "/openapi.json" else 200)


async def test_a_new_name_of_the_artist_is_no_304() -> None:
    world = World()
    world.user()
    path = f"/api/artworks/{json_of(await create(world, world.original()))['data']['id']}"
    known = {"If-None-Match": (await world.ask("GET", path)).headers["ETag"]}
    assert (await world.ask("GET", path, headers=known)).status == 304
    world.database.rows("UPDATE users SET username = 'lovelace'")
    assert (await world.ask("GET", path, headers=known)).status == 200


@pytest.mark.parametrize("public", [False, True])
async def test_where_a_private_original_is_nobody_else_learns(public: bool) -> None:
    world = World(PUBLIC_ORIGINALS=str(public).lower())
    world.user()
    world.user("usr_bob", "bob")
    key = world.original()
    made = json_of(await create(world, key))["data"]
    assert key in made["originalUrl"]
    for headers, is_theirs in (
        (bearer(), True),
        (bearer("usr_bob", role="operator"), True),
        (bearer("usr_bob"), False),
        ({}, False),
    ):
        for path in (
            f"/api/artworks/{made['id']}",
            "/api/users/ada/artworks/still-life",
            "/api/artworks",
        ):
            answer = await world.ask("GET", path, headers=headers)
            assert "Authorization" in answer.headers["Vary"]
            assert ("private" in answer.headers["Cache-Control"]) == bool(headers)
            assert (key in str(answer.body).replace("\\/", "/")) == (is_theirs or public), path
            assert ("originals/" in str(answer.body)) == (is_theirs or public)


async def test_a_list_refuses_a_bad_token() -> None:
    world = await gallery(1)
    answer = await world.ask("GET", "/api/artworks", headers={"Authorization": "Bearer a.b.c"})
    assert answer.status == 401


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("&".join(f"p{n}=1" for n in range(51)), "The query has more than 50 parameters."),
        ("&" * 50, "The query has more than 50 parameters."),
        ("q=%ff", "The query is not UTF-8."),
        ("q=a&q=b", "The query names a parameter twice."),
    ],
)
async def test_a_query_is_refused_for_its_true_reason(query: str, sentence: str) -> None:
    answer = await World().ask("GET", f"/api/artworks?{query}")
    assert (answer.status, json_of(answer)["error"]) == (400, sentence)


async def test_fifty_parameters_are_read() -> None:
    query = "&".join(f"p{n}=1" for n in range(50))
    assert (await World().ask("GET", f"/api/artworks?{query}")).status == 200


async def test_an_artist_is_found_by_either_spelling_of_a_name() -> None:
    world = World()
    world.user(username="\u00e9va")
    await create(world, world.original())
    for name in ("%C3%A9va", "e%CC%81va"):
        assert (await world.ask("GET", f"/api/users/{name}/artworks/still-life")).status == 200


async def test_the_owner_alone_gets_leave_to_download_the_original() -> None:
    world = World()
    world.user()
    world.user("usr_bob", "bob")
    made = json_of(await create(world, world.original()))["data"]
    path = f"/api/artworks/{made['id']}"
    for headers in ({}, bearer("usr_bob"), bearer("usr_bob", role="operator")):
        assert "originalDownloadUrl" not in json_of(await world.ask("GET", path, headers=headers))["data"]
    mine = await world.ask("GET", path, headers=bearer())
    url = json_of(mine)["data"]["originalDownloadUrl"]
    assert "/vfa-gallery/originals/usr_ada/" in url
    assert "X-Amz-Expires=900" in url
    assert "Authorization" in mine.headers["Vary"]
    assert mine.headers["Cache-Control"] == "private, no-cache"
    assert (await world.ask("GET", path, headers={"Authorization": "Bearer x"})).status == 401
    world.time += 300
    later = await world.ask("GET", path, headers=bearer() | {"If-None-Match": mine.headers["ETag"]})
    assert later.status == 200
    assert json_of(later)["data"]["originalDownloadUrl"] != url


async def test_an_owner_learns_that_the_original_is_another_or_gone() -> None:
    world = World()
    world.user()
    key = world.original()
    made = json_of(await create(world, key))["data"]
    assert "originalDownloadUrl" in made
    path = f"/api/artworks/{made['id']}"

    async def owner_reads() -> tuple[bool, bool]:
        data = json_of(await world.ask("GET", path, headers=bearer()))["data"]
        return "originalDownloadUrl" in data, data.get("originalReplaced", False)

    assert await owner_reads() == (True, False)
    world.objects.put(key, b"another", "image/jpeg")
    assert await owner_reads() == (False, True)
    assert "originalReplaced" not in json_of(await world.ask("GET", path))["data"]
    again = await create(world, key)
    assert (again.status, json_of(again)["data"]["originalReplaced"]) == (200, True)
    del world.objects.stored[key]
    assert await owner_reads() == (False, False)
    world.objects.broken = {"head"}
    assert await owner_reads() == (True, False)
    world.objects.broken = set()
    world.database.rows("UPDATE artworks SET original_etag = NULL")
    assert await owner_reads() == (True, False)


NOTHING = {"display": False, "thumbnail": False, "icon": False}


async def ready(world: World, key: str, more: str = "") -> tuple[int, Any]:
    answer = await world.ask("GET", f"/api/artworks/readiness?originalKey={key}{more}", headers=bearer())
    return answer.status, json_of(answer)


@pytest.mark.parametrize("flags_broken", [False, True])
async def test_readiness_follows_the_create(flags_broken: bool) -> None:
    world = World()
    world.user()
    world.flags.broken = flags_broken
    key = world.original()
    assert await ready(world, key) == (200, NOTHING)
    rendered, go_on = asyncio.Event(), asyncio.Event()

    async def waits(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        await go_on.wait()
        return written_response(order, sibling.write(order))

    async def tells(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        answer = written_response(order, sibling.write(order))
        asyncio.get_running_loop().call_later(0.01, rendered.set)
        return answer

    world.renderers[Variant.WATERMARK].fault = waits
    world.renderers[Variant.ICON].fault = tells
    creating = asyncio.ensure_future(create(world, key))
    await rendered.wait()
    assert await ready(world, key) == (200, {"display": False, "thumbnail": True, "icon": True})
    go_on.set()
    await creating
    assert await ready(world, key) == (200, dict.fromkeys(NOTHING, True))


async def test_one_request_waits_until_all_three_are_ready() -> None:
    world = World()
    world.user()
    key = world.original()

    async def waits(renderer: WritingRenderer, request: dict[str, Any]) -> RendererResponse:
        await asyncio.sleep(1.5)
        return written_response(request, renderer.write(request))

    world.renderers[Variant.WATERMARK].fault = waits
    creating = asyncio.ensure_future(create(world, key))
    assert await ready(world, key, "&wait=25") == (200, dict.fromkeys(NOTHING, True))
    assert START + 1.5 <= world.time <= START + 3
    assert (await creating).status == 201


@pytest.mark.parametrize(("wait", "pauses"), [("0", 0), ("3", 3), ("25", 25)])
async def test_waiting_ends_after_the_seconds_that_were_asked_for(wait: str, pauses: int) -> None:
    world = World()
    world.user()
    assert await ready(world, world.original(), f"&wait={wait}") == (200, NOTHING)
    assert world.clock.pauses == [1.0] * pauses


async def test_slow_looks_count_as_waiting() -> None:
    world = World()
    world.user()

    async def pause(seconds: float) -> None:
        world.clock.pauses.append(seconds)
        world.time += 9

    world.platform = replace(world.platform, sleep=pause)
    assert await ready(world, world.original(), "&wait=25") == (200, NOTHING)
    assert len(world.clock.pauses) == 3


@pytest.mark.parametrize("wait", ["26", "-1", "1.5", "x", "", "999", "٣"])
def test_a_wait_that_is_none_is_400(wait: str) -> None:
    world = World()
    assert run(ready(world, world.original(), f"&wait={wait}"))[0] == 400


async def test_flags_that_outlive_a_failed_create_are_not_believed() -> None:
    async def fails(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        return RendererResponse(500, None, "{}")

    world = World()
    world.user()
    key = world.original()
    world.renderers[Variant.ICON].fault = fails
    assert (await create(world, key)).status == 500
    thumbnail = key.replace("originals/", "thumbnails/")
    world.flags.stored = {f"ready:{thumbnail}": "1"}
    assert not any((await ready(world, key))[1].values())


async def test_readiness_is_for_the_caller_s_own_key() -> None:
    world = World()
    world.user()
    assert (await ready(world, world.original("usr_bob")))[0] == 403
    assert (await ready(world, "display/x"))[0] == 400
    assert (await world.ask("GET", "/api/artworks/readiness", headers=bearer())).status == 400
    assert (await world.ask("GET", "/api/artworks/readiness")).status == 401
