"""The sample answers of docs/api.md have no field that the gateway does not answer with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.support.gallery.creates import create, ticket
from tests.support.gallery.world import World, json_of

PAGE = (Path(__file__).parents[3] / "docs/api.md").read_text()


def samples() -> list[Any]:
    section = PAGE.partition("## Sample answers")[2].partition("\n## ")[0]
    return [json.loads(block) for block in re.findall(r"```json\n(.+?)```", section, re.DOTALL)]


async def test_the_sample_answers_are_those_of_the_gateway() -> None:
    world = World()
    world.user(limit=1)
    issued = json_of(await ticket(world, size=1000))
    made = json_of(await create(world, world.original()))
    refused = json_of(await create(world, world.original()))
    sample_ticket, sample_artwork, sample_error = samples()
    assert set(sample_ticket) == set(issued)
    assert set(sample_ticket["headers"]) == set(issued["headers"])
    assert set(sample_artwork) == set(made)
    assert set(sample_artwork["data"]) <= set(made["data"])
    assert refused == {**sample_error, "requestId": refused["requestId"]}
