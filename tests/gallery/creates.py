"""One create against a gateway in memory."""

from __future__ import annotations

from typing import Any

from tests.gallery.fakes import World
from tests.gallery.tokens import bearer

from gallery.messages import Answer


async def create(world: World, key: str, user_id: str = "usr_ada", **fields: Any) -> Answer:
    body = {"title": "Still Life", "originalKey": key} | fields
    return await world.ask("POST", "/api/artworks", body, headers=bearer(user_id))


async def ticket(world: World, user_id: str = "usr_ada", **fields: Any) -> Answer:
    body = {"filename": "a.jpg", "contentType": "image/jpeg"} | fields
    return await world.ask("POST", "/api/artworks/upload-url", body, headers=bearer(user_id))


def assert_nothing_left(world: World, user_id: str = "usr_ada") -> None:
    assert world.artworks() == []
    assert world.count(user_id) == 0
    assert world.renditions() == []
    assert world.flags.stored == {}
