"""Malformed requests, over HTTP: whatever is sent is a 4xx in the form of the API."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support.e2e.accounts import Account, assert_refused
from tests.support.e2e.wire import Wire

CREATE = "/api/artworks"
TICKET = "/api/artworks/upload-url"


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"title=x",
    "half of it": b'{"title":',
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "not UTF-8": b'{"title":"\xff"}',
    "UTF-16": '{"title":"x"}'.encode("utf-16"),
    "NaN": b'{"title":NaN}',
    "a name twice": b'{"title":"a","title":"b"}',
    "deep lists": b"[" * 60_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a long number": b'{"size":' + b"9" * 5_000 + b"}",
    "a lone surrogate": b'{"title":"\\ud83d","filename":"\\ud83d","contentType":"image/png"}',
    "NUL": b'{"title":"a\\u0000b","originalKey":"x","filename":"\\u0000","contentType":"image/png"}',
    "a title of a megabyte": json.dumps({"title": "x" * 1_000_000}).encode(),
    "20 MB": b" " * 20_000_000,
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", [CREATE, TICKET])
def test_a_malformed_body_is_refused(artist: Account, path: str, name: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert_refused(artist.client.post(path, content=BODIES[name], headers=headers), 400, 413)


def test_an_endless_body_is_cut_off(artist: Account) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 16_384

    assert_refused(artist.client.post(CREATE, content=chunks()), 413)


WRONG: list[dict[str, Any]] = [
    {"title": 7},
    {"title": ["x"]},
    {"title": True},
    {"title": ""},
    {"title": None},
    {"title": "x" * 201},
    {"tags": "a"},
    {"tags": [1]},
    {"tags": ["x"] * 21},
    {"category": "x" * 51},
    {"category": 1},
    {"createdDate": "x" * 51},
    {"createdDate": 2024},
    {"description": {"a": 1}},
    {"materials": "x" * 501},
    {"originalKey": None},
    {"originalKey": 1},
    {"originalKey": ""},
    {"originalKey": "x" * 10_000},
]


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_a_field_of_the_wrong_kind_is_400(artist: Account, change: dict[str, Any]) -> None:
    body = {"title": "x", "originalKey": f"originals/{artist.user_id}/{uuid.uuid4()}.jpg"} | change
    assert_refused(artist.client.post(CREATE, json=body), 400)


@pytest.mark.parametrize(
    "change",
    [
        {"contentType": "image/svg+xml"},
        {"contentType": "text/html"},
        {"contentType": "image/jpeg\r\nX: y"},
        {"contentType": None},
        {"filename": None},
        {"filename": "x" * 300},
        {"size": 0},
        {"size": -1},
        {"size": 1.5},
        {"size": True},
        {"size": 2**60},
        {"size": "1"},
    ],
    ids=str,
)
def test_a_ticket_for_an_invalid_name_type_or_size_is_refused(
    artist: Account, change: dict[str, Any]
) -> None:
    body = {"filename": "a.jpg", "contentType": "image/jpeg", "size": 10} | change
    assert_refused(artist.client.post(TICKET, json=body), 400, 413, 415)


@pytest.mark.parametrize(
    "key",
    [
        "originals/{me}/../{other}/{uuid}.jpg",
        "originals/{me}/%2e%2e/{other}/{uuid}.jpg",
        "originals/{me}//{uuid}.jpg",
        "originals/{me}/{uuid}.svg",
        "originals/{me}/{uuid}.jpg/",
        "originals/{me}/{uuid}.jpg\u0000",
        "/originals/{me}/{uuid}.jpg",
        "display/{me}/{uuid}.jpg",
        "..",
        "originals",
    ],
)
def test_a_key_outside_the_grammar_is_400(artist: Account, stranger: Account, key: str) -> None:
    made = key.format(me=artist.user_id, other=stranger.user_id, uuid=uuid.uuid4())
    assert_refused(artist.create(made), 400)


PATHS = (
    "/cdn/../api/me",
    "/cdn/%2e%2e/originals",
    "/cdn/originals%2f..%2f..%2fetc%2fpasswd",
    "/cdn/%00",
    "/cdn/%ff%fe",
    "/cdn/%",
    "/api/artworks/%00",
    "/api/artworks/%F0%9F%92%A9",
    "/api/artworks/" + "x" * 8000,
    "/api/users/%2e%2e/artworks/%2e%2e",
    "/api/users/a%2Fb/artworks/c",
    "/api/artworks?q=%ff",
    "/api/artworks?limit=1e3",
    "/api/artworks?cursor=' OR 1=1--",
)


@pytest.mark.parametrize("path", PATHS)
def test_any_path_is_answered_with_a_typed_error(gallery_url: str, path: str) -> None:
    """Sent as it is, past the clean-up of HTTP clients."""
    with Wire(gallery_url) as wire:
        status, headers, body = wire.ask(f"GET {path.replace(' ', '+')} HTTP/1.1")
    assert status in (400, 401, 404), body[:200]
    assert headers["content-type"].startswith("application/json")
    assert set(json.loads(body)) - {"detail"} == {"error", "code", "requestId"}


@pytest.mark.parametrize(
    "line",
    [
        "GET /cdn/\xff\xfe HTTP/1.1",
        "GET /api/artworks/\xc3\x28 HTTP/1.1",
        "BREW /healthz HTTP/1.1",
        "GET  /healthz HTTP/1.1",
        "GET /healthz HTTP/9.9",
        "\x00\x01\x02",
    ],
)
def test_a_broken_request_line_is_a_4xx_or_501(gallery_url: str, line: str) -> None:
    with Wire(gallery_url) as wire:
        status, _, _ = wire.ask(line)
    assert 400 <= status <= 501
    assert status != 500
    assert httpx.get(f"{gallery_url}/healthz").status_code == 200
