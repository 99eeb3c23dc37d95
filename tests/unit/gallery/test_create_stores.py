"""The create when D1, R2 or KV fail, or the client is gone."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.creates import RENDITIONS, assert_nothing_left, create
from tests.support.gallery.fakes import WritingRenderer, written_response
from tests.support.gallery.world import World, json_of

from gallery.isolate import Isolate
from gallery.ports import RendererResponse
from gallery.queue import Queue
from gallery.variants import Variant

PASSING = "D1_ERROR: Network connection lost."


def statements_of_a_create() -> int:
    async def story() -> int:
        world = World()
        world.user()
        await create(world, world.original())
        return len(world.database.calls)

    return run(story())


TURNS = range(statements_of_a_create())


def pauses_of_retries(world: World) -> list[float]:
    """The sleeps of less than a second; the others are deadlines."""
    return [seconds for seconds in world.clock.pauses if seconds < 1]


@pytest.mark.parametrize("lost", [False, True], ids=["refused", "answer lost"])
@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("turn", TURNS)
async def test_a_fault_of_d1_that_passes_is_not_noticed(turn: int, times: int, lost: bool) -> None:
    world = World()
    world.user()
    world.database.faults = [None] * turn + [PASSING] * times
    world.database.lost = lost
    answer = await create(world, world.original())
    assert answer.status == 201, answer.body
    assert (len(world.artworks()), world.count(), len(world.renditions())) == (1, 1, RENDITIONS)
    assert len(pauses_of_retries(world)) == times
    assert pauses_of_retries(world) == sorted(pauses_of_retries(world))


@pytest.mark.parametrize("lost", [False, True], ids=["refused", "answer lost"])
@pytest.mark.parametrize("turn", TURNS)
async def test_a_fault_of_d1_that_stays_is_not_repeated(turn: int, lost: bool) -> None:
    world = World()
    world.user()
    key = world.original()
    world.database.faults = [None] * turn + ["D1_ERROR: out of memory"]
    world.database.lost = lost
    answer = await create(world, key)
    assert pauses_of_retries(world) == []
    committed = lost and turn == TURNS[-1]
    assert answer.status == (201 if committed else 500)
    assert len(world.artworks()) == world.count() == int(committed)
    assert len(world.renditions()) == RENDITIONS * committed
    world.time += 60
    assert (await create(world, key)).status == (200 if committed else 201)
    assert (len(world.artworks()), world.count(), len(world.renditions())) == (1, 1, RENDITIONS)


@pytest.mark.parametrize("lost", [False, True], ids=["refused", "answers lost"])
@pytest.mark.parametrize("turn", TURNS)
async def test_records_that_cannot_be_reached_are_tried_five_times(turn: int, lost: bool) -> None:
    world = World()
    world.user()
    key = world.original()
    world.database.faults = [None] * turn + [PASSING] * 50
    world.database.lost = lost
    answer = await create(world, key)
    assert (answer.status, json_of(answer)["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    world.database.faults = []
    world.time += 60
    assert (await create(world, key)).status in (200, 201)
    assert (len(world.artworks()), world.count()) == (1, 1)


async def test_the_create_is_right_without_flags() -> None:
    async def says_nothing(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        return RendererResponse(200, None, "")

    world = World()
    world.user()
    world.flags.broken = True
    assert (await create(world, world.original())).status == 201
    world.renderers[Variant.ICON].fault = says_nothing
    assert (await create(world, world.original())).status == 500
    assert (len(world.artworks()), len(world.renditions())) == (1, RENDITIONS)


async def test_flags_that_never_answer_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gallery.cleanup.HINT_SECONDS", 0.01)
    monkeypatch.setattr("gallery.cleanup.DISCARD_SECONDS", 0.01)

    async def says_nothing(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        return RendererResponse(200, None, "")

    world = World()
    world.user()
    world.flags.hanging = True
    assert (await create(world, world.original())).status == 201
    world.renderers[Variant.ICON].fault = says_nothing
    assert (await create(world, world.original())).status == 500
    assert (len(world.artworks()), len(world.renditions())) == (1, RENDITIONS)
    assert {"flag_failed", "discard_failed"} <= {event.get("event") for event in world.events}
    assert all(event["requestId"] for event in world.events)


@pytest.mark.parametrize("method", ["head", "read"])
async def test_a_bucket_that_fails_records_nothing(method: str) -> None:
    world = World()
    world.user()
    key = world.original()
    world.objects.broken = {method}
    assert (await create(world, key)).status == 503
    assert_nothing_left(world)
    world.objects.broken = set()
    assert (await create(world, key)).status == 201


async def test_a_client_that_hangs_up_leaves_a_complete_artwork() -> None:
    world = World()
    world.user()
    rendering = asyncio.Event()

    async def announces(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        rendering.set()
        await asyncio.sleep(0.01)
        return written_response(order, sibling.write(order))

    world.renderers[Variant.ICON].fault = announces
    asking = asyncio.ensure_future(create(world, world.original()))
    await rendering.wait()
    asking.cancel()
    await world.finish()
    assert (len(world.artworks()), world.count(), len(world.renditions())) == (1, 1, RENDITIONS)


async def test_a_gallery_that_is_full_says_when_to_come_back() -> None:
    world = World()
    world.user()
    world.platform = dataclasses.replace(world.platform, isolate=Isolate(Queue(places=0, patience=0)))
    key = world.original()
    answer = await create(world, key)
    assert (answer.status, json_of(answer)["code"]) == (503, "overloaded")
    assert int(answer.headers["Retry-After"]) > 0
    assert_nothing_left(world)
    assert world.uploads() == []


async def test_what_needs_no_rendering_does_not_wait_for_it() -> None:
    world = World()
    world.user(limit=1)
    key = world.original()
    assert (await create(world, key)).status == 201
    world.platform = dataclasses.replace(world.platform, isolate=Isolate(Queue(places=0, patience=0)))
    assert (await create(world, key)).status == 200
    assert json_of(await create(world, world.original()))["code"] == "artwork_limit_reached"
    assert (await create(world, world.original("usr_gone"), "usr_gone")).status == 404
