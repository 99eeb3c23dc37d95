"""Rendering an artwork again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.support.gallery.creates import RENDITIONS, create
from tests.support.gallery.fakes import WritingRenderer, written_response
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import PICTURES, World, json_of

from gallery.http.messages import Response
from gallery.ports import RendererResponse
from gallery.variants import Variant

URLS = ("displayUrl", "thumbnailUrl", "iconUrl")


async def world_with_artwork() -> tuple[World, dict[str, Any]]:
    world = World()
    world.user()
    world.user("usr_bob", "bob")
    return world, json_of(await create(world, world.original()))["data"]


async def reprocess(world: World, artwork: dict[str, Any], user: str = "usr_ada", **claims: Any) -> Response:
    return await world.ask("POST", f"/api/artworks/{artwork['id']}/reprocess", headers=bearer(user, **claims))


def key_of(url: str) -> str:
    return url.partition("/cdn/")[2]


async def test_new_renditions_have_new_urls_and_the_old_ones_go() -> None:
    world, before = await world_with_artwork()
    world.time += 60
    answer = await reprocess(world, before)
    assert answer.status == 200
    after = json_of(answer)["data"]
    await world.finish()
    for name in URLS:
        assert key_of(after[name]) in world.objects.stored
        assert key_of(before[name]) not in world.objects.stored
        assert after[name].endswith(".v2.jpg")
    assert len(world.renditions()) == RENDITIONS
    assert after["processedAt"] > before["processedAt"]
    assert {after[n] == before[n] for n in ("id", "slug", "originalUrl", "createdAt")} == {True}
    assert "thumbnail;dur=" in answer.headers["Server-Timing"]
    assert (world.count(), len(world.artworks())) == (1, 1)
    again = json_of(await reprocess(world, before))["data"]
    assert again["displayUrl"].endswith(".v3.jpg")


async def test_the_old_urls_are_valid_until_the_record_changes() -> None:
    world, before = await world_with_artwork()

    async def looks(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        assert all(key_of(before[name]) in world.objects.stored for name in URLS)
        return written_response(order, sibling.write(order))

    world.renderers[Variant.WATERMARK].fault = looks
    assert (await reprocess(world, before)).status == 200


async def test_a_failure_changes_nothing_and_can_be_repeated() -> None:
    async def fails(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        sibling.write(order)
        return RendererResponse(500, None, "{}")

    world, before = await world_with_artwork()
    kept = set(world.objects.stored)
    world.renderers[Variant.ICON].fault = fails
    assert (await reprocess(world, before)).status == 500
    assert set(world.objects.stored) == kept
    world.renderers[Variant.ICON].fault = None
    after = json_of(await reprocess(world, before))["data"]
    assert after["displayUrl"].endswith(".v3.jpg")
    await world.finish()
    assert len(world.renditions()) == RENDITIONS


async def test_two_at_once_are_one_after_the_other() -> None:
    world, before = await world_with_artwork()
    answers = await asyncio.gather(*(reprocess(world, before) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    await world.finish()
    assert len(world.renditions()) == RENDITIONS


async def test_owners_and_operators_may() -> None:
    world, artwork = await world_with_artwork()
    path = f"/api/artworks/{artwork['id']}/reprocess"
    assert (await world.ask("POST", path)).status == 401
    assert (await reprocess(world, artwork, "usr_bob")).status == 403
    assert (await reprocess(world, artwork, "usr_bob", role="operator")).status == 200
    assert (await reprocess(world, {"id": "art_nothing"})).status == 404
    world.create_limiter.left = 0
    assert (await reprocess(world, artwork)).status == 429
    assert (await reprocess(world, artwork, "usr_bob", role="operator")).status == 200


async def test_an_original_that_is_gone_is_404() -> None:
    world, artwork = await world_with_artwork()
    del world.objects.stored[key_of(artwork["originalUrl"])]
    assert (await reprocess(world, artwork)).status == 404
    assert len(world.renditions()) == RENDITIONS


async def test_an_original_that_was_replaced_is_422_and_nothing_changes() -> None:
    world, artwork = await world_with_artwork()
    key = key_of(artwork["originalUrl"])
    world.objects.put(key, PICTURES["image/jpeg"] + b", another", "image/jpeg")
    before = world.renditions()
    answer = await reprocess(world, artwork)
    assert (answer.status, json_of(answer)["code"]) == (422, "original_replaced")
    assert "Retry-After" not in answer.headers
    assert world.renditions() == before
    assert key in world.objects.stored


async def test_a_sibling_that_refuses_does_not_cost_the_original() -> None:
    async def refuses(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        return RendererResponse(422, None, '{"success":false,"error":"No.","code":"unreadable_image"}')

    world, artwork = await world_with_artwork()
    world.renderers[Variant.ICON].fault = refuses
    assert (await reprocess(world, artwork)).status == 422
    assert key_of(artwork["originalUrl"]) in world.objects.stored


async def test_an_original_whose_etag_was_not_noted_is_taken_as_it_is() -> None:
    world, artwork = await world_with_artwork()
    world.database.rows("UPDATE artworks SET original_etag = NULL")
    assert (await reprocess(world, artwork)).status == 200
    key = key_of(artwork["originalUrl"])
    assert world.artworks()[0]["original_etag"] == world.objects.stored[key].etag


async def test_a_reprocess_after_a_create_of_two_tries_has_keys_of_its_own() -> None:
    async def fails(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        return RendererResponse(500, None, "{}")

    world = World()
    world.user()
    key = world.original()
    world.renderers[Variant.ICON].fault = fails
    assert (await create(world, key)).status == 500
    world.renderers[Variant.ICON].fault = None
    before = json_of(await create(world, key))["data"]
    after = json_of(await reprocess(world, before))["data"]
    assert {before[name] for name in URLS}.isdisjoint(after[name] for name in URLS)
    assert after["displayUrl"].endswith(".v3.jpg")


async def test_an_artwork_removed_meanwhile_stays_removed() -> None:
    world, artwork = await world_with_artwork()

    async def removes(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        await world.ask("DELETE", f"/api/artworks/{artwork['id']}", headers=bearer())
        return written_response(order, sibling.write(order))

    world.renderers[Variant.ICON].fault = removes
    assert (await reprocess(world, artwork)).status == 409
    await world.finish()
    assert world.objects.stored == {}
    assert (world.artworks(), world.count()) == ([], 0)


TURNS = range(4)


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("text", ["D1_ERROR: Network connection lost.", "D1_ERROR: out of memory"])
async def test_a_fault_of_d1_leaves_old_or_new(turn: int, lost: bool, text: str) -> None:
    world, before = await world_with_artwork()
    world.database.faults = [None] * turn + [text]
    world.database.lost = lost
    answer = await reprocess(world, before)
    passes = "lost" in text
    committed = passes or (lost and turn == TURNS[-1])
    assert answer.status == (200 if committed else 500)
    await world.finish()
    artwork = json_of(await world.ask("GET", f"/api/artworks/{before['id']}"))["data"]
    urls = {artwork[name] for name in URLS} | {each["url"] for each in artwork["display"]}
    assert {key_of(url) for url in urls} == set(world.renditions())
    world.time += 60
    assert (await reprocess(world, before)).status == 200
