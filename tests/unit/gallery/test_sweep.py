"""The sweeper: ends uploads that are over, and nothing else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.creates import RENDITIONS, create, ticket
from tests.support.gallery.fakes import WritingRenderer, written_response
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import PICTURES, World, json_of

from gallery import cleanup
from gallery.keys import OriginalKey, parse_original, rendition_keys
from gallery.ports import RendererResponse
from gallery.store.uploads import GRACE_SECONDS, URL_SECONDS
from gallery.sweep import Report
from gallery.sweep import sweep as run_sweep
from gallery.variants import Variant

PICTURE = PICTURES["image/jpeg"]
LIFE = URL_SECONDS + GRACE_SECONDS


def original_of(key: str) -> OriginalKey:
    original = parse_original(key)
    assert original is not None
    return original


async def sweep(world: World, *, dry_run: bool = False) -> Report:
    return await run_sweep(world.platform, world.settings, dry_run=dry_run)


async def upload(world: World, **fields: Any) -> str:
    """Ticket and PUT; the original's key."""
    answer = await ticket(world, **{"size": len(PICTURE)} | fields)
    assert answer.status == 200, answer.body
    key = str(json_of(answer)["key"])
    world.objects.put(key, PICTURE, "image/jpeg")
    return key


async def world_with_everything() -> tuple[World, set[str], set[str]]:
    """A world in which every upload is over: the keys that must stay, and the originals that must go."""
    world = World()
    world.user()
    kept = {await upload(world, **fields) for fields in ({}, {}, {"size": None})}
    for key in sorted(kept):
        assert (await create(world, key)).status == 201
    kept |= set(world.renditions())
    ended = {await upload(world) for _ in range(4)}
    for key in ended:
        for rendition in rendition_keys(original_of(key), 1).values():
            world.objects.put(rendition, PICTURE, "image/jpeg")
    world.time += LIFE
    return world, kept, ended


async def test_uploads_that_are_over_go_with_all_they_left() -> None:
    world, kept, ended = await world_with_everything()
    report = await sweep(world)
    assert set(report.removed) == ended
    assert set(world.objects.stored) == kept
    assert (report.missing, report.replaced, report.failed) == ([], [], [])
    assert {row["key"] for row in world.uploads()} == {key for key in kept if key.startswith("originals/")}
    assert (await sweep(world)).uploads == 0


async def test_a_dry_run_names_the_same_and_changes_nothing() -> None:
    world, _, ended = await world_with_everything()
    before = "\n".join(world.database.connection.iterdump()), dict(world.objects.stored)
    report = await sweep(world, dry_run=True)
    assert set(report.removed) == ended
    after = "\n".join(world.database.connection.iterdump()), dict(world.objects.stored)
    assert after == before


async def test_an_upload_is_left_alone_until_nothing_can_arrive_any_more() -> None:
    world = World()
    world.user()
    key = await upload(world)
    world.time += LIFE - 1
    assert (await sweep(world)).uploads == 0
    assert (await create(world, key)).status == 201
    other = await upload(world)
    world.time += LIFE + 3600
    assert (await sweep(world)).removed == [other]
    assert (await create(world, other)).status == 404
    assert LIFE + 3600 < 2 * 3600, "what is left is deleted within two hours, by an hourly sweep"


async def test_what_is_being_worked_on_stays_however_old() -> None:
    world = World()
    world.user()
    key = await upload(world)
    world.time += 10 * LIFE
    world.database.rows("UPDATE uploads SET holder = 'x', lease_until = ?", int((world.time + 1) * 1000))
    assert (await sweep(world)).removed == []
    assert key in world.objects.stored
    world.time += 1
    assert (await sweep(world)).removed == [key]


@pytest.mark.parametrize("seed", range(60))
async def test_a_create_that_comes_during_a_sweep_waits_or_wins(seed: int) -> None:
    world = World(seed)
    world.user()
    key = await upload(world)
    world.time += LIFE
    creating = asyncio.ensure_future(create(world, key))
    for _ in range(seed):
        await asyncio.sleep(0)
    await sweep(world)
    answer = await creating
    if answer.status == 201:
        assert key in world.objects.stored
        assert len(world.renditions()) == RENDITIONS
    else:
        assert answer.status in (404, 409)
        assert key not in world.objects.stored
        assert world.renditions() == []
    assert world.count() == len(world.artworks()) == int(answer.status == 201)


async def test_a_commit_that_comes_after_its_lease_records_nothing() -> None:
    """The batch is built in time and long on its way, and the sweeper comes meanwhile."""

    world = World()
    world.user()
    key = await upload(world)

    async def meanwhile() -> None:
        world.time += LIFE
        assert (await sweep(world)).removed == [key]

    world.database.slow = ("INSERT INTO artworks", meanwhile)
    answer = await create(world, key)
    assert (answer.status, json_of(answer)["code"]) == (500, "processing_failed")
    assert (world.count(), world.artworks(), world.objects.stored) == (0, [], {})


