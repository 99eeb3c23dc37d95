"""What tests ask of a gateway in memory: a create, a ticket, a whole audit."""

from __future__ import annotations

from typing import Any

from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import World

from gallery.audit import audit
from gallery.cleanup import flag_of
from gallery.http.messages import Response
from gallery.keys import parse_rendition
from gallery.sweep import Report

# Objects that a create of a wide picture writes: three renditions, and the display in two narrower widths.
RENDITIONS = 5


async def create(world: World, key: str, user_id: str = "usr_ada", **fields: Any) -> Response:
    body = {"title": "Still Life", "originalKey": key} | fields
    return await world.ask("POST", "/api/artworks", body, headers=bearer(user_id))


async def ticket(world: World, user_id: str = "usr_ada", **fields: Any) -> Response:
    body = {"filename": "a.jpg", "contentType": "image/jpeg"} | fields
    return await world.ask("POST", "/api/artworks/upload-url", body, headers=bearer(user_id))


async def walk(world: World, *, dry_run: bool = False) -> list[Report]:
    reports = [await audit(world.platform, dry_run=dry_run)]
    while reports[-1].next_cursor is not None:
        assert len(reports) < 200
        reports.append(await audit(world.platform, reports[-1].next_cursor, dry_run=dry_run))
    return reports


def assert_nothing_left(world: World, user_id: str = "usr_ada") -> None:
    assert world.artworks() == []
    assert world.count(user_id) == 0
    assert world.renditions() == []
    assert world.flags.stored == {}


def expected_flags(world: World) -> set[str]:
    """The flags of the renditions in the bucket: the display's stands for its narrower widths, too."""
    found = (parse_rendition(key) for key in world.renditions())
    return {flag_of(str(each)) for each in found if each and each.width is None}
