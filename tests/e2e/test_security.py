"""Hostile callers, over HTTP: whatever they send is a 4xx in the form of the API, and tells them nothing."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.e2e.conftest import Account, AccountFactory
from tests.e2e.uploads import put, ticket
from tests.pictures import encode, jpeg, photo
from tools import stack as local_stack
from tools.stack import ROOT, Stack

SMALL = jpeg(96, 72)
CREATE = "/api/artworks"
TICKET = "/api/artworks/upload-url"
_LIMITS = tomllib.loads((ROOT / "wrangler.toml").read_text())["ratelimits"]
TICKETS_A_MINUTE = next(each["simple"]["limit"] for each in _LIMITS if each["name"] == "TICKET_LIMIT")


@pytest.fixture(scope="module")
def artist(account: AccountFactory) -> Account:
    return account(limit=1000)


@pytest.fixture(scope="module")
def stranger(account: AccountFactory) -> Account:
    return account()


def assert_refused(answer: httpx.Response, *statuses: int) -> None:
    """A typed error and nothing of the inside."""
    assert answer.status_code in (statuses or range(400, 500)), answer.text
    body = answer.json()
    assert set(body) == {"error", "code", "requestId"}
    assert body["requestId"] == answer.headers["x-request-id"]
    assert not re.search(r"Traceback|\.py\b|D1_ERROR|sqlite|Exception", answer.text)
    assert answer.headers["x-content-type-options"] == "nosniff"


def b64(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header: Any, artist: Account, signature: str | None = None) -> str:
    _, payload, good = artist.token.split(".")
    return f"{b64(header)}.{payload}.{good if signature is None else signature}"


FORGERIES: dict[str, Callable[[Account], str]] = {
    "garbage": lambda _: "abc",
    "alg none": lambda artist: forged({"alg": "none"}, artist, ""),
    "alg None": lambda artist: forged({"alg": "None", "typ": "JWT"}, artist, ""),
    "alg none, signed": lambda artist: forged({"alg": "none"}, artist),
    "alg RS256": lambda artist: forged({"alg": "RS256", "typ": "JWT"}, artist),
    "another header": lambda artist: forged({"alg": "HS256", "kid": "../../dev/null"}, artist),
    "no signature": lambda artist: artist.token.rpartition(".")[0] + ".",
    "truncated": lambda artist: artist.token[:-2],
    "another payload": lambda artist: artist.token.replace(
        artist.token.split(".")[1], b64({"sub": artist.user_id, "exp": 9999999999, "role": "operator"})
    ),
    "oversized": lambda artist: artist.token + "A" * 8000,
    "two tokens": lambda artist: f"{artist.token}, {artist.token}",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_401(
    gallery_url: str, artist: Account, forgery: str, record_property: Callable[[str, object], None]
) -> None:
    token = FORGERIES[forgery](artist)
    with httpx.Client(base_url=gallery_url, headers={"Authorization": f"Bearer {token}"}) as client:
        for method, path in (("GET", "/api/me"), ("POST", CREATE), ("POST", TICKET), ("POST", "/api/sweep")):
            answer = client.request(method, path)
            assert_refused(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
        fastest = min(client.get("/api/me").elapsed.total_seconds() for _ in range(9))
        record_property("forged token refused within, ms", round(1000 * fastest, 1))


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
    {"category": "Painting"},
    {"category": 1},
    {"createdDate": "yesterday"},
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
def test_a_ticket_for_anything_else_is_refused(artist: Account, change: dict[str, Any]) -> None:
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


def test_nothing_is_learned_of_other_peoples_originals(artist: Account, stranger: Account) -> None:
    keys = artist.upload(SMALL), f"originals/{artist.user_id}/{uuid.uuid4()}.jpg"
    created = [stranger.create(key) for key in keys]
    asked = [stranger.client.get("/api/artworks/readiness", params={"originalKey": key}) for key in keys]
    for seen in (created, asked):
        assert [answer.status_code for answer in seen] == [403, 403]
        assert len({answer.json()["error"] for answer in seen}) == 1


def test_someone_elses_artwork_cannot_be_changed(artist: Account, stranger: Account) -> None:
    artwork = artist.create(artist.upload(SMALL)).json()["data"]
    path = f"/api/artworks/{artwork['id']}"
    assert_refused(stranger.client.patch(path, json={"title": "mine"}), 403)
    assert_refused(stranger.client.delete(path), 403)
    assert_refused(stranger.client.post(f"{path}/reprocess"), 403)
    assert "originalDownloadUrl" not in stranger.client.get(path).json()["data"]
    assert artist.client.get(path).json()["data"]["title"] == artwork["title"]


def test_originals_are_their_owners_only(artist: Account, anonymous: httpx.Client) -> None:
    artwork = artist.create(artist.upload(SMALL)).json()["data"]
    assert_refused(httpx.get(artwork["originalUrl"]), 403)
    assert_refused(artist.client.get(urlsplit(artwork["originalUrl"]).path), 403)
    assert "originalDownloadUrl" not in anonymous.get(f"/api/artworks/{artwork['id']}").json()["data"]
    assert httpx.get(artwork["originalDownloadUrl"]).content == SMALL
    assert "X-Amz-Expires=900" in artwork["originalDownloadUrl"]
    assert httpx.get(artwork["originalDownloadUrl"].replace(".jpg?", ".png?")).status_code == 403


def test_a_ticket_is_for_one_key_one_type_one_size_and_once(artist: Account) -> None:
    received = ticket(artist.client, len(SMALL))
    assert put(received, SMALL + b"x").status_code == 403
    assert put(received, SMALL, **{"Content-Type": "image/png"}).status_code == 403
    without = {**received, "headers": {"Content-Type": "image/jpeg"}}
    assert put(without, SMALL).status_code == 403
    elsewhere = re.sub(r"[0-9a-f-]{36}\.jpg", f"{uuid.uuid4()}.jpg", received["uploadUrl"])
    assert put({**received, "uploadUrl": elsewhere}, SMALL).status_code == 403
    assert put(received, SMALL).status_code == 200
    assert put(received, SMALL).status_code == 412


@pytest.mark.parametrize(
    ("data", "declared", "statuses"),
    [
        (encode(photo(40, 30), "PNG"), "image/jpeg", [415]),
        (SMALL, "image/png", [415]),
        (b"<html><script>alert(1)</script>", "image/jpeg", [415]),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", [415]),
        (b"%PDF-1.7", "image/tiff", [415]),
        (b"\xff\xd8\xff" + bytes(100), "image/jpeg", [422]),
        (SMALL[:200], "image/jpeg", [422]),
    ],
)
def test_what_is_not_the_picture_it_says_is_refused(
    artist: Account, data: bytes, declared: str, statuses: list[int]
) -> None:
    assert_refused(artist.create(artist.upload(data, declared)), *statuses)


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        (SMALL + b"<html><script>alert(1)</script></html>", "image/jpeg"),
        (encode(photo(40, 30), "PNG") + b"PK\x03\x04" + bytes(40), "image/png"),
        (encode(photo(40, 30).convert("P"), "GIF") + b";alert(1)//", "image/gif"),
    ],
)
def test_a_polyglot_comes_out_as_a_clean_jpeg(artist: Account, data: bytes, declared: str) -> None:
    answer = artist.create(artist.upload(data, declared))
    assert answer.status_code == 201, answer.text
    for name in ("displayUrl", "thumbnailUrl", "iconUrl"):
        served = httpx.get(answer.json()["data"][name])
        assert served.headers["content-type"] == "image/jpeg"
        assert served.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert served.content.startswith(b"\xff\xd8\xff")
        assert served.content.endswith(b"\xff\xd9")
        assert not re.search(rb"<html|alert|PK\x03\x04", served.content)


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
def test_any_path_is_answered(gallery_url: str, path: str) -> None:
    """Sent as it is, past the clean-up of HTTP clients."""
    status, headers, body = raw(gallery_url, f"GET {path.replace(' ', '+')} HTTP/1.1")
    assert status in (400, 401, 404), body[:200]
    assert headers["content-type"].startswith("application/json")
    assert set(json.loads(body)) == {"error", "code", "requestId"}


@pytest.mark.parametrize(
    "line",
    [
        b"GET /cdn/\xff\xfe HTTP/1.1",
        b"GET /api/artworks/\xc3\x28 HTTP/1.1",
        b"BREW /healthz HTTP/1.1",
        b"GET  /healthz HTTP/1.1",
        b"GET /healthz HTTP/9.9",
        b"\x00\x01\x02",
    ],
)
def test_a_broken_request_line_is_no_fault_of_ours(gallery_url: str, line: bytes) -> None:
    status, _, _ = raw(gallery_url, line)
    assert 400 <= status <= 501
    assert status != 500
    assert httpx.get(f"{gallery_url}/healthz").status_code == 200


def raw(base: str, line: str | bytes) -> tuple[int, dict[str, str], bytes]:
    """The answer to one request line, byte for byte: status, headers, body."""
    host = urlsplit(base)
    head = line.encode() if isinstance(line, str) else line
    with socket.create_connection((host.hostname, host.port), timeout=10) as connection:
        connection.sendall(head + f"\r\nHost: {host.netloc}\r\nConnection: close\r\n\r\n".encode())
        data = b"".join(iter(lambda: connection.recv(65_536), b""))
    top, _, body = data.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (entry.partition(":") for entry in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(part for part in body.split(b"\r\n")[1::2])
    return int(first.split()[1]), headers, body


def test_a_request_id_goes_in_and_out(anonymous: httpx.Client) -> None:
    given = anonymous.get("/nothing", headers={"X-Request-Id": "trace.1"})
    assert given.headers["x-request-id"] == given.json()["requestId"] == "trace.1"
    for bad in ("x" * 65, "a b", '"><script>'):
        assert anonymous.get("/nothing", headers={"X-Request-Id": bad}).headers["x-request-id"] != bad


def test_logs_hold_one_event_a_line_and_no_secrets(stack: Stack, account: AccountFactory) -> None:
    artist = account()
    since = len(stack.lines)
    received = ticket(artist.client, len(SMALL))
    put(received, SMALL)
    answer = artist.create(received["key"])
    artist.client.get(f"/api/artworks/{answer.json()['data']['id']}")
    time.sleep(0.5)
    lines = [line for line in list(stack.lines)[since:] if line.startswith("[")]
    text = "\n".join(lines)
    assert artist.token not in text
    assert artist.token.split(".")[2] not in text
    assert "X-Amz" not in text
    events = [json.loads(line.partition("] ")[2]) for line in lines]
    request_id = answer.headers["x-request-id"]
    (created,) = [e for e in events if e.get("requestId") == request_id and e.get("event") == "request"]
    assert (created["route"], created["status"]) == ("/api/artworks", 201)
    assert {"thumbnail", "icon", "watermark", "commit"} <= set(created["stages"])
    assert len([e for e in events if e.get("requestId") == request_id and "variant" in e]) == 3


@pytest.mark.parametrize("secret", ["AUTH_JWT_SECRET", "WORKER_AUTH_TOKEN"])
def test_without_its_secrets_the_gallery_says_so_and_logs_which(
    request: pytest.FixtureRequest, tmp_path: Any, secret: str
) -> None:
    if request.config.getoption("--base-url"):
        pytest.skip("needs a local runtime of its own")
    with local_stack.running(tmp_path, arguments=["--var", secret]) as stack:
        for path in ("/api/artworks", "/healthz"):
            answer = httpx.get(stack.url + path)
            assert_refused(answer, 500)
            assert answer.json()["code"] == "not_configured"
            assert secret not in answer.text
        time.sleep(0.5)
        assert any(f"{secret} is missing" in line for line in stack.lines)


def test_too_many_tickets_are_told_when_to_come_back(account: AccountFactory) -> None:
    hasty, patient = account(), account()
    body = {"filename": "a.jpg", "contentType": "image/jpeg"}
    for _ in range(2 * TICKETS_A_MINUTE + 1):
        answer = hasty.client.post(TICKET, json=body)
        if answer.status_code != 200:
            break
    assert_refused(answer, 429)
    assert answer.json()["code"] == "rate_limited"
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert patient.client.post(TICKET, json=body).status_code == 200