async def test_a_commit_that_comes_too_late_gives_the_artwork_that_another_made() -> None:
    world = World()
    world.user()
    key = await upload(world)
    answers = []

    async def meanwhile() -> None:
        world.time += 80
        answers.append(await create(world, key))

    world.database.slow = ("INSERT INTO artworks", meanwhile)
    answers.insert(0, await create(world, key))
    assert [answer.status for answer in answers] == [200, 201]
    assert len({json_of(answer)["data"]["id"] for answer in answers}) == 1
    assert (world.count(), len(world.artworks()), len(world.renditions())) == (1, 1, RENDITIONS)


async def test_many_uploads_are_ended_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gallery.sweep.BATCH", 3)
    monkeypatch.setattr("gallery.sweep.BATCHES", 2)
    monkeypatch.setattr("gallery.cleanup.KEYS_OF_ONE_CALL", 5)

    world = World()
    world.user()
    keys = [await upload(world) for _ in range(14)]
    world.time += LIFE
    assert len((await sweep(world, dry_run=True)).removed) == 6
    assert [len((await sweep(world)).removed) for _ in range(4)] == [6, 6, 2, 0]
    assert not set(keys) & set(world.objects.stored)


def test_the_cost_follows_uploads_not_objects() -> None:
    async def story(artworks: int) -> tuple[int, int]:
        world = World()
        world.user(limit=1000)
        for _ in range(artworks):
            assert (await create(world, await upload(world))).status == 201
        world.time += LIFE
        key = await upload(world)
        world.time += LIFE
        statements, looks = len(world.database.calls), len(world.objects.asked)
        assert (await sweep(world)).removed == [key]
        return len(world.database.calls) - statements, len(world.objects.asked) - looks

    assert run(story(1)) == run(story(60))


@pytest.mark.parametrize("text", ["D1_ERROR: Network connection lost.", "D1_ERROR: out of memory"])
@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("turn", range(3))
async def test_records_that_fail_lose_nothing_and_come_again(turn: int, lost: bool, text: str) -> None:
    world, kept, ended = await world_with_everything()
    world.database.faults = [None] * turn + [text] * 50
    world.database.lost = lost
    assert (await sweep(world)).failed == ["uploads"]
    assert kept <= set(world.objects.stored)
    world.database.faults = []
    world.time += cleanup.HOLD_SECONDS
    await sweep(world)
    assert set(world.objects.stored) == kept
    assert not ended & {row["key"] for row in world.uploads()}


@pytest.mark.parametrize("broken", ["delete", "head"])
async def test_a_bucket_that_fails_is_swept_the_next_time(broken: str) -> None:
    world, kept, _ = await world_with_everything()
    world.objects.broken = {broken}
    assert (await sweep(world)).failed == ["uploads"]
    world.objects.broken = set()
    world.time += cleanup.HOLD_SECONDS
    assert (await sweep(world)).failed == []
    assert set(world.objects.stored) == kept
    assert all(row["expires_at"] is None for row in world.uploads())


async def test_a_sweep_that_is_slow_gives_up_before_its_leases_end() -> None:
    world, kept, _ = await world_with_everything()

    async def waits() -> None:
        world.time += cleanup.HOLD_SECONDS

    world.database.slow = ("FROM artworks", waits)
    before = set(world.objects.stored)
    assert (await sweep(world)).failed == ["uploads"]
    assert set(world.objects.stored) == before
    assert (await sweep(world)).failed == []
    assert set(world.objects.stored) == kept


async def test_an_original_that_was_replaced_by_its_owner_is_reported() -> None:
    world = World()
    world.user()
    key = await upload(world, size=None)
    artwork = json_of(await create(world, key))["data"]["id"]
    world.objects.put(key, PICTURE + b" and more", "image/jpeg")
    world.time += LIFE
    report = await sweep(world)
    assert (report.replaced, report.removed) == ([artwork], [])
    assert (await sweep(world)).uploads == 0


