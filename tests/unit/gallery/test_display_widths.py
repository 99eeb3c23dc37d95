"""The display version in narrower widths, made and deleted with the rest; alternative texts."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.support.gallery.creates import RENDITIONS, assert_nothing_left, create, walk
from tests.support.gallery.fakes import WritingRenderer, written_response
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import World, json_of

from gallery.keys import all_keys, parse_original, parse_rendition
from gallery.ports import RendererResponse
from gallery.variants import Variant

UUID = "11111111-1111-4111-8111-111111111111"


async def world_with_artwork(**fields: Any) -> tuple[World, dict[str, Any]]:
    world = World()
    world.user()
    answer = await create(world, world.original(), **fields)
    assert answer.status == 201, answer.body
    return world, json_of(answer)["data"]


def key_of(url: str) -> str:
    return url.removeprefix("https://gallery.example/cdn/")


async def test_an_artwork_has_its_display_version_in_ascending_widths() -> None:
    world, artwork = await world_with_artwork()
    assert [each["width"] for each in artwork["display"][:-1]] == [640, 1280]
    assert artwork["display"][-1]["url"] == artwork["displayUrl"]
    for each in artwork["display"]:
        answer = await world.ask("GET", f"/cdn/{key_of(each['url'])}")
        assert answer.status == 200
    again = json_of(await world.ask("GET", f"/api/artworks/{artwork['id']}"))["data"]
    assert again["display"] == artwork["display"]


async def test_a_renderer_that_knows_no_widths_leaves_one() -> None:
    async def knows_none(renderer: WritingRenderer, request: dict[str, Any]) -> RendererResponse:
        return written_response(request, renderer.write(request))

    world = World()
    world.user()
    world.renderers[Variant.WATERMARK].fault = knows_none
    artwork = json_of(await create(world, world.original()))["data"]
    assert [each["url"] for each in artwork["display"]] == [artwork["displayUrl"]]
    assert not any(report.missing for report in await walk(world, dry_run=True))


def tells(**changes: Any) -> Callable[[WritingRenderer, dict[str, Any]], Awaitable[RendererResponse]]:
    """A renderer that writes everything and describes its first narrower rendition wrongly."""

    async def fault(renderer: WritingRenderer, request: dict[str, Any]) -> RendererResponse:
        response = json.loads(
            written_response(request, renderer.write(request), **renderer.narrower(request)).body
        )
        response["narrower"][0] |= changes
        return RendererResponse(200, None, json.dumps(response))

    return fault


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "display/usr_ada/another.jpg"},
        {"key": None},
        {"etag": "another"},
        {"bytes": 1},
        {"sha256": "0" * 64},
        {"width": 0},
        {"width": "640"},
        {"height": None},
        {"height": True},
    ],
)
async def test_a_width_that_is_not_confirmed_fails_the_whole_create(changes: dict[str, Any]) -> None:
    world = World()
    world.user()
    world.renderers[Variant.WATERMARK].fault = tells(**changes)
    assert (await create(world, world.original())).status == 500
    await world.finish()
    assert_nothing_left(world)


@pytest.mark.parametrize("narrower", [{}, "x", [1], [[]], [None]])
async def test_widths_of_the_wrong_kind_fail_the_whole_create(narrower: Any) -> None:
    async def wrong(renderer: WritingRenderer, request: dict[str, Any]) -> RendererResponse:
        renderer.narrower(request)
        return written_response(request, renderer.write(request), narrower=narrower)

    world = World()
    world.user()
    world.renderers[Variant.WATERMARK].fault = wrong
    assert (await create(world, world.original())).status == 500
    await world.finish()
    assert_nothing_left(world)


async def test_deleting_an_artwork_deletes_every_width() -> None:
    world, artwork = await world_with_artwork()
    assert len(world.renditions()) == RENDITIONS
    answer = await world.ask("DELETE", f"/api/artworks/{artwork['id']}", headers=bearer("usr_ada"))
    assert answer.status == 204
    await world.finish()
    assert_nothing_left(world)


async def test_reprocessing_gives_widths_to_an_older_artwork() -> None:
    world, artwork = await world_with_artwork()
    world.database.rows("UPDATE artworks SET display_sizes = NULL")
    old = json_of(await world.ask("GET", f"/api/artworks/{artwork['id']}"))["data"]
    assert len(old["display"]) == 1
    answer = await world.ask(
        "POST", f"/api/artworks/{artwork['id']}/reprocess", {}, headers=bearer("usr_ada")
    )
    assert answer.status == 200
    await world.finish()
    new = json_of(answer)["data"]["display"]
    assert [each["width"] for each in new[:-1]] == [640, 1280]
    assert {key_of(each["url"]) for each in new} <= set(world.renditions())
    assert len(world.renditions()) == RENDITIONS


async def test_an_audit_reports_a_width_that_is_missing() -> None:
    world, artwork = await world_with_artwork()
    key = key_of(artwork["display"][0]["url"])
    del world.objects.stored[key]
    missing = [entry for report in await walk(world) for entry in report.missing]
    assert missing == [{"artwork": artwork["id"], "keys": [key]}]


async def test_an_audit_deletes_widths_of_no_artwork() -> None:
    world, _ = await world_with_artwork()
    orphan = f"display/usr_ada/{UUID}-640.jpg"
    world.objects.put(orphan, b"x", "image/jpeg", uploaded=0)
    world.time += 200_000
    await walk(world)
    assert orphan not in world.objects.stored
    assert len(world.renditions()) == RENDITIONS


@pytest.mark.parametrize("tail", ["-640.jpg", "-1280.jpg", ".v2-640.jpg"])
def test_the_keys_of_widths_are_keys_of_the_display(tail: str) -> None:
    found = parse_rendition(f"display/usr_1/{UUID}{tail}")
    assert found
    assert found.variant is Variant.WATERMARK
    assert str(found) == f"display/usr_1/{UUID}{tail}"


@pytest.mark.parametrize(
    "key", ["thumbnails/usr_1/{}-640.jpg", "display/usr_1/{}-641.jpg", "display/usr_1/{}-.jpg"]
)
def test_other_widths_are_no_keys(key: str) -> None:
    assert parse_rendition(key.format(UUID)) is None


def test_all_keys_of_a_version_are_in_the_grammar() -> None:
    original = parse_original(f"originals/usr_1/{UUID}.png")
    assert original
    keys = all_keys(original, 3)
    assert len(keys) == len(set(keys)) == RENDITIONS
    assert [str(parse_rendition(key)) for key in keys] == keys


async def test_the_alternative_text_is_kept_changed_and_cleared() -> None:
    world, artwork = await world_with_artwork(altText="  Three boats.\nOn sand. ")
    assert artwork["altText"] == "Three boats.\nOn sand."
    path = f"/api/artworks/{artwork['id']}"
    for sent, kept in (("A pear", "A pear"), ("", None), (None, None)):
        answer = await world.ask("PATCH", path, {"altText": sent}, headers=bearer("usr_ada"))
        assert json_of(answer)["data"]["altText"] == kept


@pytest.mark.parametrize("text", ["x" * 1001, 5, ["x"], "a\x00b", {"a": 1}])
async def test_an_alternative_text_that_cannot_be_is_refused(text: Any) -> None:
    world = World()
    world.user()
    answer = await create(world, world.original(), altText=text)
    assert (answer.status, json_of(answer)["code"]) == (400, "invalid_request")


async def test_an_artwork_without_alternative_text_has_none() -> None:
    _, artwork = await world_with_artwork()
    assert artwork["altText"] is None
