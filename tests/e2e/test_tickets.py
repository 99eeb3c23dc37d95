"""Upload tickets, over HTTP: each is good for what it was issued for, and for nothing else."""

from __future__ import annotations

import re
import tomllib
import uuid
from urllib.parse import urlsplit

import httpx
import pytest
from tests.support.e2e.accounts import Account, AccountFactory, assert_refused
from tests.support.e2e.inside import Bucket
from tests.support.e2e.uploads import put, ticket
from tests.support.e2e.wire import Wire
from tests.support.pictures import jpeg
from tools.stack import ROOT, Stack

SMALL = jpeg(96, 72)
TICKET = "/api/artworks/upload-url"
_LIMITS = tomllib.loads((ROOT / "wrangler.toml").read_text())["ratelimits"]
TICKETS_A_MINUTE = next(each["simple"]["limit"] for each in _LIMITS if each["name"] == "TICKET_LIMIT")


def test_a_ticket_is_for_one_key_one_type_one_size_and_once(artist: Account) -> None:
    received = ticket(artist.client, len(SMALL))
    assert put(received, SMALL + b"x").status_code == 403
    assert put(received, SMALL, **{"Content-Type": "image/png"}).status_code == 403
    without = {**received, "headers": {"Content-Type": "image/jpeg"}}
    assert put(without, SMALL).status_code == 403
    elsewhere = re.sub(r"[0-9a-f-]{36}\.jpg", f"{uuid.uuid4()}.jpg", received["uploadUrl"])
    assert put({**received, "uploadUrl": elsewhere}, SMALL).status_code == 403
    assert put(received, SMALL, **{"Content-Type": "text/html"}).status_code == 403
    assert put(received, SMALL).status_code == 200
    assert put(received, SMALL).status_code == 412
    assert put(received, SMALL[::-1]).status_code == 412


@pytest.mark.parametrize("name", ["x-amz-copy-source", "X-Amz-Copy-Source", "x-amz-meta-note", "x-amz-acl"])
def test_a_ticket_takes_no_header_that_it_did_not_sign(artist: Account, stranger: Account, name: str) -> None:
    original = stranger.upload(SMALL)
    received = ticket(artist.client, len(SMALL))
    path = urlsplit(received["uploadUrl"]).path.removesuffix(f"/{received['key']}")
    value = f"/{path.rpartition('/')[2]}/{original}" if name.lower() == "x-amz-copy-source" else "public-read"
    refused = put(received, SMALL, **{name: value})
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/xml"
    assert "<Error><Code>AccessDenied</Code>" in refused.text
    assert "There were headers present in the request which were not signed" in refused.text
    # Nothing was stored: the ticket is still good for what it is for.
    assert put(received, SMALL).status_code == 200


def test_no_spelling_of_the_address_lets_a_ticket_copy(
    stack: Stack, artist: Account, stranger: Account
) -> None:
    original = stranger.upload(SMALL)
    received = ticket(artist.client, 1)
    source = {"x-amz-copy-source": f"/vfa-gallery/{original}"}
    parts = urlsplit(received["uploadUrl"])
    for disguise in ("MF-Original-URL", "MF-Op-Original-URL"):
        httpx.put(
            f"{stack.url}/healthz",
            headers={**received["headers"], **source, disguise: received["uploadUrl"]},
            content=b"x",
        )
    odd = parts.path.replace("/cdn-cgi/", "/%63dn-cgi/"), f"/.{parts.path}", f"/x/..{parts.path}"
    for path in (*odd, parts.path.upper(), f"/{parts.path}"):
        status, _, _ = raw_put(stack.url, f"{path}?{parts.query}", {**received["headers"], **source})
        assert status in (400, 403, 404, 405), path
    assert received["key"] not in stack.control("objects")["keys"]


def raw_put(url: str, target: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """The answer to a PUT of one byte at a target that no client would send so."""
    lines = [f"PUT {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    with Wire(url) as wire:
        return wire.ask("\r\n".join(lines), b"x")


def test_a_request_with_signed_extra_headers_is_accepted(bucket: Bucket, artist: Account) -> None:
    """Another S3 client, which signs all of its headers."""
    key = f"originals/{artist.user_id}/{uuid.uuid4()}.jpg"
    answer = bucket.request("PUT", key, SMALL, **{"x-amz-meta-note": "mine"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("size", [len(SMALL), None])
def test_a_ticket_cannot_copy_another_users_original(account: AccountFactory, size: int | None) -> None:
    mara, nell = account(), account()
    private = mara.upload(SMALL)
    received = ticket(nell.client, size)
    bucket = urlsplit(received["uploadUrl"]).path.removesuffix(received["key"]).strip("/").rpartition("/")[2]
    body = SMALL if size else b""
    copied = put(received, body, **{"x-amz-copy-source": f"/{bucket}/{private}"})
    assert copied.status_code == 403
    assert nell.create(received["key"]).status_code == 404
    other = put(ticket(nell.client, len(SMALL)), SMALL, **{"x-amz-meta-note": "unsigned"})
    assert other.status_code == 403


def test_a_ticket_without_a_size_signs_the_type_alone(account: AccountFactory) -> None:
    """As the first users of the API upload: two fields, and one header."""
    artist = account()
    body = {"filename": "a.jpg", "contentType": "image/jpeg"}
    received = artist.client.post("/api/artworks/upload-url", json=body).json()
    sent = {"Content-Type": "image/jpeg"}
    assert httpx.put(received["uploadUrl"], content=SMALL, headers=sent).status_code == 200
    assert (
        httpx.put(received["uploadUrl"], content=SMALL, headers={"Content-Type": "image/png"}).status_code
        == 403
    )
    made = artist.create(received["key"])
    assert made.status_code == 201, made.text
    artwork = made.json()["data"]
    path = f"/api/artworks/{artwork['id']}"
    assert "originalReplaced" not in artist.client.get(path).json()["data"]

    assert httpx.put(received["uploadUrl"], content=SMALL + b"more", headers=sent).status_code == 200
    replaced = artist.client.get(path).json()["data"]
    assert replaced["originalReplaced"] is True
    assert "originalDownloadUrl" not in replaced
    assert_refused(artist.client.post(f"{path}/reprocess"), 422)
    assert httpx.get(artwork["displayUrl"]).status_code == 200


def test_too_many_tickets_are_refused_with_retry_after(account: AccountFactory) -> None:
    hasty, patient = account(), account()
    body = {"filename": "a.jpg", "contentType": "image/jpeg"}
    for _ in range(2 * TICKETS_A_MINUTE + 1):
        answer = hasty.client.post(TICKET, json=body)
        # From the fifty-first on there are too many open uploads, and every request counts.
        if answer.status_code != 200 and answer.json()["code"] != "upload_limit_reached":
            break
    assert_refused(answer, 429)
    assert answer.json()["code"] == "rate_limited"
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert patient.client.post(TICKET, json=body).status_code == 200
