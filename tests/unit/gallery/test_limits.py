"""Rate limits: reads by user or network, creates that fail again and again by user."""

from __future__ import annotations

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.creates import create
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import World, json_of

from gallery.http.messages import Response
from gallery.isolate import REFUSAL_SECONDS

READS = (
    "/api/artworks",
    "/api/artworks?q=dusk",
    "/api/artworks/art_0",
    "/api/users/ada/artworks/dusk",
    "/cdn/icons/usr_ada/00000000-0000-4000-8000-000000000000.jpg",
    "/openapi.json",
    "/healthz",
)


def address(text: str) -> dict[str, str]:
    return {"CF-Connecting-IP": text}


@pytest.mark.parametrize("target", READS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_too_many_reads_from_one_address_are_429(target: str, method: str) -> None:
    world = World()
    world.read_limiter.left = 1
    assert (await world.ask(method, target, headers=address("203.0.113.7"))).status in (200, 404)
    answer = await world.ask(method, target, headers=address("203.0.113.7"))
    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")


def test_a_refused_read_asks_no_store() -> None:
    world = World()
    world.read_limiter.left = 0
    for target in READS:
        answer = run(world.ask("GET", target, headers=address("203.0.113.7")))
        assert json_of(answer)["code"] == "rate_limited"
    assert (world.database.calls, world.objects.asked) == ([], [])


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("", None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_anonymous_reads_are_counted_by_network(sent: str | None, key: str | None) -> None:
    world = World()
    headers = {} if sent is None else address(sent)
    assert run(world.ask("GET", "/api/artworks", headers=headers)).status == 200
    assert world.read_limiter.keys == ([] if key is None else [key])


def test_renditions_are_counted_apart() -> None:
    world = World()
    run(world.ask("GET", READS[4], headers=address("203.0.113.7")))
    assert world.read_limiter.keys == ["cdn 203.0.113.7"]


@pytest.mark.parametrize("target", ["/api/artworks", "/api/artworks/art_0", "/api/me"])
def test_a_user_s_reads_are_counted_by_user(target: str) -> None:
    world = World()
    world.user()
    run(world.ask("GET", target, headers=bearer() | address("203.0.113.7")))
    assert world.read_limiter.keys == ["usr_ada"]


async def test_a_limiter_that_fails_closes_nothing() -> None:
    world = World()
    world.user()
    world.read_limiter.broken = world.failure_limiter.broken = True
    assert (await world.ask("GET", "/api/artworks", headers=address("203.0.113.7"))).status == 200
    assert {event["event"] for event in world.events} == {"limiter_failed", "request"}
    for _ in range(3):
        assert (await fail(world)).status == 415
    assert (await create(world, world.original())).status == 201


async def fail(world: World, user_id: str = "usr_ada") -> Response:
    key = world.original(user_id)
    world.objects.put(key, b"not a picture", "image/jpeg")
    return await create(world, key, user_id)


async def test_a_user_whose_originals_fail_again_and_again_has_to_wait() -> None:
    world = World()
    world.user()
    world.user("usr_bob", "bob")
    world.failure_limiter.left = 3
    for _ in range(4):
        assert (await fail(world)).status == 415
    asked = len(world.objects.asked)
    answer = await create(world, world.original())
    assert (answer.status, json_of(answer)["code"]) == (429, "rate_limited")
    assert answer.headers["Retry-After"] == "60"
    assert len(world.objects.asked) == asked
    assert world.failure_limiter.keys == ["usr_ada"] * 4
    assert (await create(world, world.original("usr_bob"), "usr_bob")).status == 201
    world.time += REFUSAL_SECONDS - 0.5
    assert (await create(world, world.original())).headers["Retry-After"] == "1"
    world.time += 1
    assert (await create(world, world.original())).status == 201


async def test_successes_and_faults_of_ours_are_not_counted_as_failures() -> None:
    world = World()
    world.user(limit=1)
    assert (await create(world, world.original())).status == 201
    assert (await create(world, world.original())).status == 429
    world.objects.broken = {"head"}
    world.database.rows("UPDATE users SET artwork_limit = 9")
    assert (await create(world, world.original())).status == 503
    assert world.failure_limiter.keys == []
