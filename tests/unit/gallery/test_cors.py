"""Pages of other origins, and the gallery's own page."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.world import World, json_of

from gallery.http.messages import Response

ALLOWED = "https://artist.example"


def ask(method: str, target: str, origins: str = ALLOWED, **headers: str) -> Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return run(World(ALLOWED_ORIGINS=origins).ask(method, target, headers=sent))


def test_an_allowed_origin_may_read() -> None:
    answer = ask("GET", "/healthz", Origin=ALLOWED)
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert answer.headers["Vary"] == "Origin"
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"ETag", "Retry-After", "X-Request-Id", "Server-Timing", "Location"} <= set(exposed)
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("target", ["/nothing", "/api/me", "/cdn/x"])
def test_an_allowed_origin_may_read_errors_too(target: str) -> None:
    assert ask("GET", target, Origin=ALLOWED).headers["Access-Control-Allow-Origin"] == ALLOWED


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "https://artist.example.evil.example", ALLOWED.upper()]
)
def test_another_origin_may_not(origin: str) -> None:
    answer = ask("GET", "/healthz", Origin=origin)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"
    preflight = ask("OPTIONS", "/api/me", Origin=origin, Access_Control_Request_Method="GET")
    assert not [name for name in preflight.headers if name.startswith("Access-Control")]


def test_a_preflight_is_answered() -> None:
    answer = ask(
        "OPTIONS",
        "/api/artworks",
        Origin=ALLOWED,
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="authorization, content-type",
    )
    assert (answer.status, answer.body) == (204, None)
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "If-Match"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


def test_a_page_may_learn_that_an_address_does_not_exist() -> None:
    preflight = ask("OPTIONS", "/api/nothing", Origin=ALLOWED, Access_Control_Request_Method="GET")
    assert preflight.status == 204
    assert "GET" in preflight.headers["Access-Control-Allow-Methods"]
    assert ask("OPTIONS", "/api/nothing", Origin=ALLOWED).status == 404
    stranger = ask(
        "OPTIONS", "/api/nothing", Origin="https://evil.example", Access_Control_Request_Method="GET"
    )
    assert stranger.status == 404


def test_without_configured_origins_there_is_no_cors() -> None:
    answer = ask("GET", "/healthz", "", Origin=ALLOWED)
    assert not [name for name in answer.headers if name.startswith("Access-Control") or name == "Vary"]


def test_any_origin_is_allowed_without_credentials() -> None:
    answer = ask("GET", "/healthz", "*", Origin="https://anyone.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_without_a_page_there_is_json() -> None:
    async def story() -> Any:
        world = World()
        world.pages.page = None
        return await world.ask("GET", "/upload")

    answer = run(story())
    assert (answer.status, json_of(answer)["code"]) == (404, "not_found")
