"""Changing and removing artworks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.creates import RENDITIONS, assert_nothing_left, create
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import World, json_of

from gallery.http.messages import Response
from gallery.store import artworks

PASSING = "D1_ERROR: Network connection lost."


async def world_with_artwork() -> tuple[World, str, str]:
    """A world with one artwork of Ada's, the artwork's address, and its ETag."""
    world = World()
    world.user()
    world.user("usr_bob", "bob")
    answer = await create(world, world.original(), description="Two pears", tags=["a"])
    data = json_of(answer)["data"]
    return world, f"/api/artworks/{data['id']}", answer.headers["ETag"]


async def patch(
    world: World, path: str, body: Any, user: str = "usr_ada", etag: str | None = None
) -> Response:
    condition = {"If-Match": etag} if etag else {}
    return await world.ask("PATCH", path, body, headers=bearer(user) | condition)


async def test_only_what_is_named_changes() -> None:
    world, path, _ = await world_with_artwork()
    before = json_of(await world.ask("GET", path))["data"]
    world.time += 5
    answer = await patch(world, path, {"title": "Two Pears", "category": "painting"})
    assert answer.status == 200
    after = json_of(await world.ask("GET", path))["data"]
    changed = {name: value for name, value in after.items() if value != before[name]}
    assert changed == {
        "title": "Two Pears",
        "category": "painting",
        "updatedAt": "2025-06-15T15:06:45.000Z",
    }


async def test_null_empties_what_is_optional() -> None:
    world, path, _ = await world_with_artwork()
    data = json_of(await patch(world, path, {"description": None, "tags": None, "category": None}))["data"]
    assert (data["description"], data["tags"], data["category"]) == (None, [], "other")
    assert (await patch(world, path, {"title": None})).status == 400


@pytest.mark.parametrize(
    "body", [{}, {"slug": "x"}, {"isFeatured": ""}, {"isFeatured": 1}, {"title": ""}, [], {"tags": "a"}]
)
async def test_a_change_that_is_none_is_400(body: Any) -> None:
    world, path, _ = await world_with_artwork()
    assert (await patch(world, path, body)).status == 400


async def test_a_stale_etag_is_412() -> None:
    world, path, etag = await world_with_artwork()
    answer = await patch(world, path, {"title": "One"}, etag=etag)
    assert answer.status == 200
    stale = await patch(world, path, {"title": "Two"}, etag=etag)
    assert (stale.status, json_of(stale)["code"]) == (412, "precondition_failed")
    assert (await patch(world, path, {"title": "Two"}, etag=answer.headers["ETag"])).status == 200
    assert (await patch(world, path, {"title": "Three"}, etag="*")).status == 200
    assert (await patch(world, path, {"title": "Four"}, etag="nonsense")).status == 412


async def test_an_etag_that_was_marked_weak_on_its_way_still_guards_a_change() -> None:
    world, path, etag = await world_with_artwork()
    assert (await patch(world, path, {"title": "One"}, etag=f"W/{etag}")).status == 200
    assert (await patch(world, path, {"title": "Two"}, etag=f"W/{etag}")).status == 412


async def test_an_etag_of_a_reader_without_a_token_is_good_for_its_owner() -> None:
    world, path, _ = await world_with_artwork()
    etag = (await world.ask("GET", path)).headers["ETag"]
    assert (await patch(world, path, {"title": "One"}, etag=etag)).status == 200


async def test_changes_at_once_never_overwrite_each_other() -> None:
    world, path, etag = await world_with_artwork()
    answers = await asyncio.gather(*(patch(world, path, {"title": f"{n}"}, etag=etag) for n in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [412] * 9
    bodies = [{"materials": "oil"}, {"dimensions": "1 m"}, {"description": "x"}]
    answers = await asyncio.gather(*(patch(world, path, body) for body in bodies))
    assert {answer.status for answer in answers} == {200}
    data = json_of(await world.ask("GET", path))["data"]
    assert (data["materials"], data["dimensions"], data["description"]) == ("oil", "1 m", "x")


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("lost", [False, True])
async def test_a_change_whose_answer_was_lost_is_made_once(turn: int, lost: bool) -> None:
    world, path, _ = await world_with_artwork()
    world.database.faults = [None] * turn + [PASSING] * 2
    world.database.lost = lost
    assert (await patch(world, path, {"title": "One"})).status == 200
    assert world.artworks()[0]["revision"] == 2


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_only_the_owner_may(method: str) -> None:
    world, path, _ = await world_with_artwork()
    body = {"title": "Mine"}
    for headers, status in (
        ({}, 401),
        (bearer("usr_bob"), 403),
        (bearer("usr_bob", role="operator"), 403),
    ):
        assert (await world.ask(method, path, body, headers=headers)).status == status
    assert (await world.ask(method, f"{path}0", body, headers=bearer())).status == 404
    assert world.artworks()[0]["title"] == "Still Life"


async def test_what_is_featured_is_the_operators_choice() -> None:
    world, path, etag = await world_with_artwork()
    boss = bearer("usr_bob", role="operator")
    for body in ({"isFeatured": True}, {"isFeatured": False}, {"isFeatured": True, "title": "Mine"}):
        refused = await patch(world, path, body)
        assert (refused.status, json_of(refused)["code"]) == (403, "forbidden")
        assert "operators" in json_of(refused)["error"]
    mixed = await world.ask("PATCH", path, {"isFeatured": True, "title": "Mine"}, headers=boss)
    assert mixed.status == 403
    assert world.artworks()[0]["revision"] == 1
    chosen = await world.ask("PATCH", path, {"isFeatured": True}, headers=boss | {"If-Match": etag})
    assert (chosen.status, json_of(chosen)["data"]["isFeatured"]) == (200, True)
    assert (await patch(world, path, {"title": "Mine"})).status == 200
    assert json_of(await world.ask("GET", path))["data"]["isFeatured"] is True
    own = bearer(role="operator")
    both = await world.ask("PATCH", path, {"isFeatured": False, "title": "Pears"}, headers=own)
    assert (both.status, json_of(both)["data"]["isFeatured"]) == (200, False)


def remove(world: World, path: str, **headers: str) -> Any:
    return world.ask("DELETE", path, headers=bearer() | headers)


async def test_a_removed_artwork_leaves_nothing() -> None:
    world, path, _ = await world_with_artwork()
    key = world.artworks()[0]["original_key"]
    answer = await remove(world, path)
    assert (answer.status, answer.body) == (204, None)
    assert_nothing_left(world)
    assert key not in world.objects.stored
    assert (await remove(world, path)).status == 404
    assert (await create(world, key)).status == 404
    assert world.count() == 0


async def test_a_stale_etag_removes_nothing() -> None:
    world, path, etag = await world_with_artwork()
    await patch(world, path, {"title": "One"})
    assert (await remove(world, path, **{"If-Match": etag})).status == 412
    assert world.count() == 1


def test_a_change_between_reading_and_removing_is_not_lost() -> None:
    async def story(etag: str | None) -> tuple[World, Response]:
        world, path, current = await world_with_artwork()
        batch = world.database.batch

        async def changes_first(statements: Any) -> Any:
            if statements[0][0] == artworks.uncount("", 0)[0]:
                world.database.batch = batch  # type: ignore[method-assign]
                assert (await patch(world, path, {"title": "One"})).status == 200
            return await batch(statements)

        world.database.batch = changes_first  # type: ignore[method-assign]
        return world, await remove(world, path, **({"If-Match": current} if etag else {}))

    world, answer = run(story("guarded"))
    assert (answer.status, world.count(), world.artworks()[0]["title"]) == (412, 1, "One")
    world, answer = run(story(None))
    assert (answer.status, world.count(), world.artworks()) == (204, 0, [])


async def test_objects_that_cannot_be_removed_are_left_to_the_sweeper() -> None:
    world, path, _ = await world_with_artwork()
    world.objects.broken = {"delete"}
    world.flags.broken = True
    assert (await remove(world, path)).status == 204
    assert (world.artworks(), world.count()) == ([], 0)
    assert len(world.objects.stored) == 1 + RENDITIONS
    world.objects.broken = set()
    world.time += 24 * 3600
    await world.ask("POST", "/api/sweep", headers=bearer(role="operator"))
    assert world.objects.stored == {}


async def test_removals_at_once_are_counted_once() -> None:
    world, path, _ = await world_with_artwork()
    await create(world, world.original())
    answers = await asyncio.gather(*(remove(world, path) for _ in range(8)))
    assert {answer.status for answer in answers} <= {204, 404}
    assert world.count() == len(world.artworks()) == 1


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("lost", [False, True])
async def test_a_removal_whose_answer_was_lost_is_counted_once(turn: int, lost: bool) -> None:
    world, path, _ = await world_with_artwork()
    await create(world, world.original())
    world.database.faults = [None] * turn + [PASSING] * 2
    world.database.lost = lost
    assert (await remove(world, path)).status == 204
    assert world.count() == len(world.artworks()) == 1
