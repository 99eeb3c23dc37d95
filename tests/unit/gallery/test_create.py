"""The create: once, within the quota, and only of what may be created."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.creates import RENDITIONS, assert_nothing_left, create, expected_flags, ticket
from tests.support.gallery.fakes import WritingRenderer
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import PICTURES, World, json_of

from gallery.ports import RendererResponse
from gallery.variants import Variant


async def test_an_upload_becomes_a_record_and_three_renditions() -> None:
    world = World()
    world.user()
    key = world.original()
    answer = await create(world, key, tags=["a", "b"], category="painting", createdDate="2024")
    assert answer.status == 201, answer.body
    data = json_of(answer)["data"]
    stem = key.removeprefix("originals/").removesuffix(".jpg")
    assert data["id"].startswith("art_")
    assert (data["slug"], data["tags"], data["category"]) == ("still-life", ["a", "b"], "painting")
    assert data["displayUrl"] == f"https://gallery.example/cdn/display/{stem}.jpg"
    assert data["thumbnailUrl"] == f"https://gallery.example/cdn/thumbnails/{stem}.jpg"
    assert data["iconUrl"] == f"https://gallery.example/cdn/icons/{stem}.jpg"
    assert data["originalUrl"] == f"https://gallery.example/cdn/{key}"
    assert (data["originalWidth"], data["width"]) == (4000, 300)
    assert data["description"] is None
    assert data["isFeatured"] is False
    assert world.count() == len(world.artworks()) == 1
    assert len(world.renditions()) == RENDITIONS
    assert set(world.flags.stored) == expected_flags(world)
    (row,) = world.uploads()
    assert (row["artwork_id"], row["holder"], row["lease_until"]) == (data["id"], "", 0)
    assert world.artworks()[0]["original_etag"] == world.objects.stored[key].etag


async def test_each_sibling_gets_the_order_of_its_contract() -> None:
    world = World()
    world.user()
    key = world.original()
    await create(world, key)
    etag = world.objects.stored[key].etag
    for variant, sibling in world.renderers.items():
        (order,) = sibling.requests
        assert order["sourceKey"] == key
        assert order["sourceEtag"] == etag
        assert order["timestamp"] == "2025-06-15T15:06:40.000Z"
        extra = {"watermark": {"username", "narrower"}, "icon": {"size"}, "thumbnail": {"width", "height"}}[
            variant
        ]
        assert (order["attempt"], order["deadline"]) == (1, "2025-06-15T15:07:07.000Z")
        shared = {"sourceKey", "sourceEtag", "outputKey", "timestamp", "attempt", "deadline"}
        assert set(order) - shared == extra
        assert sibling.headers[0]["Authorization"] == f"Bearer {world.settings.worker_token}"


async def test_the_request_id_goes_through_to_the_siblings() -> None:
    world = World()
    world.user()
    body = {"title": "x", "originalKey": world.original()}
    answer = await world.ask("POST", "/api/artworks", body, headers=bearer() | {"X-Request-Id": "trace-1"})
    assert answer.headers["X-Request-Id"] == "trace-1"
    assert {s.headers[0]["X-Request-Id"] for s in world.renderers.values()} == {"trace-1"}


@pytest.mark.parametrize("seed", range(40))
async def test_twenty_creates_at_once_against_a_limit_of_seven_make_seven(seed: int) -> None:
    world = World(seed)
    world.user(limit=7)
    answers = await asyncio.gather(*(create(world, world.original()) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [201] * 7 + [429] * 13
    assert world.count() == len(world.artworks()) == 7
    assert len(world.renditions()) == 7 * RENDITIONS
    refusals = [json_of(answer) for answer in answers if answer.status == 429]
    assert {(r["error"], r["code"]) for r in refusals} == {("Artwork limit reached", "artwork_limit_reached")}


def test_each_seed_is_another_schedule() -> None:
    async def story(seed: int) -> tuple[str, ...]:
        world = World(seed)
        world.user(limit=7)
        await asyncio.gather(*(create(world, world.original()) for _ in range(20)))
        return tuple(row["original_key"] for row in world.database.rows("SELECT * FROM artworks"))

    assert len({run(story(seed)) for seed in range(10)}) > 5
    assert run(story(3)) == run(story(3))


@pytest.mark.parametrize("seed", range(5))
async def test_fifty_creates_at_once_with_one_title_have_fifty_slugs(seed: int) -> None:
    world = World(seed)
    world.user()
    answers = await asyncio.gather(*(create(world, world.original()) for _ in range(50)))
    assert {answer.status for answer in answers} == {201}
    slugs = {json_of(answer)["data"]["slug"] for answer in answers}
    assert slugs == {"still-life", *(f"still-life-{n}" for n in range(1, 50))}


async def test_the_same_original_again_gives_the_artwork_that_exists() -> None:
    world = World()
    world.user(limit=1)
    key = world.original()
    made = json_of(await create(world, key))["data"]
    again = await create(world, key, title="Another title")
    assert again.status == 200
    assert json_of(again)["data"] == made
    assert world.count() == 1
    assert all(len(sibling.requests) == 1 for sibling in world.renderers.values())


@pytest.mark.parametrize("seed", range(40))
async def test_the_same_original_at_once_is_made_once_and_the_others_wait(seed: int) -> None:
    world = World(seed)
    world.user()
    key = world.original()
    answers = await asyncio.gather(*(create(world, key) for _ in range(8)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses.count(201) == 1
    assert set(statuses) <= {200, 201, 409}
    for answer in answers:
        if answer.status == 409:
            assert int(answer.headers["Retry-After"]) > 0
    assert (await create(world, key)).status == 200
    assert (world.count(), len(world.artworks()), len(world.renditions())) == (1, 1, RENDITIONS)


async def test_a_lease_whose_holder_died_ends_by_itself() -> None:
    world = World()
    world.user()
    key = json_of(await ticket(world))["key"]
    world.objects.put(key, PICTURES["image/jpeg"], "image/jpeg")
    until = int((world.time + 40) * 1000)
    world.database.rows("UPDATE uploads SET holder = 'gone', attempt = 1, lease_until = ?", until)
    world.time += 39.9
    assert (await create(world, key)).status == 409
    world.time += 0.1
    assert (await create(world, key)).status == 201


async def test_what_cannot_be_created_says_why() -> None:
    world = World()
    world.user()
    world.user("usr_bob", "bob")
    missing = "originals/usr_ada/0b8f4b52-6d3c-4e0e-9a53-5a3b6a2f1c11.jpg"
    foreign = world.original("usr_bob")
    cases = [
        (missing, "usr_ada", 404, "not_found"),
        (foreign, "usr_ada", 403, "forbidden"),
        (missing.replace("ada", "bob"), "usr_ada", 403, "forbidden"),
        (missing.replace("ada", "eve"), "usr_eve", 404, "not_found"),
        ("display/usr_ada/x.jpg", "usr_ada", 400, "invalid_request"),
        ("originals/usr_ada/../usr_bob/x.jpg", "usr_ada", 400, "invalid_request"),
    ]
    for key, user_id, status, code in cases:
        answer = await create(world, key, user_id)
        assert (answer.status, json_of(answer)["code"]) == (status, code), key
    assert not world.renderers[Variant.ICON].requests


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (PICTURES["image/png"], "image/jpeg", 415),
        (b"<html>", "image/jpeg", 415),
        (PICTURES["image/jpeg"], "text/html", 415),
        (PICTURES["image/jpeg"], "", 415),
        (b"\xff", "image/jpeg", 415),
        (b"", "image/jpeg", 422),
        (PICTURES["image/jpeg"] + bytes(1_000_000), "image/jpeg", 413),
    ],
)
async def test_an_original_that_is_not_acceptable_bothers_no_sibling(
    data: bytes, content_type: str, status: int
) -> None:
    world = World()
    world.user()
    key = world.original()
    world.objects.put(key, data, content_type)
    assert (await create(world, key)).status == status
    assert not any(sibling.requests for sibling in world.renderers.values())
    assert_nothing_left(world)
    assert key not in world.objects.stored, "what was refused is deleted at once"
    assert (await create(world, key)).status == 404


@pytest.mark.parametrize(
    ("status", "code"), [(413, "too_large"), (415, "unsupported_type"), (422, "unreadable_image")]
)
async def test_an_original_that_a_sibling_refuses_is_deleted_at_once(status: int, code: str) -> None:
    async def refuses(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        return RendererResponse(status, None, json.dumps({"success": False, "error": "No.", "code": code}))

    world = World()
    world.user()
    key = world.original()
    world.renderers[Variant.ICON].fault = refuses
    assert (await create(world, key)).status == status
    assert world.objects.stored == {}


async def test_a_failure_of_ours_keeps_the_original() -> None:
    async def fails(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        return RendererResponse(500, None, "{}")

    world = World()
    world.user()
    key = world.original()
    world.renderers[Variant.ICON].fault = fails
    assert (await create(world, key)).status == 500
    assert set(world.objects.stored) == {key}


@pytest.mark.parametrize(("sent", "status"), [(0, 201), (1, 422), (-1, 422)])
async def test_an_original_of_another_size_than_announced_is_refused(sent: int, status: int) -> None:
    world = World()
    world.user()
    picture = PICTURES["image/jpeg"]
    key = json_of(await ticket(world, size=len(picture)))["key"]
    world.objects.put(key, (picture + b"!")[: len(picture) + sent], "image/jpeg")
    answer = await create(world, key)
    assert answer.status == status
    assert (key in world.objects.stored) == (status == 201)
    if status == 422:
        assert f"not the {len(picture)}" in json_of(answer)["error"]


async def test_an_original_of_another_type_than_announced_is_refused() -> None:
    world = World()
    world.user()
    key = json_of(await ticket(world))["key"]
    world.objects.put(key, PICTURES["image/png"], "image/png")
    assert (await create(world, key)).status == 415
    assert key not in world.objects.stored


async def test_what_took_the_place_of_a_refused_original_stays() -> None:
    world = World()
    world.user()
    key = json_of(await ticket(world))["key"]
    world.objects.put(key, PICTURES["image/jpeg"], "image/jpeg")

    async def is_put_again(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        world.objects.put(key, PICTURES["image/jpeg"] + b", a better one", "image/jpeg")
        return RendererResponse(422, None, '{"success":false,"error":"No.","code":"unreadable_image"}')

    world.renderers[Variant.ICON].fault = is_put_again
    assert (await create(world, key)).status == 422
    world.renderers[Variant.ICON].fault = None
    assert (await create(world, key)).status == 201


async def test_an_original_of_another_tool_gets_its_row_with_its_create() -> None:
    world = World()
    world.user()
    key = world.original()
    assert world.uploads() == []
    data = json_of(await create(world, key))["data"]
    (row,) = world.uploads()
    assert (row["key"], row["user_id"], row["artwork_id"]) == (key, "usr_ada", data["id"])
    missing = "originals/usr_ada/0b8f4b52-6d3c-4e0e-9a53-5a3b6a2f1c11.jpg"
    assert (await create(world, missing)).status == 404
    assert len(world.uploads()) == 1, "keys that are made up leave no rows"


@pytest.mark.parametrize("content_type", sorted(PICTURES))
async def test_every_accepted_type_is_created(content_type: str) -> None:
    world = World()
    world.user()
    assert (await create(world, world.original(content_type=content_type))).status == 201


async def test_too_many_creates_are_told_when_to_come_back() -> None:
    world = World()
    world.user()
    world.create_limiter.left = 1
    assert (await create(world, world.original())).status == 201
    answer = await create(world, world.original())
    assert (answer.status, json_of(answer)["code"]) == (429, "rate_limited")
    assert answer.headers["Retry-After"] == "60"
    world.create_limiter.broken = True
    assert (await create(world, world.original())).status == 201
    assert set(world.create_limiter.keys) == {"usr_ada"}


async def test_a_create_says_how_long_each_stage_took() -> None:
    world = World()
    world.user()
    answer = await create(world, world.original())
    names = [entry.partition(";")[0] for entry in answer.headers["Server-Timing"].split(", ")]
    assert set(names) == {
        "request",
        "user",
        "queue",
        "records",
        "original",
        "thumbnail",
        "icon",
        "watermark",
        "renditions",
        "commit",
        "total",
    }
