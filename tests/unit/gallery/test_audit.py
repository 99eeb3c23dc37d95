"""The audit: finds what no row knows, in the whole bucket, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from tests.support.gallery.creates import RENDITIONS, create, walk
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import PICTURES, World, json_of
from tests.unit.gallery.test_sweep import LIFE, original_of, upload

from gallery import cleanup
from gallery.audit import ORIGINAL_SECONDS, WALK, audit
from gallery.keys import rendition_keys
from gallery.sweep import Report

PICTURE = PICTURES["image/jpeg"]


def removed(reports: Iterable[Report]) -> set[str]:
    return {key for report in reports for key in report.removed}


def put_renditions(world: World, original: str, version: int = 1) -> set[str]:
    keys = set(rendition_keys(original_of(original), version).values())
    for key in keys:
        world.objects.put(key, PICTURE, "image/jpeg")
    return keys


async def world_with_orphans() -> tuple[World, set[str], set[str]]:
    """A world a day on; the keys that must stay and those that must go."""
    world = World()
    world.user()
    for key in [world.original() for _ in range(3)]:
        assert (await create(world, key)).status == 201
    kept = set(world.objects.stored)
    orphans = {world.original() for _ in range(4)}
    orphans |= {key for original in sorted(orphans) for key in put_renditions(world, original)}
    for artwork in world.artworks():
        orphans |= put_renditions(world, artwork["original_key"], 2)
    world.time += ORIGINAL_SECONDS
    return world, kept, orphans


@pytest.mark.parametrize("page", [1, 3, 1000])
async def test_what_no_row_knows_goes_and_the_rest_stays(page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gallery.audit.PAGE", page)
    monkeypatch.setattr("gallery.audit.ROWS", page)

    world, kept, orphans = await world_with_orphans()
    rows = world.uploads()
    reports = await walk(world)
    assert removed(reports) == orphans
    assert set(world.objects.stored) == kept
    assert all(report.objects <= page and report.artworks <= page for report in reports)
    assert sum(report.objects for report in reports) == len(kept | orphans)
    assert sum(report.artworks for report in reports) == 3
    assert [report for report in reports if report.missing or report.replaced or report.failed] == []
    left = [{**row, "holder": "", "lease_until": 0} for row in rows]
    assert world.uploads() == left, "no row is made, lost or kept under lease"
    assert removed(await walk(world)) == set()


async def test_a_dry_run_sees_all_of_it_and_changes_nothing() -> None:
    world, _, orphans = await world_with_orphans()
    before = "\n".join(world.database.connection.iterdump()), dict(world.objects.stored)
    assert removed(await walk(world, dry_run=True)) == orphans
    after = "\n".join(world.database.connection.iterdump()), dict(world.objects.stored)
    assert after == before


@pytest.mark.parametrize("seconds", [0, 1, ORIGINAL_SECONDS - 1])
async def test_originals_have_a_day_and_what_was_rendered_for_nobody_has_none(seconds: int) -> None:
    world = World()
    key = world.original()
    renditions = put_renditions(world, key)
    world.time += seconds
    assert removed(await walk(world)) == renditions
    assert set(world.objects.stored) == {key}


@pytest.mark.parametrize("dry_run", [False, True])
async def test_what_is_being_worked_on_stays(dry_run: bool) -> None:
    world = World()
    world.user()
    key = await upload(world)
    put_renditions(world, key)
    world.time += 10 * ORIGINAL_SECONDS
    world.database.rows("UPDATE uploads SET holder = 'x', lease_until = ?", int((world.time + 1) * 1000))
    before = dict(world.objects.stored)
    assert removed(await walk(world, dry_run=dry_run)) == set()
    assert world.objects.stored == before
    world.time += 1
    assert removed(await walk(world, dry_run=dry_run)) == set(before)


@pytest.mark.parametrize("seed", range(60))
async def test_a_create_that_comes_during_an_audit_waits_or_wins(seed: int) -> None:
    world = World(seed)
    world.user()
    key = world.original()
    put_renditions(world, key)
    world.time += ORIGINAL_SECONDS
    creating = asyncio.ensure_future(create(world, key))
    for _ in range(seed):
        await asyncio.sleep(0)
    await walk(world)
    answer = await creating
    if answer.status == 201:
        assert len(world.renditions()) == RENDITIONS
        assert key in world.objects.stored
    else:
        assert answer.status in (404, 409)
        await walk(world)
        assert world.objects.stored == {}
    assert world.count() == len(world.artworks()) == int(answer.status == 201)


async def test_a_commit_that_comes_after_an_audit_records_nothing() -> None:
    world = World()
    world.user()
    key = await upload(world)

    async def meanwhile() -> None:
        world.time += 80
        assert len(removed(await walk(world))) == RENDITIONS

    world.database.slow = ("INSERT INTO artworks", meanwhile)
    answer = await create(world, key)
    assert (answer.status, json_of(answer)["code"]) == (500, "processing_failed")
    assert (world.count(), world.artworks(), set(world.objects.stored)) == (0, [], {key})
    assert (await create(world, key)).status == 201
    assert len(world.renditions()) == RENDITIONS


async def test_rows_whose_objects_are_missing_or_replaced_are_reported() -> None:
    world = World()
    world.user()
    for _ in range(2):
        await create(world, world.original())
    first, second = world.artworks()
    lost = f"icons/{first['original_key'].removeprefix('originals/')}"
    del world.objects.stored[lost]
    world.objects.put(second["original_key"], PICTURE + b"!", "image/jpeg")
    reports = await walk(world)
    assert [entry for report in reports for entry in report.missing] == [
        {"artwork": first["id"], "keys": [lost]}
    ]
    assert [artwork for report in reports for artwork in report.replaced] == [second["id"]]
    assert len(world.artworks()) == 2


@pytest.mark.parametrize(
    ("broken", "part"), [("list", "originals/"), ("delete", "originals/"), ("head", "artworks/")]
)
async def test_a_page_that_fails_is_named_and_its_cursor_given_back(broken: str, part: str) -> None:
    world, kept, _ = await world_with_orphans()
    world.objects.broken = {broken}
    report, cursor = await audit(world.platform), None
    while not report.failed:
        cursor = report.next_cursor
        report = await audit(world.platform, cursor)
    assert (report.failed, report.next_cursor) == ([part], cursor or "originals/")
    world.objects.broken = set()
    world.time += cleanup.HOLD_SECONDS
    while report.next_cursor is not None:
        report = await audit(world.platform, report.next_cursor)
        assert report.failed == []
    assert set(world.objects.stored) == kept


async def test_records_that_fail_remove_nothing() -> None:
    world, kept, orphans = await world_with_orphans()
    world.database.faults = ["D1_ERROR: Network connection lost."] * 1000
    for folder in WALK:
        assert (await audit(world.platform, folder)).failed == [folder]
    assert set(world.objects.stored) == kept | orphans


async def test_what_others_put_into_the_bucket_stays() -> None:
    world = World()
    strange = {"originals/readme.txt", "icons/usr_ada/logo.svg", "display/x", "backup/2024.zip"}
    for key in strange:
        world.objects.put(key, b"", "")
    world.time += 10 * ORIGINAL_SECONDS
    assert removed(await walk(world)) == set()
    assert set(world.objects.stored) == strange


async def test_operators_walk_by_cursor() -> None:
    world, kept, orphans = await world_with_orphans()
    headers = bearer(role="operator")
    cursor, gone = "", 0
    while True:
        query = f"?audit=true{cursor and f'&cursor={cursor}'}"
        answer = await world.ask("POST", f"/api/sweep{query}", headers=headers)
        report = json_of(answer)["data"]
        gone += report["objectsRemoved"]
        if report["nextCursor"] is None:
            break
        cursor = report["nextCursor"]
    assert (gone, set(world.objects.stored)) == (len(orphans), kept)
    for nonsense in ("secrets/x", "/", "originals/" + "x" * 2000):
        answer = await world.ask("POST", f"/api/sweep?audit=true&cursor={nonsense}", headers=headers)
        assert answer.status == 400


async def test_uploads_that_the_sweeper_will_end_are_left_to_it() -> None:
    world = World()
    world.user()
    key = await upload(world)
    world.time += LIFE
    assert removed(await walk(world)) == set()
    assert key in world.objects.stored
