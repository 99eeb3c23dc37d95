"""What users learn of each other, what renditions keep of originals, what the log tells, over HTTP."""

from __future__ import annotations

import json
import re
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.support.e2e.accounts import Account, AccountFactory, artist_of, assert_refused, renders
from tests.support.e2e.uploads import put, ticket
from tests.support.pictures import encode, jpeg, photo
from tools import stack as local_stack
from tools.stack import Stack

SMALL = jpeg(96, 72)


def test_answers_do_not_tell_whether_another_users_original_exists(
    artist: Account, stranger: Account
) -> None:
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
def test_a_file_that_is_not_of_its_declared_type_is_refused(
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
def test_renditions_of_a_polyglot_are_clean_jpegs(artist: Account, data: bytes, declared: str) -> None:
    answer = artist.create(artist.upload(data, declared))
    assert answer.status_code == 201, answer.text
    for name in ("displayUrl", "thumbnailUrl", "iconUrl"):
        served = httpx.get(answer.json()["data"][name])
        assert served.headers["content-type"] == "image/jpeg"
        assert served.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert served.content.startswith(b"\xff\xd8\xff")
        assert served.content.endswith(b"\xff\xd9")
        assert not re.search(rb"<html|alert|PK\x03\x04", served.content)


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


def test_without_a_secret_the_gallery_says_so_and_logs_which(state: Path) -> None:
    secret = "AUTH_JWT_SECRET"
    with local_stack.running(state, arguments=["--var", secret]) as stack:
        for path in ("/api/artworks", "/healthz"):
            answer = httpx.get(stack.url + path)
            assert_refused(answer, 500)
            assert answer.json()["code"] == "not_configured"
            assert secret not in answer.text
        time.sleep(0.5)
        assert any(f"{secret} is missing" in line for line in stack.lines)


def test_renderers_refuse_a_wrong_or_missing_token_and_log_why(state: Path) -> None:
    words = ["--var", "icon:WORKER_AUTH_TOKEN", "--var", f"thumbnail:WORKER_AUTH_TOKEN={'a' * 64}"]
    with local_stack.running(state, arguments=words) as stack, artist_of(stack, "mara") as artist:
        answer = artist.create(artist.upload(SMALL))
        assert_refused(answer, 500)
        assert answer.json()["code"] == "processing_failed"
        assert "WORKER_AUTH_TOKEN" not in answer.text
        logged = renders(stack, answer)
        assert {name: (event["status"], event.get("code")) for name, event in logged.items()} == {
            "icon": (500, "not_configured"),
            "thumbnail": (401, "unauthorized"),
            "watermark": (200, None),
        }
        assert "WORKER_AUTH_TOKEN" in logged["icon"]["error"]
        assert [key for key in stack.control("objects")["keys"] if not key.startswith("originals/")] == []
