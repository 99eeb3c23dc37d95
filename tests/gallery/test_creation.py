"""The create: once, within the quota, and only of what may be created."""

from __future__ import annotations

import asyncio

import pytest
from tests.gallery.creates import assert_nothing_left, create
from tests.gallery.fakes import PICTURES, World, json_of
from tests.gallery.tokens import bearer

from gallery.artwork import Variant


def test_an_upload_becomes_a_record_and_three_renditions() -> None:
    async def story() -> None:
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
        assert len(world.renditions()) == 3
        assert set(world.flags.stored) == {f"ready:{key}" for key in world.renditions()}
        assert world.database.rows("SELECT * FROM claims") == []

    asyncio.run(story())


def test_each_sibling_gets_the_order_of_its_contract() -> None:
    async def story() -> None:
        world = World()
        world.user()
        key = world.original()
        await create(world, key)
        etag = world.objects.stored[key].etag
        for variant, sibling in world.siblings.items():
            (order,) = sibling.orders
            assert order["sourceKey"] == key
            assert order["sourceEtag"] == etag
            assert order["timestamp"] == "2025-06-15T15:06:40.000Z"
            extra = {"watermark": {"username"}, "icon": {"size"}, "thumbnail": {"width", "height"}}[variant]
            assert set(order) - {"sourceKey", "sourceEtag", "outputKey", "timestamp"} == extra
            assert sibling.headers[0]["Authorization"] == f"Bearer {world.settings.worker_token}"

    asyncio.run(story())


def test_the_request_id_goes_through_to_the_siblings() -> None:
    async def story() -> None:
        world = World()
        world.user()
        body = {"title": "x", "originalKey": world.original()}
        answer = await world.ask(
            "POST", "/api/artworks", body, headers=bearer() | {"X-Request-Id": "trace-1"}
        )
        assert answer.headers["X-Request-Id"] == "trace-1"
        assert {s.headers[0]["X-Request-Id"] for s in world.siblings.values()} == {"trace-1"}

    asyncio.run(story())


def test_twenty_creates_at_once_against_a_limit_of_seven_make_seven() -> None:
    async def story() -> None:
        world = World()
        world.user(limit=7)
        answers = await asyncio.gather(*(create(world, world.original()) for _ in range(20)))
        assert sorted(answer.status for answer in answers) == [201] * 7 + [429] * 13
        assert world.count() == len(world.artworks()) == 7
        assert len(world.renditions()) == 21
        refusals = [json_of(answer) for answer in answers if answer.status == 429]
        assert {(r["error"], r["code"]) for r in refusals} == {
            ("Artwork limit reached", "artwork_limit_reached")
        }

    for _ in range(20):
        asyncio.run(story())


def test_fifty_creates_at_once_with_one_title_have_fifty_slugs() -> None:
    async def story() -> None:
        world = World()
        world.user()
        answers = await asyncio.gather(*(create(world, world.original()) for _ in range(50)))
        assert {answer.status for answer in answers} == {201}
        slugs = {json_of(answer)["data"]["slug"] for answer in answers}
        assert slugs == {"still-life", *(f"still-life-{n}" for n in range(1, 50))}

    asyncio.run(story())


def test_the_same_original_again_gives_the_artwork_that_exists() -> None:
    async def story() -> None:
        world = World()
        world.user(limit=1)
        key = world.original()
        made = json_of(await create(world, key))["data"]
        again = await create(world, key, title="Another title")
        assert again.status == 200
        assert json_of(again)["data"] == made
        assert world.count() == 1
        assert all(len(sibling.orders) == 1 for sibling in world.siblings.values())

    asyncio.run(story())


def test_the_same_original_at_once_is_made_once_and_the_others_wait() -> None:
    async def story() -> None:
        world = World()
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
        assert (world.count(), len(world.artworks()), len(world.renditions())) == (1, 1, 3)

    asyncio.run(story())


def test_a_claim_whose_holder_died_expires_by_itself() -> None:
    async def story() -> None:
        world = World()
        world.user()
        key = world.original()
        lease = int((world.time + 40) * 1000)
        world.database.rows("INSERT INTO claims VALUES (?, 'gone', 1, ?)", key, lease)
        assert (await create(world, key)).status == 409
        world.time += 41
        assert (await create(world, key)).status == 201

    asyncio.run(story())


def test_what_cannot_be_created_says_why() -> None:
    async def story() -> None:
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
        assert not world.siblings[Variant.ICON].orders

    asyncio.run(story())


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
def test_an_original_that_is_not_acceptable_bothers_no_sibling(
    data: bytes, content_type: str, status: int
) -> None:
    async def story() -> None:
        world = World()
        world.user()
        key = world.original()
        world.objects.put(key, data, content_type)
        assert (await create(world, key)).status == status
        assert not any(sibling.orders for sibling in world.siblings.values())
        assert_nothing_left(world)

    asyncio.run(story())


@pytest.mark.parametrize("content_type", sorted(PICTURES))
def test_every_accepted_type_is_created(content_type: str) -> None:
    async def story() -> None:
        world = World()
        world.user()
        assert (await create(world, world.original(content_type=content_type))).status == 201

    asyncio.run(story())


def test_too_many_creates_are_told_when_to_come_back() -> None:
    async def story() -> None:
        world = World()
        world.user()
        world.creates.left = 1
        assert (await create(world, world.original())).status == 201
        answer = await create(world, world.original())
        assert (answer.status, json_of(answer)["code"]) == (429, "rate_limited")
        assert answer.headers["Retry-After"] == "60"
        world.creates.broken = True
        assert (await create(world, world.original())).status == 201
        assert set(world.creates.keys) == {"usr_ada"}

    asyncio.run(story())


def test_a_create_says_how_long_each_stage_took() -> None:
    async def story() -> None:
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

    asyncio.run(story())
