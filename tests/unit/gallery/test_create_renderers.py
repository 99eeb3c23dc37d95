"""The create when a sibling fails: nothing stays, and the next try succeeds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.support.gallery.creates import RENDITIONS, assert_nothing_left, create, expected_flags
from tests.support.gallery.fakes import WritingRenderer, written_response
from tests.support.gallery.world import World, json_of

from gallery.errors import StorageError
from gallery.ports import RendererResponse
from gallery.store import leases
from gallery.variants import Variant

Fault = Callable[[WritingRenderer, dict[str, Any]], Awaitable[RendererResponse]]

# What a sibling's answer must say.
NEEDED = {"success", "key", "width", "height", "bytes", "sha256", "etag"}
FAILED = "Image processing failed. Please try again."


async def down(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
    raise StorageError("there is no such Worker")


async def hangs(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def fails(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
    return RendererResponse(500, None, '{"success":false,"error":"boom","code":"processing_failed"}')


async def answers_html(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
    return RendererResponse(200, None, "<h1>It works!</h1>")


async def answers_a_list(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
    return RendererResponse(200, None, "[]")


async def answers_little(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
    return RendererResponse(200, None, '{"success":true}')


async def answers_deeply(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
    return RendererResponse(200, None, "[" * 100_000)


async def does_not_write(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
    answer = written_response(order, sibling.write(order))
    del sibling.objects.stored[order["outputKey"]]
    return answer


async def writes_something_else(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
    return written_response(order, sibling.write(order), sha256="0" * 64)


async def writes_less(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
    return written_response(order, sibling.write(order), bytes=1)


async def writes_elsewhere(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
    return written_response(order, sibling.write(order), key=order["outputKey"] + "x")


async def writes_and_dies(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
    sibling.write(order)
    raise StorageError("the Worker exceeded its memory")


async def is_late(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
    await asyncio.sleep(0.05)
    return written_response(order, sibling.write(order))


async def counts_in_floats(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
    return written_response(order, sibling.write(order), width=300.5)


async def says_true_for_a_size(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
    return written_response(order, sibling.write(order), height=True)


async def paints_in_numbers(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
    return written_response(order, sibling.write(order), dominantColor=7)


FAULTS: list[Fault] = [
    down,
    hangs,
    fails,
    answers_html,
    answers_a_list,
    answers_little,
    answers_deeply,
    does_not_write,
    writes_something_else,
    writes_less,
    writes_elsewhere,
    writes_and_dies,
    is_late,
    counts_in_floats,
    says_true_for_a_size,
    paints_in_numbers,
]


@pytest.mark.parametrize("variant", list(Variant))
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_a_failing_sibling_leaves_nothing_and_the_retry_succeeds(
    variant: Variant, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault is hangs:
        monkeypatch.setattr("gallery.pipeline.LATE_SECONDS", 0.1)

    world = World()
    world.user()
    key = world.original()
    world.renderers[variant].fault = fault
    world.deadline(0.02)
    answer = await create(world, key)
    assert (answer.status, json_of(answer)["error"]) == (500, FAILED)
    assert json_of(answer)["code"] == "processing_failed"
    assert_nothing_left(world)
    await world.finish()
    assert_nothing_left(world)

    world.renderers[variant].fault = None
    world.deadline(1.0)
    assert (await create(world, key)).status == 201
    assert (len(world.artworks()), world.count(), len(world.renditions())) == (1, 1, RENDITIONS)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("variant", list(Variant))
async def test_what_a_late_sibling_writes_never_meets_the_next_attempt(variant: Variant, seed: int) -> None:
    """The keys are the same, and what stands there is of the try that succeeded."""

    world = World(seed)
    world.user()
    key = world.original()
    sibling = world.renderers[variant]
    late = asyncio.Event()

    async def is_late(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        await late.wait()
        return written_response(order, sibling.write(order))

    world.deadline(0.005)
    sibling.fault, sibling.style = is_late, "of the first try"
    assert (await create(world, key)).status == 500
    assert_nothing_left(world)
    world.deadline(30)
    sibling.fault = None

    async def first_try_ends() -> None:
        for _ in range(seed):
            await asyncio.sleep(0)
        late.set()

    ending = asyncio.ensure_future(first_try_ends())
    sibling.style = ""
    while (answer := await create(world, key)).status == 409:
        pass  # what the first try left is just being deleted
    assert answer.status == 201
    await ending
    await world.finish()
    stem = key.removeprefix("originals/").removesuffix(".jpg")
    urls = json_of(answer)["data"]
    assert urls["displayUrl"] == f"https://gallery.example/cdn/display/{stem}.jpg"
    for name in ("displayUrl", "thumbnailUrl", "iconUrl"):
        assert urls[name].removeprefix("https://gallery.example/cdn/") in world.objects.stored
    assert len(world.renditions()) == RENDITIONS
    assert world.objects.attempts == dict.fromkeys(world.renditions(), 2)
    assert set(world.flags.stored) == expected_flags(world)


async def test_a_late_sibling_does_not_say_that_the_next_try_is_ready() -> None:
    world = World()
    world.user()
    key = world.original()
    late = asyncio.Event()

    async def is_late(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        await late.wait()
        return written_response(order, sibling.write(order))

    for sibling in world.renderers.values():
        sibling.fault = is_late
    world.deadline(0.005)
    assert (await create(world, key)).status == 500

    async def hangs(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        late.set()
        await asyncio.sleep(0.02)
        return RendererResponse(500, None, "{}")

    for sibling in world.renderers.values():
        sibling.fault = hangs
    world.deadline(30)
    assert (await create(world, key)).status == 500
    await world.finish()
    assert_nothing_left(world)


async def test_a_bucket_that_does_not_delete_keeps_the_next_try_away_until_the_lease_ends() -> None:
    """A deletion without an answer may still come, and must not meet what the next try writes."""

    world = World()
    world.user()
    key = world.original()
    world.renderers[Variant.ICON].fault = fails
    world.objects.broken = {"delete"}
    assert (await create(world, key)).status == 500
    world.objects.broken = set()
    world.renderers[Variant.ICON].fault = None
    assert (await create(world, key)).status == 409
    world.time += leases.TIDY_SECONDS
    assert (await create(world, key)).status == 201
    assert len(world.renditions()) == RENDITIONS


@pytest.mark.parametrize(
    ("status", "code"),
    [(413, "too_large"), (415, "unsupported_type"), (422, "unreadable_image"), (503, "overloaded")],
)
async def test_what_is_the_pictures_fault_is_told_in_the_siblings_words(status: int, code: str) -> None:
    async def refuses(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        said = {"success": False, "error": "Because of this.", "code": code}
        return RendererResponse(status, "7", json.dumps(said))

    world = World()
    world.user()
    world.renderers[Variant.ICON].fault = refuses
    answer = await create(world, world.original())
    assert (answer.status, json_of(answer)["code"]) == (status, code)
    assert json_of(answer)["error"] == "Because of this."
    assert answer.headers.get("Retry-After") == ("7" if status == 503 else None)
    assert_nothing_left(world)


async def test_a_picture_at_fault_is_told_before_a_sibling_at_fault() -> None:
    async def refuses(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        return RendererResponse(422, None, '{"success":false,"error":"Broken.","code":"unreadable_image"}')

    world = World()
    world.user()
    world.renderers[Variant.THUMBNAIL].fault = fails
    world.renderers[Variant.WATERMARK].fault = refuses
    assert (await create(world, world.original())).status == 422


@pytest.mark.parametrize(("status", "code"), [(401, "unauthorized"), (409, "source_changed"), (422, "other")])
async def test_what_only_siblings_understand_is_a_failure_of_ours(status: int, code: str) -> None:
    async def refuses(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        return RendererResponse(status, None, json.dumps({"success": False, "error": "?", "code": code}))

    world = World()
    world.user()
    world.renderers[Variant.ICON].fault = refuses
    answer = await create(world, world.original())
    assert (answer.status, json_of(answer)["error"]) == (500, FAILED)
    assert_nothing_left(world)


@pytest.mark.parametrize("said", ["{}", '{"success": true}'])
async def test_of_what_another_renderer_leaves_out_the_bucket_knows_the_rest(said: str) -> None:
    async def says_little(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        sibling.write(order)
        return RendererResponse(200, None, said)

    world = World()
    world.user()
    for sibling in world.renderers.values():
        sibling.fault = says_little
    answer = await create(world, world.original())
    assert answer.status == 201
    data = json_of(answer)["data"]
    sizes = ("width", "height", "originalWidth", "originalHeight", "dominantColor", "thumbHash")
    assert [data[name] for name in sizes] == [None] * 6
    assert (len(world.artworks()), world.count(), len(world.renditions())) == (1, 1, 3)
    assert len(world.flags.stored) == 3


async def says_little_of_nothing(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
    return RendererResponse(200, None, "{}")


async def writes_and_denies(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
    sibling.write(order)
    return RendererResponse(200, None, '{"success": false}')


async def writes_an_empty_object(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
    sibling.objects.put(order["outputKey"], b"", "image/jpeg")
    return RendererResponse(200, None, "{}")


@pytest.mark.parametrize("fault", [says_little_of_nothing, writes_and_denies, writes_an_empty_object])
async def test_another_renderer_fails_when_it_says_so_or_wrote_nothing(fault: Fault) -> None:
    world = World()
    world.user()
    world.renderers[Variant.WATERMARK].fault = fault
    answer = await create(world, world.original())
    assert (answer.status, json_of(answer)["error"]) == (500, FAILED)
    assert_nothing_left(world)


async def test_a_renderer_is_told_the_time_in_iso_8601() -> None:
    world = World()
    world.user()
    await create(world, world.original())
    told = {order["timestamp"] for sibling in world.renderers.values() for order in sibling.requests}
    assert told == {"2025-06-15T15:06:40.000Z"}


async def test_a_sibling_need_not_say_how_large_the_original_was() -> None:
    async def says_less(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        said = json.loads(written_response(order, sibling.write(order)).body)
        return RendererResponse(200, None, json.dumps({n: v for n, v in said.items() if n in NEEDED}))

    world = World()
    world.user()
    for sibling in world.renderers.values():
        sibling.fault = says_less
    answer = await create(world, world.original())
    assert answer.status == 201
    data = json_of(answer)["data"]
    assert (data["originalWidth"], data["originalHeight"]) == (data["width"], data["height"]) == (300, 200)
    assert (data["dominantColor"], data["thumbHash"]) == (None, None)
