"""/cdn: what the bucket holds, handed out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.gallery.clock import run
from tests.support.gallery.world import PICTURES, World, json_of

from gallery.http.messages import Response

STEM = "usr_ada/0b8f4b52-6d3c-4e0e-9a53-5a3b6a2f1c11"
DISPLAY = f"display/{STEM}.jpg"
ORIGINAL = f"originals/{STEM}.png"
DATA = bytes(range(100))


def ask(key: str, method: str = "GET", headers: dict[str, str] | None = None, **changes: str) -> Response:
    world = World(**changes)
    world.objects.put(DISPLAY, DATA, "image/jpeg")
    world.objects.put(ORIGINAL, PICTURES["image/png"], "image/png")
    world.objects.put(f"originals/{STEM}.jpg", b"<svg/>", "image/svg+xml")
    return run(world.ask(method, f"/cdn/{key}", headers=headers))


@pytest.fixture
def etag() -> str:
    return ask(DISPLAY).headers["ETag"]


def test_a_rendition_is_handed_out_whole() -> None:
    answer = ask(DISPLAY)
    assert (answer.status, answer.body) == (200, DATA)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Length"] == "100"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"].startswith('"')


def test_only_the_headers_are_handed_out_for_head() -> None:
    answer = ask(DISPLAY, "HEAD")
    assert (answer.status, answer.body) == (200, None)
    assert answer.headers["Content-Length"] == "100"
    for span in ("bytes=0-9", "bytes=100-"):
        assert ask(DISPLAY, "HEAD", {"Range": span}).status == 200


def test_what_the_client_has_is_not_sent_again(etag: str) -> None:
    answer = ask(DISPLAY, headers={"If-None-Match": f'"other", {etag}'})
    assert (answer.status, answer.body, answer.headers["ETag"]) == (304, None, etag)
    assert ask(DISPLAY, headers={"If-None-Match": '"other"'}).body == DATA


def test_a_condition_that_fails_is_412(etag: str) -> None:
    answer = ask(DISPLAY, headers={"If-Match": '"other"'})
    assert (answer.status, json_of(answer)["code"]) == (412, "precondition_failed")
    assert answer.headers["Cache-Control"] == "no-store"
    assert ask(DISPLAY, headers={"If-Match": etag}).status == 200


def test_a_part_is_handed_out(etag: str) -> None:
    answer = ask(DISPLAY, headers={"Range": "bytes=10-19"})
    assert (answer.status, answer.body) == (206, DATA[10:20])
    assert answer.headers["Content-Range"] == "bytes 10-19/100"
    assert answer.headers["Content-Length"] == "10"
    assert ask(DISPLAY, headers={"Range": "bytes=-5", "If-Range": etag}).body == DATA[-5:]
    assert ask(DISPLAY, headers={"Range": "bytes=-5", "If-Range": '"other"'}).body == DATA
    assert ask(DISPLAY, headers={"Range": "bytes=0-1,3-4"}).status == 200


def test_a_part_outside_is_416() -> None:
    answer = ask(DISPLAY, headers={"Range": "bytes=100-"})
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */100")
    assert json_of(answer)["code"] == "range_not_satisfiable"


def test_originals_are_private_by_default() -> None:
    for key in (ORIGINAL, ORIGINAL.replace("0b8f", "ffff")):
        answer = ask(key)
        assert (answer.status, json_of(answer)["code"]) == (403, "forbidden")


def test_originals_can_be_made_public_but_never_executable() -> None:
    answer = ask(ORIGINAL, PUBLIC_ORIGINALS="true")
    assert (answer.status, answer.body) == (200, PICTURES["image/png"])
    assert answer.headers["Content-Type"] == "image/png"
    assert ask(f"originals/{STEM}.jpg", PUBLIC_ORIGINALS="true").headers["Content-Type"] == (
        "application/octet-stream"
    )


@pytest.mark.parametrize(
    "key",
    [
        "nothing",
        f"display/{STEM}",
        f"display/{STEM}.v2.jpg",
        f"display/usr_ada/../../originals/{STEM}.png",
        f"display/%2e%2e/originals/{STEM}.png",
        f"display%2F..%2Foriginals/{STEM}.png",
        "display/usr_ada/%00.jpg",
        "%ff%fe",
        "%",
        "%zz",
        "icons//x",
        "é",
    ],
)
def test_anything_else_is_not_there(key: str) -> None:
    answer = ask(key, PUBLIC_ORIGINALS="true")
    assert (answer.status, json_of(answer)["code"]) == (404, "not_found")


def test_a_key_may_be_percent_encoded() -> None:
    assert ask(DISPLAY.replace("/", "%2F")).body == DATA


@pytest.mark.parametrize("method", ["head", "open"])
def test_a_bucket_that_fails_is_503(method: str) -> None:
    async def story(headers: dict[str, str]) -> Response:
        world = World()
        world.objects.broken = {method}
        world.objects.put(DISPLAY, DATA, "image/jpeg")
        return await world.ask("GET", f"/cdn/{DISPLAY}", headers=headers)

    asked: Callable[..., Any] = lambda headers: run(story(headers))  # noqa: E731
    assert asked({"Range": "bytes=0-1"} if method == "head" else {}).status == 503
