"""Forged, broken and expired tokens, over HTTP: each is a 401."""

from __future__ import annotations

import base64
import hmac
import json
import re
import statistics
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.support.e2e.accounts import Account, assert_refused
from tools.stack import Stack

CREATE = "/api/artworks"
TICKET = "/api/artworks/upload-url"


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
        times = [1000 * client.get("/api/me").elapsed.total_seconds() for _ in range(5)]
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
def test_a_signed_token_with_invalid_claims_is_401(
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


def test_a_valid_token_made_in_the_same_way_is_accepted(
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
