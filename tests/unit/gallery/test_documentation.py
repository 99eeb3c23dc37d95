"""docs/api.md shows what the gateway responds with and takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.support.gallery.creates import create, ticket
from tests.support.gallery.world import World, json_of

from gallery.http.routes import SITE, document

PAGE = (Path(__file__).parents[3] / "docs/api.md").read_text()


def samples() -> list[Any]:
    section = PAGE.partition("## Sample responses")[2].partition("\n## ")[0]
    return [json.loads(block) for block in re.findall(r"```json\n(.+?)```", section, re.DOTALL)]


async def test_the_sample_responses_are_those_of_the_gateway() -> None:
    world = World()
    world.user(limit=1)
    issued = json_of(await ticket(world, size=1000))
    made = json_of(await create(world, world.original()))
    refused = json_of(await create(world, world.original()))
    sample_ticket, sample_artwork, sample_error = samples()
    assert set(sample_ticket) == set(issued)
    assert set(sample_ticket["headers"]) == set(issued["headers"])
    assert set(sample_artwork) == set(made)
    assert set(sample_artwork["data"]) == set(made["data"])
    for sample in sample_artwork["data"]["display"]:
        assert set(sample) == set(made["data"]["display"][-1])
    assert refused == {**sample_error, "requestId": refused["requestId"]}


def test_every_field_of_a_body_is_described() -> None:
    section = PAGE.partition("## Request bodies")[2].partition("\n## ")[0]
    described = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.+?) \|", section, re.MULTILINE))))
    schemas = document("https://gallery.example")["components"]["schemas"]
    bodies = ("TicketRequest", "NewArtwork", "ArtworkChange")
    assert described == {name for body in bodies for name in schemas[body]["properties"]}


def test_every_path_of_the_site_is_described() -> None:
    section = PAGE.partition("These paths are for people")[2].partition("\n`originalUrl`")[0]
    rows = " ".join(re.findall(r"^\| (`/.*?) \|", section, re.MULTILINE))
    assert set(re.findall(r"`(/[^`]*)`", rows)) == {route.path for route in SITE}
