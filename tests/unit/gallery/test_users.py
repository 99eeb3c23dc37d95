"""Users, as operators make and change them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.gallery.creates import create
from tests.support.gallery.providers import ISSUER, JWKS_URL, SETTINGS, key_set, provider_token
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import START, World, json_of

from gallery.http.messages import Response
from gallery.times import iso

OPERATOR = bearer("usr_boss", role="operator", iat=START)


def world() -> World:
    made = World(**SETTINGS)
    made.web.pages[JWKS_URL] = key_set()
    made.user("usr_boss", "boss")
    made.user()
    return made


async def ask(where: World, method: str, path: str, body: Any = None) -> Response:
    return await where.ask(method, path, body, headers=OPERATOR)


async def test_a_new_user_has_an_id_a_quota_and_an_address() -> None:
    where = world()
    answer = await ask(where, "POST", "/api/users", {"username": "कलाकार", "artworkLimit": 3})
    assert answer.status == 201
    made = json_of(answer)["data"]
    assert made == {
        "id": made["id"],
        "username": "कलाकार",
        "artworkLimit": 3,
        "artworkCount": 0,
        "artworkRemaining": 3,
        "status": "active",
        "tokensValidAfter": None,
        "issuer": None,
        "subject": None,
        "createdAt": iso(START),
    }
    assert answer.headers["Location"] == f"/api/users/{made['id']}"
    assert json_of(await ask(where, "GET", answer.headers["Location"]))["data"] == made
    assert json_of(await where.ask("GET", "/api/me", headers=bearer(made["id"])))["data"]["artworkLimit"] == 3


async def test_without_a_limit_the_settings_have_one() -> None:
    where = World(DEFAULT_ARTWORK_LIMIT="9")
    where.user("usr_boss", "boss")
    made = json_of(await ask(where, "POST", "/api/users", {"username": "new"}))["data"]
    assert made["artworkLimit"] == 9


async def test_a_site_may_bring_its_own_ids() -> None:
    where = world()
    assert (await ask(where, "POST", "/api/users", {"username": "new", "id": "site-7"})).status == 201
    again = await ask(where, "POST", "/api/users", {"username": "other", "id": "site-7"})
    assert (again.status, json_of(again)["error"]) == (409, "There is a user with this id.")


@pytest.mark.parametrize("name", ["ada", "ADA", "Ada"])
async def test_a_name_that_is_taken_is_409(name: str) -> None:
    where = world()
    for method, path in (("POST", "/api/users"), ("PATCH", "/api/users/usr_boss")):
        answer = await ask(where, method, path, {"username": name, "artworkLimit": 1})
        assert (answer.status, json_of(answer)["code"]) == (409, "already_exists")
        assert "Retry-After" not in answer.headers
    assert where.database.rows("SELECT artwork_limit AS n FROM users WHERE id = 'usr_boss'") == [{"n": 50}]


async def test_a_name_may_change_its_case() -> None:
    answer = await ask(world(), "PATCH", "/api/users/usr_ada", {"username": "Ada"})
    assert (answer.status, json_of(answer)["data"]["username"]) == (200, "Ada")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": None},
        {"username": ""},
        {"username": "a b"},
        {"username": "a\u202eb"},
        {"username": 7},
        {"username": "new", "artworkLimit": -1},
        {"username": "new", "artworkLimit": 1.5},
        {"username": "new", "artworkLimit": True},
        {"username": "new", "artworkLimit": "7"},
        {"username": "new", "artworkLimit": 10**12},
        {"username": "new", "id": "a/b"},
        {"username": "new", "id": "x" * 65},
        {"username": "new", "subject": "x" * 256},
        [],
    ],
)
async def test_a_user_who_cannot_be_is_400(body: Any) -> None:
    where = world()
    assert (await ask(where, "POST", "/api/users", body)).status == 400
    assert len(where.database.rows("SELECT * FROM users")) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "usr_new"},
        {"artworkCount": 0},
        {"username": None},
        {"status": "deleted"},
        {"status": None},
        {"status": ["active"]},
        {"revokeTokens": False},
        {"revokeTokens": "yes"},
        {"artworkLimit": None},
    ],
)
async def test_a_change_that_is_none_is_400(body: Any) -> None:
    assert (await ask(world(), "PATCH", "/api/users/usr_ada", body)).status == 400


async def test_only_operators_manage_users() -> None:
    where = world()
    for headers, status in (({}, 401), (bearer(), 403), (bearer(role="admin"), 403)):
        for method, path in (
            ("GET", "/api/users"),
            ("POST", "/api/users"),
            ("GET", "/api/users/usr_ada"),
            ("PATCH", "/api/users/usr_ada"),
        ):
            answer = await where.ask(method, path, {"artworkLimit": 1000, "username": "x"}, headers=headers)
            assert answer.status == status
    assert (await ask(where, "GET", "/api/users/usr_nobody")).status == 404
    assert (await ask(where, "PATCH", "/api/users/usr_nobody", {"artworkLimit": 1})).status == 404


async def test_suspending_and_revoking_act_at_once() -> None:
    where = world()
    old = bearer(iat=START)
    assert (await where.ask("GET", "/api/me", headers=old)).status == 200
    where.time += 10
    changed = json_of(await ask(where, "PATCH", "/api/users/usr_ada", {"revokeTokens": True}))["data"]
    assert changed["tokensValidAfter"] == iso(START + 10)
    assert (await where.ask("GET", "/api/me", headers=old)).status == 401
    new = bearer(iat=START + 10)
    assert (await where.ask("GET", "/api/me", headers=new)).status == 200
    await ask(where, "PATCH", "/api/users/usr_ada", {"status": "suspended"})
    assert (await where.ask("GET", "/api/me", headers=new)).status == 403
    await ask(where, "PATCH", "/api/users/usr_ada", {"status": "active"})
    assert (await where.ask("GET", "/api/me", headers=new)).status == 200


async def test_a_rename_moves_the_addresses_and_the_next_watermark() -> None:
    where = world()
    made = json_of(await create(where, where.original()))["data"]
    etag = (await where.ask("GET", f"/api/artworks/{made['id']}")).headers["ETag"]
    await ask(where, "PATCH", "/api/users/usr_ada", {"username": "lovelace"})
    assert (await where.ask("GET", "/api/users/ada/artworks/still-life")).status == 404
    found = await where.ask("GET", "/api/users/lovelace/artworks/still-life")
    assert json_of(found)["data"]["username"] == "lovelace"
    assert found.headers["ETag"] != etag
    await where.ask("POST", f"/api/artworks/{made['id']}/reprocess", headers=bearer())
    orders = [order for sibling in where.renderers.values() for order in sibling.requests]
    assert [order["username"] for order in orders if "username" in order] == ["ada", "lovelace"]


async def test_a_user_is_tied_to_a_subject_of_the_provider() -> None:
    where = world()
    answer = await ask(where, "PATCH", "/api/users/usr_ada", {"subject": "auth0|ada"})
    assert json_of(answer)["data"]["issuer"] == ISSUER
    token = provider_token("ES256", now=where.time)
    me = await where.ask("GET", "/api/me", headers={"Authorization": f"Bearer {token}"})
    assert json_of(me)["data"]["id"] == where.events[-1]["user"] == "usr_ada"
    for method, path, body in (
        ("POST", "/api/users", {"username": "new", "subject": "auth0|ada"}),
        ("PATCH", "/api/users/usr_boss", {"subject": "auth0|ada"}),
    ):
        taken = await ask(where, method, path, body)
        assert (taken.status, json_of(taken)["code"]) == (409, "already_exists")
        assert "subject" in json_of(taken)["error"]
    other = World()
    other.user("usr_boss", "boss")
    assert (await ask(other, "PATCH", "/api/users/usr_boss", {"subject": "x"})).status == 403


async def test_users_are_listed_page_by_page_in_the_order_of_their_names() -> None:
    where = world()
    for number in range(5):
        where.user(f"usr_{number}", f"Artist-{number}")
    names: list[str] = []
    cursor = ""
    while True:
        page = json_of(await ask(where, "GET", f"/api/users?limit=3{cursor}"))
        names += [user["username"] for user in page["data"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert names == ["ada", *(f"Artist-{n}" for n in range(5)), "boss"]
    (found,) = json_of(await ask(where, "GET", "/api/users?username=ADA"))["data"]
    assert found["id"] == "usr_ada"
    assert json_of(await ask(where, "GET", "/api/users?username=nobody"))["data"] == []
    for query in ("limit=0", "limit=x", f"cursor={'x' * 101}", f"username={'x' * 101}"):
        assert (await ask(where, "GET", f"/api/users?{query}")).status == 400


@pytest.mark.parametrize("lost", [False, True])
async def test_a_user_is_made_once_whatever_becomes_of_the_answer(lost: bool) -> None:
    where = world()
    where.database.faults = [None, *["D1_ERROR: Network connection lost."] * 2]
    where.database.lost = lost
    assert (await ask(where, "POST", "/api/users", {"username": "new", "id": "site-7"})).status == 201
    assert len(where.database.rows("SELECT * FROM users")) == 3


@pytest.mark.parametrize("taken", [{"username": "bob"}, {"subject": "auth0|bob"}])
async def test_a_change_that_is_refused_leaves_the_users_artworks_in_lists(taken: dict[str, str]) -> None:
    where = world()
    where.user("usr_bob", "Bob")
    tied = await ask(where, "PATCH", "/api/users/usr_bob", {"subject": "auth0|bob"})
    assert tied.status == 200, tied.body
    made = json_of(await create(where, where.original()))["data"]
    for _ in range(2):
        refused = await ask(where, "PATCH", "/api/users/usr_ada", {"artworkLimit": 7, **taken})
        assert refused.status == 409, refused.body
        listed = json_of(await where.ask("GET", "/api/artworks"))["data"]
        assert [each["id"] for each in listed] == [made["id"]]
    assert json_of(await ask(where, "GET", "/api/users/usr_ada"))["data"]["artworkLimit"] != 7
