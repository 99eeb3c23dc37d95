"""`/healthz` says the truth about the renderers, and asks them seldom."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import MethodType

import pytest
from tests.support.gallery.fakes import WritingRenderer
from tests.support.gallery.world import World, json_of

from gallery.errors import StorageError
from gallery.isolate import HEALTH_SECONDS, Recent
from gallery.ports import RendererResponse
from gallery.variants import Variant

Answers = Callable[[WritingRenderer], Awaitable[RendererResponse]]


def says(status: int, body: str) -> Answers:
    async def answer(_: WritingRenderer) -> RendererResponse:
        return RendererResponse(status, None, body)

    return answer


async def breaks(_: WritingRenderer) -> RendererResponse:
    raise StorageError("the connection was lost")


async def hangs(_: WritingRenderer) -> RendererResponse:
    await asyncio.Event().wait()
    raise AssertionError


def set_health(sibling: WritingRenderer, answer: Answers) -> None:
    sibling.health = MethodType(answer, sibling)  # type: ignore[method-assign]


async def test_all_is_well_when_each_renderer_says_so() -> None:
    world = World()
    answer = await world.ask("GET", "/healthz")
    assert answer.status == 200
    assert json_of(answer) == {
        "status": "ok",
        "renderers": {"thumbnail": "ok", "icon": "ok", "watermark": "ok"},
    }
    assert answer.headers["Cache-Control"] == "no-store"
    for sibling in world.renderers.values():
        assert sibling.headers[0]["Authorization"] == f"Bearer {world.settings.worker_token}"


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (says(200, "<html>"), "JSONDecodeError"),
        (says(200, "[]"), "status 200, code None"),
        (says(200, '{"success":"true"}'), "status 200"),
        (says(401, '{"success":false,"code":"unauthorized"}'), "status 401, code 'unauthorized'"),
        (says(503, '{"success":true}'), "status 503"),
        (breaks, "the connection was lost"),
        (hangs, "no answer within 0.05 s"),
    ],
    ids=["a page", "a list", "a text", "another token", "503", "a broken connection", "silence"],
)
async def test_a_renderer_that_does_not_answer_is_named(
    variant: Variant, answer: Answers, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.health.DEADLINE_SECONDS", 0.05)

    world = World()
    set_health(world.renderers[variant], answer)
    refused = await world.ask("GET", "/healthz")
    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) > 0
    body = json_of(refused)
    assert (body["status"], body["code"]) == ("unavailable", "unavailable")
    assert set(body) == {"status", "renderers", "error", "code", "requestId"}
    assert body["renderers"] == {
        each: "unavailable" if each == variant else "ok" for each in ("thumbnail", "icon", "watermark")
    }
    (event,) = [event for event in world.events if event["event"] == "renderer_unavailable"]
    assert event["variant"] == variant
    assert reason in event["reason"]
    assert reason not in str(refused.body)


async def test_renderers_are_asked_once_in_a_while_whoever_asks() -> None:
    world = World()
    for _ in range(10):
        assert (await world.ask("GET", "/healthz")).status == 200
    assert [len(sibling.headers) for sibling in world.renderers.values()] == [1, 1, 1]
    set_health(world.renderers[Variant.ICON], breaks)
    assert (await world.ask("GET", "/healthz")).status == 200
    world.time += HEALTH_SECONDS
    assert (await world.ask("GET", "/healthz")).status == 503


async def test_what_is_asked_meanwhile_gets_the_answer_before() -> None:
    recent: Recent[int] = Recent(2)
    gate = asyncio.Event()

    async def first() -> int:
        return 1

    async def second() -> int:
        await gate.wait()
        return 2

    assert await recent.get(0, first) == 1
    asking = asyncio.ensure_future(recent.get(3, second))
    await asyncio.sleep(0)
    assert await recent.get(4, second) == 1
    gate.set()
    assert await asking == 2
    assert await recent.get(4.5, first) == 2


async def test_a_question_that_failed_is_asked_again() -> None:
    recent: Recent[int] = Recent(2)

    async def fails() -> int:
        raise StorageError("no")

    async def works() -> int:
        return 1

    with pytest.raises(StorageError):
        await recent.get(0, fails)
    assert await recent.get(0.5, works) == 1
