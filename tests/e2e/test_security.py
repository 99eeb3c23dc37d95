"""Hostile callers, over HTTP: whatever they send is a 4xx in the form of the API, and tells them nothing."""

from __future__ import annotations

import base64
import hmac
import json
import re
import statistics
import time
import tomllib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.support.e2e.accounts import Account, AccountFactory, artist_of, assert_refused, renders
from tests.support.e2e.uploads import put, ticket
from tests.support.e2e.wire import Wire
from tests.support.pictures import encode, jpeg, photo
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
    "alg NONE": lambda artist: forged({"alg": "NONE"}, artist, ""),
    "alg nOnE": lambda artist: forged({"alg": "nOnE"}, artist, ""),
    "alg of nothing": lambda artist: forged({"alg": ""}, artist, ""),
    "alg null": lambda artist: forged({"alg": None}, artist, ""),
    "no alg": lambda artist: forged({"typ": "JWT"}, artist, ""),
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


Record = Callable[[str, object], None]


def assert_nobody(gallery_url: str, token: str, record_property: Record) -> None:
    """The token opens nothing, and is refused in no time; the times are recorded."""
    with httpx.Client(base_url=gallery_url, headers={"Authorization": f"Bearer {token}"}) as client:
        for method, path in (("GET", "/api/me"), ("POST", CREATE), ("POST", TICKET), ("POST", "/api/sweep")):
            answer = client.request(method, path)
            assert_refused(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
        times = [1000 * client.get("/api/me").elapsed.total_seconds() for _ in range(15)]
    record_property("forged token refused, median, ms", round(statistics.median(times), 1))
    record_property("forged token refused, longest, ms", round(max(times), 1))


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_401(
    gallery_url: str, artist: Account, forgery: str, record_property: Record
) -> None:
    assert_nobody(gallery_url, FORGERIES[forgery](artist), record_property)


@pytest.fixture(scope="module")
def jwt_secret(stack: Stack) -> bytes:
    """What the local gallery signs tokens with."""
    return str(json.loads((stack.state / "secrets.json").read_text())["AUTH_JWT_SECRET"]).encode()


def signed(header: bytes, payload: bytes, key: bytes, digest: str = "sha256") -> str:
    """A token of these very bytes with a signature that is right for the key."""
    text = f"{b64(header)}.{b64(payload)}"
    return f"{text}.{b64(hmac.digest(key, text.encode(), digest))}"


HS256 = b'{"alg":"HS256","typ":"JWT"}'
# Header and payload, in which {me} is an artist, {other} someone else and {now} the time.
MISMADE: dict[str, tuple[bytes, str]] = {
    "expired": (HS256, '{"sub":"{me}","exp":{now-5}}'),
    "expired long ago": (HS256, '{"sub":"{me}","exp":1}'),
    "not valid yet": (HS256, '{"sub":"{me}","exp":{now+600},"nbf":{now+300}}'),
    "issued in the future": (HS256, '{"sub":"{me}","exp":{now+600},"iat":{now+300}}'),
    "no exp": (HS256, '{"sub":"{me}"}'),
    "exp null": (HS256, '{"sub":"{me}","exp":null}'),
    "exp a text": (HS256, '{"sub":"{me}","exp":"{now+600}"}'),
    "exp true": (HS256, '{"sub":"{me}","exp":true}'),
    "exp without end": (HS256, '{"sub":"{me}","exp":1e999}'),
    "exp NaN": (HS256, '{"sub":"{me}","exp":NaN}'),
    "no sub": (HS256, '{"exp":{now+600}}'),
    "sub empty": (HS256, '{"sub":"","exp":{now+600}}'),
    "sub a number": (HS256, '{"sub":7,"exp":{now+600}}'),
    "sub a list": (HS256, '{"sub":["{me}"],"exp":{now+600}}'),
    "sub a path": (HS256, '{"sub":"../{me}","exp":{now+600}}'),
    "two subs": (HS256, '{"sub":"{other}","sub":"{me}","exp":{now+600}}'),
    "two exps": (HS256, '{"sub":"{me}","exp":{now-5},"exp":{now+600}}'),
    "two algs": (b'{"alg":"none","alg":"HS256"}', '{"sub":"{me}","exp":{now+600}}'),
    "a list": (HS256, '[{"sub":"{me}","exp":{now+600}}]'),
    "nothing": (HS256, ""),
    "oversized": (HS256, '{"sub":"{me}","exp":{now+600},"pad":"' + "x" * 4096 + '"}'),
    "RS256, signed as HS256": (b'{"alg":"RS256","typ":"JWT"}', '{"sub":"{me}","exp":{now+600}}'),
    "ES256, signed as HS256": (b'{"alg":"ES256"}', '{"sub":"{me}","exp":{now+600}}'),
    "hs256": (b'{"alg":"hs256"}', '{"sub":"{me}","exp":{now+600}}'),
    "unknown extension": (b'{"alg":"HS256","crit":["x"],"x":1}', '{"sub":"{me}","exp":{now+600}}'),
    "unencoded payload": (b'{"alg":"HS256","crit":["b64"],"b64":false}', '{"sub":"{me}","exp":{now+600}}'),
}


def payload_of(text: str, me: Account, other: Account) -> bytes:
    names = {"{me}": me.user_id, "{other}": other.user_id}
    for name, value in names.items():
        text = text.replace(name, value)
    now = int(time.time())
    return re.sub(r"\{now([+-]\d+)\}", lambda found: str(now + int(found[1])), text).encode()


@pytest.mark.parametrize("name", MISMADE)
def test_a_token_that_is_signed_and_still_not_valid_is_401(
    gallery_url: str,
    artist: Account,
    stranger: Account,
    jwt_secret: bytes,
    name: str,
    record_property: Record,
) -> None:
    header, text = MISMADE[name]
    token = signed(header, payload_of(text, artist, stranger), jwt_secret)
    assert_nobody(gallery_url, token, record_property)


GOOD = '{"sub":"{me}","exp":{now+600}}'


def test_tokens_made_as_these_are_good_when_nothing_is_wrong_with_them(
    gallery_url: str, artist: Account, stranger: Account, jwt_secret: bytes
) -> None:
    token = signed(HS256, payload_of(GOOD, artist, stranger), jwt_secret)
    answer = httpx.get(f"{gallery_url}/api/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("key", [b"", b"secret", b"x" * 32, b"null"], ids=repr)
def test_a_token_of_another_key_is_401(
    gallery_url: str, artist: Account, stranger: Account, key: bytes, record_property: Record
) -> None:
    token = signed(HS256, payload_of(GOOD, artist, stranger), key)
    assert_nobody(gallery_url, token, record_property)


@pytest.mark.parametrize(("algorithm", "digest"), [("HS384", "sha384"), ("HS512", "sha512")])
def test_a_token_of_the_right_key_by_another_algorithm_is_401(
    gallery_url: str,
    artist: Account,
    stranger: Account,
    jwt_secret: bytes,
    algorithm: str,
    digest: str,
    record_property: Record,
) -> None:
    header = json.dumps({"alg": algorithm}).encode()
    token = signed(header, payload_of(GOOD, artist, stranger), jwt_secret, digest)
    assert_nobody(gallery_url, token, record_property)


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


def test_no_other_address_lets_a_ticket_copy(stack: Stack, artist: Account, stranger: Account) -> None:
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


def test_a_signed_request_may_bear_what_it_signed(stack: Stack, artist: Account) -> None:
    """Another S3 client, which signs all of its headers."""
    secrets = json.loads((stack.state / "secrets.json").read_text())
    key = f"originals/{artist.user_id}/{uuid.uuid4()}.jpg"
    request = AWSRequest(
        "PUT",
        f"{stack.url}/cdn-cgi/local/r2/s3/vfa-gallery/{key}",
        data=SMALL,
        headers={"x-amz-meta-note": "mine"},
    )
    credentials = Credentials(secrets["R2_ACCESS_KEY_ID"], secrets["R2_SECRET_ACCESS_KEY"])
    S3SigV4Auth(credentials, "s3", "auto").add_auth(request)
    assert httpx.put(request.url, content=SMALL, headers=dict(request.headers)).status_code == 200


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
def test_without_its_secrets_the_gallery_says_so_and_logs_which(state: Path, secret: str) -> None:
    with local_stack.running(state, arguments=["--var", secret]) as stack:
        for path in ("/api/artworks", "/healthz"):
            answer = httpx.get(stack.url + path)
            assert_refused(answer, 500)
            assert answer.json()["code"] == "not_configured"
            assert secret not in answer.text
        time.sleep(0.5)
        assert any(f"{secret} is missing" in line for line in stack.lines)


def test_siblings_render_nothing_without_the_token_or_for_another_and_log_why(state: Path) -> None:
    words = ["--var", "icon:WORKER_AUTH_TOKEN", "--var", f"thumbnail:WORKER_AUTH_TOKEN={'a' * 64}"]
    with local_stack.running(state, arguments=words) as stack, artist_of(stack, "mara") as artist:
        answer = artist.create(artist.upload(SMALL))
        assert_refused(answer, 500)
        assert answer.json()["code"] == "processing_failed"
        assert "WORKER_AUTH_TOKEN" not in answer.text
        said = renders(stack, answer)
        assert {name: (event["status"], event.get("code")) for name, event in said.items()} == {
            "icon": (500, "not_configured"),
            "thumbnail": (401, "unauthorized"),
            "watermark": (200, None),
        }
        assert "WORKER_AUTH_TOKEN" in said["icon"]["error"]
        assert [key for key in stack.control("objects")["keys"] if not key.startswith("originals/")] == []


def test_too_many_tickets_are_told_when_to_come_back(account: AccountFactory) -> None:
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


@pytest.mark.parametrize("size", [len(SMALL), None])
def test_a_ticket_copies_nobodys_original(account: AccountFactory, size: int | None) -> None:
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


def test_a_ticket_without_a_size_takes_the_type_alone(account: AccountFactory) -> None:
    """As the first users of the API upload: two fields, and one header."""
    artist = account()
    wish = {"filename": "a.jpg", "contentType": "image/jpeg"}
    received = artist.client.post("/api/artworks/upload-url", json=wish).json()
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
