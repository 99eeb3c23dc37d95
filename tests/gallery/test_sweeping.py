"""The sweeper: removes what belongs to no artwork and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.gallery.creates import create
from tests.gallery.fakes import World, json_of
from tests.gallery.tokens import bearer

from gallery import sweeping
from gallery.keys import OriginalKey, parse_original, rendition_keys
from gallery.sweeping import CLAIM_MARGIN, ORIGINAL_SECONDS, sweep

PICTURE = b"a picture"


def original_of(key: str) -> OriginalKey:
    original = parse_original(key)
    assert original is not None
    return original


async def gallery_with_everything() -> tuple[World, set[str], set[str]]:
    """A world a day on; the keys that must stay and those that must go."""
    world = World()
    world.user()
    kept = {world.original() for _ in range(3)}
    for key in sorted(kept):
        assert (await create(world, key)).status == 201
    kept |= set(world.renditions())
    orphaned = {world.original() for _ in range(4)}
    for key in sorted(orphaned):
        for rendition in rendition_keys(original_of(key), 1).values():
            world.objects.put(rendition, PICTURE, "image/jpeg")
    orphaned = set(world.objects.stored) - kept
    for artwork in world.artworks():
        for rendition in rendition_keys(original_of(artwork["original_key"]), 2).values():
            world.objects.put(rendition, PICTURE, "image/jpeg")
            orphaned.add(rendition)
    world.time += ORIGINAL_SECONDS
    return world, kept, orphaned


def test_what_belongs_to_no_artwork_goes_and_the_rest_stays() -> None:
    async def story() -> None:
        world, kept, orphaned = await gallery_with_everything()
        report = await sweep(world.platform)
        assert set(report.removed) == orphaned
        assert set(world.objects.stored) == kept
        assert (report.missing, report.failed) == ([], [])
        assert report.seen == len(kept | orphaned)
        assert report.rows == 3
        assert (await sweep(world.platform)).removed == []

    asyncio.run(story())


def test_a_dry_run_names_the_same_and_changes_nothing() -> None:
    async def story() -> None:
        world, _, orphaned = await gallery_with_everything()
        before = "\n".join(world.database.connection.iterdump()), dict(world.objects.stored)
        report = await sweep(world.platform, dry_run=True)
        assert set(report.removed) == orphaned
        after = "\n".join(world.database.connection.iterdump()), dict(world.objects.stored)
        assert after == before

    asyncio.run(story())


@pytest.mark.parametrize("seconds", [0, 1, ORIGINAL_SECONDS - 1])
def test_originals_have_a_day_and_what_was_rendered_for_nobody_has_none(seconds: int) -> None:
    async def story() -> None:
        world = World()
        key = world.original()
        renditions = list(rendition_keys(original_of(key), 1).values())
        for rendition in renditions:
            world.objects.put(rendition, PICTURE, "image/jpeg")
        world.time += seconds
        report = await sweep(world.platform)
        assert key in world.objects.stored
        assert set(report.removed) == set(renditions)

    asyncio.run(story())


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_being_worked_on_stays_however_old(dry_run: bool) -> None:
    async def story() -> None:
        world = World()
        key = world.original()
        for rendition in rendition_keys(original_of(key), 1).values():
            world.objects.put(rendition, PICTURE, "image/jpeg")
        world.time += 10 * ORIGINAL_SECONDS
        until = int((world.time + 1) * 1000)
        world.database.rows("INSERT INTO claims VALUES (?, 'someone', 1, ?)", key, until)
        before = dict(world.objects.stored)
        assert (await sweep(world.platform, dry_run=dry_run)).removed == []
        assert world.objects.stored == before
        world.time += 1 + CLAIM_MARGIN
        assert len((await sweep(world.platform, dry_run=dry_run)).removed) == 4

    asyncio.run(story())


def test_a_create_that_comes_during_a_sweep_waits_or_wins() -> None:
    async def story(head_start: int) -> None:
        world = World()
        world.user()
        key = world.original()
        world.time += ORIGINAL_SECONDS
        creating = asyncio.ensure_future(create(world, key))
        for _ in range(head_start):
            await asyncio.sleep(0)
        await sweep(world.platform)
        answer = await creating
        if answer.status == 201:
            assert key in world.objects.stored
            assert len(world.renditions()) == 3
        else:
            assert answer.status in (404, 409)
            assert key not in world.objects.stored
            assert world.renditions() == []
        assert world.count() == len(world.artworks()) == int(answer.status == 201)

    for head_start in range(40):
        asyncio.run(story(head_start))


def test_rows_whose_objects_are_missing_are_reported_not_removed() -> None:
    async def story() -> None:
        world = World()
        world.user()
        for _ in range(2):
            await create(world, world.original())
        lost, *_ = world.renditions()
        del world.objects.stored[lost]
        report = await sweep(world.platform)
        (missing,) = report.missing
        assert missing["keys"] == [lost]
        assert len(world.artworks()) == 2

    asyncio.run(story())


def test_a_long_bucket_is_swept_in_bounded_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "PAGE", 3)
    monkeypatch.setattr(sweeping, "PAGES", 2)
    monkeypatch.setattr(sweeping, "ROWS", 2)

    async def story() -> None:
        world = World()
        world.user()
        for _ in range(5):
            await create(world, world.original())
        kept = set(world.objects.stored)
        for _ in range(20):
            world.original()
        world.time += ORIGINAL_SECONDS
        removed, rows, runs = 0, 0, 0
        while set(world.objects.stored) != kept:
            report = await sweep(world.platform)
            assert report.seen <= 4 * 6
            assert report.rows <= 2
            removed += len(report.removed)
            rows += report.rows
            runs += 1
            assert runs < 10
        assert removed == 20
        assert runs > 3
        assert rows >= 5

    asyncio.run(story())


@pytest.mark.parametrize(
    ("broken", "part"), [("list", "originals/"), ("delete", "originals/"), ("head", "artworks")]
)
def test_a_part_that_fails_is_named_and_swept_the_next_time(broken: str, part: str) -> None:
    async def story() -> None:
        world, kept, _ = await gallery_with_everything()
        world.objects.broken = {broken}
        assert part in (await sweep(world.platform)).failed
        world.objects.broken = set()
        world.time += sweeping.HOLD_SECONDS + CLAIM_MARGIN
        assert (await sweep(world.platform)).failed == []
        assert set(world.objects.stored) == kept

    asyncio.run(story())


def test_records_that_fail_remove_nothing() -> None:
    async def story() -> None:
        world, kept, orphaned = await gallery_with_everything()
        world.database.faults = ["D1_ERROR: Network connection lost."] * 1000
        report = await sweep(world.platform)
        assert set(report.failed) == {"originals/", "thumbnails/", "icons/", "display/", "artworks", "claims"}
        assert set(world.objects.stored) == kept | orphaned

    asyncio.run(story())


def test_what_others_put_into_the_bucket_stays() -> None:
    async def story() -> None:
        world = World()
        strange = {"originals/readme.txt", "icons/usr_ada/logo.svg", "display/x", "backup/2024.zip"}
        for key in strange:
            world.objects.put(key, b"", "")
        world.time += 10 * ORIGINAL_SECONDS
        await sweep(world.platform)
        assert set(world.objects.stored) == strange

    asyncio.run(story())


def test_claims_of_yesterday_are_forgotten() -> None:
    async def story() -> None:
        world = World()
        now = int(world.time * 1000)
        day = 24 * 3600 * 1000
        for name, expires in (("old", now - day), ("young", now - day + 1), ("alive", now + 1)):
            world.database.rows("INSERT INTO claims VALUES (?, '', 1, ?)", name, expires)
        await sweep(world.platform)
        assert {row["original_key"] for row in world.database.rows("SELECT * FROM claims")} == {
            "young",
            "alive",
        }

    asyncio.run(story())


def test_operators_may_sweep_by_hand() -> None:
    async def story() -> None:
        world, kept, orphaned = await gallery_with_everything()

        async def ask(query: str, **claims: Any) -> Any:
            return await world.ask("POST", f"/api/sweep{query}", headers=bearer(**claims))

        assert (await ask("")).status == 403
        assert (await world.ask("POST", "/api/sweep")).status == 401
        assert (await ask("?dryRun=perhaps", role="operator")).status == 400
        dry = json_of(await ask("?dryRun=true", role="operator"))["data"]
        assert (dry["dryRun"], dry["objectsRemoved"]) == (True, len(orphaned))
        wet = json_of(await ask("", role="operator"))["data"]
        assert (wet["dryRun"], wet["objectsRemoved"]) == (False, len(orphaned))
        assert set(world.objects.stored) == kept

    asyncio.run(story())
