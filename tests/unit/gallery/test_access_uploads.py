"""Upload tickets: who gets one, what it says, and how many there may be."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.creates import create, ticket
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import PICTURES, World, json_of

from gallery.http.messages import Response
from gallery.store.uploads import GRACE_SECONDS, URL_SECONDS

PICTURE = PICTURES["image/jpeg"]
SIZE = len(PICTURE)


def ask(**fields: Any) -> Response:
    async def story() -> Response:
        world = World()
        world.user()
        return await ticket(world, **fields)

    return run(story())


def signed(answer: Response) -> list[str]:
    query = urlsplit(str(json_of(answer)["uploadUrl"])).query
    (names,) = parse_qs(query)["X-Amz-SignedHeaders"]
    return names.split(";")


def test_a_ticket_says_what_to_send() -> None:
    answer = ask(filename="../../etc/passwd", contentType="image/png", size=1000)
    assert answer.status == 200
    said = json_of(answer)
    assert set(said) == {"uploadUrl", "key", "method", "headers", "expiresAt", "maxBytes"}
    assert said["key"].startswith("originals/usr_ada/")
    assert said["key"].endswith(".png")
    assert said["headers"] == {"Content-Type": "image/png", "If-None-Match": "*"}
    assert (said["method"], said["maxBytes"]) == ("PUT", 1000)
    assert said["expiresAt"] == "2025-06-15T15:21:40.000Z"
    assert signed(answer) == ["content-length", "content-type", "host", "if-none-match"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_ticket_without_a_size_needs_the_type_alone() -> None:
    answer = ask(filename="x", contentType="image/webp")
    said = json_of(answer)
    assert (said["headers"], said["maxBytes"]) == ({"Content-Type": "image/webp"}, 1_000_000)
    assert signed(answer) == ["content-type", "host"]


@pytest.mark.parametrize("said", ["image/jpg", "Image/Jpeg; charset=binary"])
async def test_what_means_jpeg_is_sent_as_it_was_said_and_becomes_an_artwork(said: str) -> None:
    world = World()
    world.user()
    issued = json_of(await ticket(world, contentType=said))
    assert issued["headers"] == {"Content-Type": said}
    assert issued["key"].endswith(".jpg")
    world.objects.put(issued["key"], PICTURE, said)
    assert (await create(world, issued["key"])).status == 201


async def test_too_many_tickets_are_told_when_to_come_back() -> None:
    world = World()
    world.upload_limiter.left = 0
    answer = await ticket(world)
    assert (answer.status, json_of(answer)["code"]) == (429, "rate_limited")
    assert answer.headers["Retry-After"] == "60"


async def test_a_ticket_needs_a_user_with_room() -> None:
    world = World()
    assert (await ticket(world)).status == 404
    world.user(limit=3, count=3)
    answer = await ticket(world)
    assert (answer.status, json_of(answer)["code"]) == (429, "artwork_limit_reached")
    assert json_of(answer)["error"] == "Artwork limit reached"
    assert "Retry-After" not in answer.headers
    assert world.uploads() == []


async def test_the_row_says_what_was_promised() -> None:
    world = World()
    world.user()
    key = json_of(await ticket(world, size=SIZE))["key"]
    (row,) = world.uploads()
    now = int(world.time * 1000)
    assert row == {
        "key": key,
        "user_id": "usr_ada",
        "content_type": "image/jpeg",
        "size": SIZE,
        "issued_at": now,
        "expires_at": now + URL_SECONDS * 1000,
        "holder": "",
        "attempt": 0,
        "lease_until": 0,
        "artwork_id": None,
        "etags": None,
    }
    world.objects.put(key, PICTURE, "image/jpeg")
    artwork = json_of(await create(world, key))["data"]
    (row,) = world.uploads()
    assert (row["artwork_id"], row["expires_at"], row["holder"]) == (artwork["id"], None, "")


@pytest.mark.parametrize("seed", range(20))
async def test_the_number_of_open_uploads_is_bounded_whatever_runs_at_once(seed: int) -> None:
    world = World(seed, MAX_OPEN_UPLOADS="7")
    world.user()
    world.user("usr_bob", "bob")
    answers = await asyncio.gather(*(ticket(world, size=SIZE) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 7 + [429] * 13
    refused = next(answer for answer in answers if answer.status == 429)
    assert json_of(refused)["code"] == "upload_limit_reached"
    assert int(refused.headers["Retry-After"]) == URL_SECONDS + GRACE_SECONDS + 1
    assert (await ticket(world, "usr_bob")).status == 200, "each user has a limit of their own"
    assert len(world.uploads()) == 8


@pytest.mark.parametrize(
    ("size", "number"),
    [(400_000, 2), (1_000_000, 1), (100_000, 10), (None, 1)],
)
async def test_open_bytes_are_bounded_and_those_without_a_size_counted_whole(
    size: int | None, number: int
) -> None:
    world = World(MAX_OPEN_BYTES="1000000")
    world.user()
    answers = [await ticket(world, size=size) for _ in range(number + 1)]
    assert [answer.status for answer in answers] == [200] * number + [429]
    assert json_of(answers[-1])["code"] == "upload_limit_reached"


async def test_an_artwork_makes_room_for_the_next_upload() -> None:
    world = World(MAX_OPEN_UPLOADS="1")
    world.user()
    for _ in range(5):
        key = json_of(await ticket(world, size=SIZE))["key"]
        assert (await ticket(world)).status == 429
        world.objects.put(key, PICTURE, "image/jpeg")
        assert (await create(world, key)).status == 201


async def test_a_deleted_artwork_makes_room_once_its_url_is_over() -> None:
    world = World(MAX_OPEN_UPLOADS="1")
    world.user()
    for wait in (0, URL_SECONDS):
        key = json_of(await ticket(world, size=SIZE))["key"]
        world.objects.put(key, PICTURE, "image/jpeg")
        artwork = json_of(await create(world, key))["data"]["id"]
        world.time += wait
        await world.ask("DELETE", f"/api/artworks/{artwork}", headers=bearer())
        # As long as the URL is valid, it may be used to store as many bytes again.
        assert (await ticket(world)).status == (200 if wait else 429)
        world.time += URL_SECONDS + GRACE_SECONDS


async def test_uploads_that_are_over_make_room_without_waiting_for_the_sweeper() -> None:
    world = World(MAX_OPEN_UPLOADS="3")
    world.user()
    keys = [json_of(await ticket(world, size=SIZE))["key"] for _ in range(3)]
    for key in keys:
        world.objects.put(key, PICTURE, "image/jpeg")
    world.time += URL_SECONDS + GRACE_SECONDS - 1
    answer = await ticket(world)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    assert set(keys) == set(world.objects.stored)
    world.time += 1
    assert (await ticket(world)).status == 200
    assert (world.objects.stored, len(world.uploads())) == ({}, 1)


async def test_a_bucket_that_fails_refuses_no_more_than_the_limit() -> None:
    world = World(MAX_OPEN_UPLOADS="1")
    world.user()
    await ticket(world)
    world.time += URL_SECONDS + GRACE_SECONDS
    world.objects.broken = {"delete"}
    assert json_of(await ticket(world))["code"] == "upload_limit_reached"


PASSING = "D1_ERROR: Network connection lost."


@pytest.mark.parametrize("lost", [False, True])
async def test_a_ticket_whose_answer_was_lost_is_noted_once(lost: bool) -> None:
    world = World(MAX_OPEN_UPLOADS="1")
    world.user()
    world.database.faults = [PASSING] * 3
    world.database.lost = lost
    assert (await ticket(world)).status == 200
    assert len(world.uploads()) == 1
    assert (await ticket(world)).status == 429
