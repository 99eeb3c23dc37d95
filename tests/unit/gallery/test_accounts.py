"""Accounts: suspended at once, revoked at once, made on first sight where that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from tests.support.gallery.creates import create
from tests.support.gallery.fakes import WritingRenderer, written_response
from tests.support.gallery.providers import ISSUER, JWKS_URL, SETTINGS, key_set, provider_token
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import PICTURES, START, World, json_of

from gallery.http.messages import Response
from gallery.ports import RendererResponse
from gallery.variants import Variant

TICKET = {"filename": "a.jpg", "contentType": "image/jpeg"}


async def artwork_of(world: World) -> str:
    return str(json_of(await create(world, world.original()))["data"]["id"])


async def every_call(world: World, artwork: str, headers: dict[str, str]) -> dict[str, Response]:
    """One call of each route that reads a token."""
    key = world.original()
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/api/artworks/upload-url", TICKET),
        ("POST", "/api/artworks", {"title": "x", "originalKey": key}),
        ("GET", "/api/artworks", None),
        ("GET", f"/api/artworks/{artwork}", None),
        ("GET", "/api/users/ada/artworks/still-life", None),
        ("PATCH", f"/api/artworks/{artwork}", {"title": "y"}),
        ("POST", f"/api/artworks/{artwork}/reprocess", None),
        ("GET", f"/api/artworks/readiness?originalKey={key}", None),
        ("GET", "/api/me", None),
        ("DELETE", f"/api/artworks/{artwork}", None),
        ("POST", "/api/sweep?dryRun=true", None),
        ("GET", "/api/users", None),
        ("POST", "/api/users", {"username": "new"}),
        ("GET", "/api/users/usr_ada", None),
        ("PATCH", "/api/users/usr_ada", {"status": "active"}),
    ]
    return {f"{m} {path}": await world.ask(m, path, body, headers=headers) for m, path, body in calls}


@pytest.mark.parametrize("role", [None, "operator"])
async def test_a_suspended_user_is_refused_by_every_call_that_reads_a_token(role: str | None) -> None:
    world = World()
    world.user()
    artwork = await artwork_of(world)
    world.database.rows("UPDATE users SET status = 'suspended'")
    answers = await every_call(world, artwork, bearer(role=role))
    assert {(a.status, json_of(a)["code"]) for a in answers.values()} == {(403, "suspended")}
    assert len(world.artworks()) == 1
    assert (await world.ask("GET", f"/api/artworks/{artwork}")).status == 200, "what is there stays readable"
    world.database.rows("UPDATE users SET status = 'active'")
    assert (await world.ask("GET", "/api/me", headers=bearer())).status == 200


async def test_a_revoked_token_is_refused_by_every_call_that_reads_one() -> None:
    world = World()
    world.user()
    artwork = await artwork_of(world)
    moment = int(START * 1000) + 500
    world.database.rows("UPDATE users SET tokens_valid_after = ?", moment)
    for issued in (None, 0, START, START + 0.499):
        answers = await every_call(world, artwork, bearer(iat=issued, role="operator"))
        assert {(a.status, json_of(a)["code"]) for a in answers.values()} == {(401, "unauthorized")}
    for issued in (START + 0.5, START + 1):
        assert (await world.ask("GET", "/api/me", headers=bearer(iat=issued))).status == 200


async def test_a_revoked_token_of_a_suspended_user_learns_nothing_of_that() -> None:
    world = World()
    world.user()
    world.database.rows("UPDATE users SET status = 'suspended', tokens_valid_after = 1")
    assert (await world.ask("GET", "/api/me", headers=bearer())).status == 401


async def test_a_create_that_is_on_its_way_records_nothing_for_a_suspended_user() -> None:
    world = World()
    world.user()

    async def suspends(sibling: WritingRenderer, order: dict[str, Any]) -> RendererResponse:
        world.database.rows("UPDATE users SET status = 'suspended'")
        return written_response(order, sibling.write(order))

    world.renderers[Variant.ICON].fault = suspends
    answer = await create(world, world.original())
    assert (answer.status, json_of(answer)["code"]) == (403, "suspended")
    await world.finish()
    assert (world.artworks(), world.count(), world.renditions()) == ([], 0, [])


async def test_me_costs_one_look_into_the_records() -> None:
    world = World()
    world.user()
    assert (await world.ask("GET", "/api/me", headers=bearer())).status == 200
    assert len(world.database.calls) == 1


def provided(**changes: str) -> World:
    world = World(**(SETTINGS | changes))
    world.web.pages[JWKS_URL] = key_set()
    return world


def me(world: World, **claims: Any) -> Awaitable[Response]:
    token = provider_token("EdDSA", now=world.time, **claims)
    return world.ask("GET", "/api/me", headers={"Authorization": f"Bearer {token}"})


async def test_whoever_is_unknown_is_404_unless_users_are_made() -> None:
    world = provided()
    assert (await me(world)).status == 404
    assert world.database.rows("SELECT * FROM users") == []


async def test_a_user_is_made_on_first_sight_and_is_the_same_from_then_on() -> None:
    world = provided(AUTO_CREATE_USERS="true", DEFAULT_ARTWORK_LIMIT="7")
    first = json_of(await me(world))["data"]
    assert (first["username"], first["artworkLimit"], first["artworkCount"]) == ("ada", 7, 0)
    assert json_of(await me(world, preferred_username="renamed"))["data"] == first
    (row,) = world.database.rows("SELECT issuer, subject FROM users")
    assert row == {"issuer": ISSUER, "subject": "auth0|ada"}
    again = provided(AUTO_CREATE_USERS="true")
    assert json_of(await me(again))["data"]["id"] == first["id"], "the id follows from the subject"


async def test_users_who_come_at_once_are_made_once() -> None:
    world = provided(AUTO_CREATE_USERS="true")
    answers = await asyncio.gather(*(me(world) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert len(world.database.rows("SELECT * FROM users")) == 1


async def test_a_name_that_is_taken_is_made_different() -> None:
    world = provided(AUTO_CREATE_USERS="true")
    world.user("usr_other", "Ada")
    names = [json_of(await me(world, sub=f"auth0|{n}"))["data"]["username"] for n in range(3)]
    assert len({name.lower() for name in names} | {"ada"}) == 4
    assert all(name.startswith("ada-") for name in names)


@pytest.mark.parametrize("said", [None, "", "🎨", 7])
async def test_whoever_has_no_name_gets_one(said: object) -> None:
    world = provided(AUTO_CREATE_USERS="true")
    name = json_of(await me(world, preferred_username=said))["data"]["username"]
    assert name.startswith("user-")
    assert len(name) == 13


async def test_the_gallerys_own_tokens_make_users_too() -> None:
    world = World(AUTO_CREATE_USERS="true")
    headers = bearer("site-user-7", preferred_username="Ada")
    made = json_of(await world.ask("GET", "/api/me", headers=headers))["data"]
    assert (made["id"], made["username"], made["artworkLimit"]) == ("site-user-7", "Ada", 50)


@pytest.mark.parametrize("subject", ["auth0|ada", "../usr_bob", "usr_bob", "a" * 255, "ünïcödé", "x/y z"])
async def test_whatever_the_subject_is_its_keys_are_safe(subject: str) -> None:
    world = provided(AUTO_CREATE_USERS="true")
    world.user("usr_bob", "bob")
    user = json_of(await me(world, sub=subject))["data"]
    assert user["id"] != "usr_bob"
    token = provider_token("EdDSA", now=world.time, sub=subject)
    headers = {"Authorization": f"Bearer {token}"}
    ticket = json_of(await world.ask("POST", "/api/artworks/upload-url", TICKET, headers=headers))
    assert ticket["key"].startswith(f"originals/{user['id']}/")
    world.objects.put(ticket["key"], PICTURES["image/jpeg"], "image/jpeg")
    body = {"title": "x", "originalKey": ticket["key"]}
    assert (await world.ask("POST", "/api/artworks", body, headers=headers)).status == 201


async def test_the_same_subject_of_another_issuer_is_another_user() -> None:
    world = provided(AUTO_CREATE_USERS="true")
    first = json_of(await me(world))["data"]["id"]
    other = World(**(SETTINGS | {"AUTH_ISSUER": "https://other.example/", "AUTO_CREATE_USERS": "true"}))
    other.web.pages[JWKS_URL] = key_set()
    other.database = world.database
    object.__setattr__(other.platform, "database", world.database)
    second = json_of(await me(other, iss="https://other.example/"))["data"]["id"]
    assert first != second


async def test_the_reason_of_a_refusal_is_in_the_log_and_not_in_the_answer() -> None:
    world = provided()
    answer = await me(world, aud="https://other.example")
    assert json_of(answer)["error"] == "Unauthorized"
    assert world.events[-1]["reason"] == "another audience"
