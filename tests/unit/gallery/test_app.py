"""The application's edges: methods, headers, errors, logs."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.database import ROOT
from tests.support.gallery.tokens import bearer, token
from tests.support.gallery.world import World, json_of

from gallery.app import handle
from gallery.errors import NotConfigured
from gallery.http.context import LIMIT_SECONDS
from gallery.http.messages import Request, Response

ADDRESSES = {
    "/healthz": "GET, HEAD, OPTIONS",
    "/api/artworks/upload-url": "OPTIONS, POST",
    "/api/artworks": "GET, HEAD, OPTIONS, POST",
    "/api/artworks/art_1": "DELETE, GET, HEAD, OPTIONS, PATCH",
    "/api/artworks/art_1/reprocess": "OPTIONS, POST",
    "/api/users/ada/artworks/pear": "GET, HEAD, OPTIONS",
    "/api/users": "GET, HEAD, OPTIONS, POST",
    "/api/users/usr_1": "GET, HEAD, OPTIONS, PATCH",
    "/api/me": "GET, HEAD, OPTIONS",
    "/api/sweep": "OPTIONS, POST",
    "/openapi.json": "GET, HEAD, OPTIONS",
    "/cdn/display/x.jpg": "GET, HEAD, OPTIONS",
}


def ask(method: str, target: str, body: Any = None, **options: Any) -> Response:
    return run(World().ask(method, target, body, **options))


@pytest.mark.parametrize(("path", "allow"), ADDRESSES.items())
@pytest.mark.parametrize("method", ["PROPFIND", "PURGE", "TRACE", "BREW", "get", "", "PUT"])
def test_a_method_that_does_not_exist_is_405_with_allow(path: str, allow: str, method: str) -> None:
    answer = ask(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, allow)
    assert json_of(answer)["code"] == "method_not_allowed"


@pytest.mark.parametrize(("path", "allow"), ADDRESSES.items())
def test_options_say_what_is_allowed(path: str, allow: str) -> None:
    answer = ask("OPTIONS", path)
    assert (answer.status, answer.body, answer.headers["Allow"]) == (204, None, allow)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/nothing",
        "/api",
        "/api/",
        "/api/artworks/",
        "//healthz",
        "/healthz/",
        "/cdn/",
        "/\x00",
        "/%ff",
    ],
)
def test_an_address_that_does_not_exist_is_a_json_404(path: str) -> None:
    answer = ask("GET", path)
    assert answer.status == 404
    assert set(json_of(answer)) - {"detail"} == {"error", "code", "requestId"}
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("method", "path"), [("GET", "/.local/users"), ("POST", "/.local/token")])
def test_the_sign_in_of_the_local_runtime_is_not_in_the_gateway(method: str, path: str) -> None:
    assert ask(method, path, {"username": "ada"}).status == 404


def test_head_is_get_without_its_body() -> None:
    answer = ask("HEAD", "/healthz")
    assert (answer.status, answer.body) == (200, None)
    assert ask("HEAD", "/nothing").body is None


@pytest.mark.parametrize("target", ["/healthz", "/nothing", "/cdn/x", "/api/artworks/art_1"])
def test_every_answer_has_its_security_headers(target: str) -> None:
    headers = ask("GET", target).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Request-Id"]


@pytest.mark.parametrize("given", ["trace-1", "0b8f4b52-6d3c-4e0e-9a53-5a3b6a2f1c11", "x" * 64])
def test_a_request_id_is_kept(given: str) -> None:
    answer = ask("GET", "/nothing", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == json_of(answer)["requestId"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "<script>", "é", 'x"'])
def test_another_request_id_is_replaced(given: str) -> None:
    assert ask("GET", "/nothing", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given


def test_a_gallery_that_is_not_configured_says_so_and_logs_which() -> None:
    async def story(path: str, method: str) -> None:
        world = World()

        def settings() -> Any:
            raise NotConfigured(("AUTH_JWT_SECRET is missing",))

        async def read(_: int) -> bytes:
            return b"{}"

        request = Request(method, "http://x", path, "", lambda _: None, read)
        answer = await handle(request, world.platform, settings)
        assert (answer.status, json_of(answer)["code"]) == (500, "not_configured")
        assert isinstance(answer.body, str)
        assert "AUTH_JWT_SECRET" not in answer.body
        assert world.events[-1]["problems"] == ["AUTH_JWT_SECRET is missing"]

    for path, method in (("/api/artworks", "POST"), ("/healthz", "GET"), ("/cdn/x", "GET")):
        run(story(path, method))


async def test_a_fault_of_ours_is_500_without_a_traceback() -> None:
    world = World()
    world.database.connection.close()
    answer = await world.ask("GET", "/healthz")
    assert (answer.status, json_of(answer)["code"]) == (500, "internal")
    assert isinstance(answer.body, str)
    assert "sqlite" not in answer.body
    assert "ProgrammingError" in world.events[-1]["traceback"]


async def test_a_request_is_one_line_in_the_log_without_its_secrets() -> None:
    world = World()
    world.user()
    secret = token()
    body = {"title": "x", "originalKey": world.original()}
    await world.ask("POST", "/api/artworks", body, headers={"Authorization": f"Bearer {secret}"})
    line = world.events[-1]
    assert (line["event"], line["route"], line["status"]) == ("request", "/api/artworks", 201)
    assert {"requestId", "method", "ms", "user", "artwork", "stages"} <= set(line)
    assert {"thumbnail", "icon", "watermark"} <= set(line["stages"])
    text = json.dumps(world.events)
    assert secret not in text
    assert "X-Amz-Signature" not in text
    assert world.settings.worker_token not in text


@pytest.mark.parametrize(
    ("method", "target"), [("POST", "/api/artworks"), ("POST", "/api/artworks/upload-url")]
)
def test_nobody_is_unauthorized(method: str, target: str) -> None:
    answer = ask(method, target, {})
    assert (answer.status, json_of(answer)["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("target", ["/api/artworks", "/api/artworks/upload-url"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b'{"title":NaN}', b"[" * 60_000, {"title": 1}, {}]
)
def test_a_malformed_body_is_400(target: str, body: Any) -> None:
    answer = ask("POST", target, body, headers=bearer())
    assert (answer.status, json_of(answer)["code"]) == (400, "invalid_request")


def test_a_huge_body_is_413() -> None:
    answer = ask("POST", "/api/artworks", {"title": "x" * 1_000_000}, headers=bearer())
    assert (answer.status, json_of(answer)["code"]) == (413, "too_large")
    assert "65536" in json_of(answer)["error"]


def test_retry_after_fits_the_limits_of_the_worker() -> None:
    config = tomllib.loads((ROOT / "wrangler.toml").read_text())
    assert {limit["simple"]["period"] for limit in config["ratelimits"]} == {LIMIT_SECONDS}


@pytest.mark.parametrize("host", ["https://gallery.example", "https://evil.example"])
@pytest.mark.parametrize("public_url", ["", "https://art.example", "art.example"])
async def test_urls_begin_with_the_public_one_whatever_a_request_calls_its_host(
    host: str, public_url: str
) -> None:
    world = World(PUBLIC_URL=public_url)
    world.user()
    body = {"title": "x", "originalKey": world.original()}
    made = await world.ask("POST", "/api/artworks", body, headers=bearer(), origin=host)
    expected = "https://art.example" if public_url else host
    for name in ("originalUrl", "displayUrl", "thumbnailUrl", "iconUrl"):
        assert json_of(made)["data"][name].startswith(f"{expected}/cdn/")
    document = json_of(await world.ask("GET", "/openapi.json", origin=host))
    assert document["servers"] == [{"url": expected}]