async def world_with_a_careless_late_sibling() -> tuple[World, str, dict[str, Any]]:
    """A create whose second try succeeds, and a sibling that then overwrites the icon for the first one."""
    world = World()
    world.user()
    key = await upload(world)
    icon = world.renderers[Variant.ICON]
    late = asyncio.Event()

    async def is_late(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        await late.wait()
        return written_response(order, sibling.write(order))

    icon.careless, icon.fault, icon.style = True, is_late, "of another time"
    world.deadline(0.02)
    assert (await create(world, key)).status == 500
    world.deadline(30)
    icon.fault, icon.style = None, ""
    answer = await create(world, key)
    assert answer.status == 201
    made = dict(world.objects.stored)
    icon.style = "of another time"
    late.set()
    while world.tasks:
        await world.tasks.pop()
    icon.style = ""
    data = json_of(answer)["data"]
    assert data["iconUrl"].partition("/cdn/")[2] in made
    assert world.objects.stored != made, "the late sibling has written"
    return world, key, data


async def test_what_a_late_sibling_of_another_maker_overwrote_is_rendered_again() -> None:
    world, key, before = await world_with_a_careless_late_sibling()
    world.time += LIFE
    report = await sweep(world)
    assert (report.renewed, report.failed) == ([before["id"]], [])
    await world.finish()
    after = json_of(await world.ask("GET", f"/api/artworks/{before['id']}"))["data"]
    assert after["iconUrl"] != before["iconUrl"]
    assert after["iconUrl"].startswith("https://gallery.example/cdn/icons/")
    icon = world.objects.stored[after["iconUrl"].partition("/cdn/")[2]]
    assert b"another time" not in icon.data
    assert len(world.renditions()) == RENDITIONS
    world.time += LIFE
    report = await sweep(world)
    assert (report.uploads, report.renewed) == (1, [])
    assert (await sweep(world)).uploads == 0
    assert key in world.objects.stored


async def test_a_repair_that_fails_is_named_and_tried_again() -> None:
    async def fails(_: WritingRenderer, __: dict[str, Any]) -> RendererResponse:
        return RendererResponse(500, None, "{}")

    world, key, before = await world_with_a_careless_late_sibling()
    world.time += LIFE
    world.renderers[Variant.WATERMARK].fault = fails
    assert (await sweep(world)).failed == [before["id"]]
    world.renderers[Variant.WATERMARK].fault = None
    world.time += LIFE
    assert (await sweep(world)).renewed == [before["id"]]
    del world.objects.stored[key]


async def test_a_repair_without_its_original_is_reported() -> None:
    world, key, before = await world_with_a_careless_late_sibling()
    world.time += LIFE
    del world.objects.stored[key]
    assert (await sweep(world)).missing == [{"artwork": before["id"], "keys": [key]}]


async def test_a_reprocess_that_was_killed_leaves_nothing_for_good() -> None:
    world = World()
    world.user()
    key = await upload(world)
    artwork = json_of(await create(world, key))["data"]
    kept = set(world.objects.stored)
    # As a killed isolate leaves it: a lease that nobody gives back, and a rendition that nobody records.
    until = int((world.time + 40) * 1000)
    world.database.rows(
        "UPDATE uploads SET holder = 'gone', attempt = 2, lease_until = ?, expires_at = ?", until, until
    )
    for rendition in rendition_keys(original_of(key), 2).values():
        world.objects.put(rendition, PICTURE, "image/jpeg")
    world.time += LIFE
    await sweep(world)
    assert set(world.objects.stored) == kept
    path = f"/api/artworks/{artwork['id']}/reprocess"
    assert (await world.ask("POST", path, headers=bearer())).status == 200
    await world.finish()
    world.time += LIFE
    await sweep(world)
    assert (len(world.renditions()), (await sweep(world)).uploads) == (RENDITIONS, 0)


async def test_what_is_written_after_a_deletion_goes_too() -> None:
    world = World()
    world.user()
    key = await upload(world)
    artwork = json_of(await create(world, key))["data"]
    path = f"/api/artworks/{artwork['id']}"
    assert (await world.ask("DELETE", path, headers=bearer())).status == 204
    for rendition in (key, *rendition_keys(original_of(key), 1).values()):
        world.objects.put(rendition, PICTURE, "image/jpeg")
    answer = await create(world, key)
    assert (answer.status, json_of(answer)["code"]) == (404, "not_found")
    world.time += LIFE
    assert (await sweep(world)).removed == [key]
    assert (world.objects.stored, world.uploads()) == ({}, [])


async def test_the_report_is_one_line_of_the_log() -> None:
    world, _, ended = await world_with_everything()
    await sweep(world)
    (line,) = [event for event in world.events if event.get("event") == "sweep"]
    assert line["objectsRemoved"] == len(ended)
    assert json.dumps(line)


async def test_operators_may_sweep_by_hand() -> None:
    world, kept, ended = await world_with_everything()

    async def ask(query: str, **claims: Any) -> Any:
        return await world.ask("POST", f"/api/sweep{query}", headers=bearer(**claims))

    assert (await ask("")).status == 403
    assert (await world.ask("POST", "/api/sweep")).status == 401
    assert (await ask("?dryRun=perhaps", role="operator")).status == 400
    assert (await ask("?audit=perhaps", role="operator")).status == 400
    dry = json_of(await ask("?dryRun=true", role="operator"))["data"]
    assert (dry["dryRun"], dry["objectsRemoved"]) == (True, len(ended))
    wet = json_of(await ask("", role="operator"))["data"]
    assert (wet["dryRun"], wet["objectsRemoved"]) == (False, len(ended))
    assert set(world.objects.stored) == kept
