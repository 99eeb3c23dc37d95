"""What is removed leaves the cache of the images domain, where that is configured."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.gallery.creates import create
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import World, json_of

DOMAIN = "https://images.example"
CONFIGURED = {"R2_CDN_DOMAIN": DOMAIN, "CDN_ZONE_ID": "0" * 32, "CDN_PURGE_TOKEN": "purge token"}
URLS = ("originalUrl", "displayUrl", "thumbnailUrl", "iconUrl")


async def removed(world: World) -> dict[str, Any]:
    world.user()
    data: dict[str, Any] = json_of(await create(world, world.original()))["data"]
    answer = await world.ask("DELETE", f"/api/artworks/{data['id']}", headers=bearer())
    assert answer.status == 204
    await world.finish()
    return data


def urls_of(artwork: dict[str, Any]) -> set[str]:
    return {artwork[name] for name in URLS} | {each["url"] for each in artwork["display"]}


async def test_the_urls_of_a_removed_artwork_are_purged() -> None:
    world = World(**CONFIGURED)
    data = await removed(world)
    ((api, zone, token, urls),) = world.web.purged
    assert (api, zone, token) == ("https://api.cloudflare.com/client/v4", "0" * 32, "purge token")
    assert set(urls) == urls_of(data)
    assert all(url.startswith(DOMAIN) for url in urls)


async def test_old_renditions_of_a_reprocessed_artwork_are_purged() -> None:
    world = World(**CONFIGURED)
    world.user()
    before = json_of(await create(world, world.original()))["data"]
    await world.ask("POST", f"/api/artworks/{before['id']}/reprocess", headers=bearer())
    await world.finish()
    ((_, _, _, urls),) = world.web.purged
    assert set(urls) == urls_of(before)


@pytest.mark.parametrize("missing", CONFIGURED)
async def test_without_domain_zone_or_token_nothing_is_purged(missing: str) -> None:
    world = World(**(CONFIGURED | {missing: ""}))
    await removed(world)
    assert world.web.purged == []


async def test_a_cache_that_cannot_be_purged_keeps_nothing_else_from_going() -> None:
    world = World(**CONFIGURED)
    world.web.fault = "connection refused"
    await removed(world)
    assert world.objects.stored == {}
    (event,) = [event for event in world.events if event["event"] == "purge_failed"]
    assert event["reason"] == "connection refused"
    assert "purge token" not in str(world.events)
