"""Tokens: what RFC 8725 warns of is refused, and quickly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gallery.fakes import SECRETS
from tests.gallery.tokens import token

from gallery.auth import Caller, caller_of
from gallery.errors import Unauthorized

SECRET = SECRETS["AUTH_JWT_SECRET"]
NOW = int(time.time())
# The cases are made once for a run of many minutes: what must still be to come lies a day ahead.
LATER = NOW + 86_400


def b64(value: bytes | str | dict[str, Any]) -> str:
    data = json.dumps(value) if isinstance(value, dict) else value
    return base64.urlsafe_b64encode(data.encode() if isinstance(data, str) else data).rstrip(b"=").decode()


def signed(
    header: bytes | str | dict[str, Any], payload: bytes | str | dict[str, Any], secret: str = SECRET
) -> str:
    """A token with a right signature over anything."""
    text = f"{b64(header)}.{b64(payload)}"
    return f"{text}.{b64(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))}"


HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {"sub": "usr_ada", "exp": LATER}
UNSIGNED = f"{b64({'alg': 'none'})}.{b64(CLAIMS)}."

ATTACKS = {
    **{
        f"alg {name}": f"{b64({'alg': name})}.{b64(CLAIMS)}." for name in ("none", "None", "NONE", "nOnE", "")
    },
    "alg none with a signature": signed({"alg": "none"}, CLAIMS),
    "alg missing": signed({"typ": "JWT"}, CLAIMS),
    "alg null": signed({"alg": None}, CLAIMS),
    "alg a list": signed({"alg": ["HS256"]}, CLAIMS),
    "alg HS256 in small letters": signed({"alg": "hs256"}, CLAIMS),
    "alg twice": signed('{"alg":"none","alg":"HS256"}', CLAIMS),
    "alg RS256 signed with the secret": signed({"alg": "RS256"}, CLAIMS),
    "alg HS384": jwt.encode(CLAIMS, SECRET * 2, "HS384"),
    "alg HS512": jwt.encode(CLAIMS, SECRET * 2, "HS512"),
    "a key of its own": signed(HEADER | {"jwk": {"kty": "oct", "k": b64("x" * 32)}}, CLAIMS, "x" * 32),
    "a critical extension": signed(HEADER | {"crit": ["b64"], "b64": False}, CLAIMS),
    "another secret": signed(HEADER, CLAIMS, "another secret of at least 32 bytes"),
    "an empty secret": signed(HEADER, CLAIMS, ""),
    "expired": token(exp=NOW - 1),
    "exp of now": token(exp=NOW),
    "not yet valid": token(nbf=LATER),
    "issued in the future": token(iat=LATER),
    "no exp": token(exp=None),
    "no sub": signed(HEADER, {"exp": LATER}),
    "for an audience": token(aud="another service"),
    "exp a text": signed(HEADER, CLAIMS | {"exp": str(LATER)}),
    "exp a list": signed(HEADER, CLAIMS | {"exp": [LATER]}),
    "exp true": signed(HEADER, CLAIMS | {"exp": True}),
    "exp infinite": signed(HEADER, '{"sub":"usr_ada","exp":Infinity}'),
    "exp not a number": signed(HEADER, '{"sub":"usr_ada","exp":NaN}'),
    "exp huge": signed(HEADER, '{"sub":"usr_ada","exp":1e400}'),
    "exp with 2,500 digits": signed(HEADER, '{"sub":"usr_ada","exp":' + "9" * 2500 + "}"),
    "exp twice": signed(HEADER, f'{{"sub":"usr_ada","exp":1,"exp":{LATER}}}'),
    "sub twice": signed(HEADER, f'{{"sub":"usr_bob","sub":"usr_ada","exp":{LATER}}}'),
    "sub a number": signed(HEADER, CLAIMS | {"sub": 7}),
    "sub null": signed(HEADER, CLAIMS | {"sub": None}),
    "sub empty": signed(HEADER, CLAIMS | {"sub": ""}),
    "sub with a slash": signed(HEADER, CLAIMS | {"sub": "usr_ada/../usr_bob"}),
    "sub with a line break": signed(HEADER, CLAIMS | {"sub": "usr_ada\n"}),
    "sub too long": signed(HEADER, CLAIMS | {"sub": "u" * 256}),
    "nbf a text": signed(HEADER, CLAIMS | {"nbf": "now"}),
    "a list of claims": signed(HEADER, "[1]"),
    "deeply nested claims": signed(HEADER, "[" * 1400 + "]" * 1400),
    "claims that are not JSON": signed(HEADER, "{"),
    "claims that are not text": signed(HEADER, b"\xff\xfe"),
    "a header that is not JSON": signed("x", CLAIMS),
    "two segments": ".".join(token().split(".")[:2]),
    "four segments": token() + ".x",
    "five segments": "a.b.c.d.e",
    "no signature": ".".join(token().split(".")[:2]) + ".",
    "one bit of the signature": token()[:-5] + ("A" if token()[-5] != "A" else "B") + token()[-4:],
    "not base64": "!!!.???.***",
    "dots": "..",
    "nothing": "",
    "padded": f"{token()}=",
    "oversized": token(padding="x" * 1_000_000),
}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_an_attack_is_unauthorized(attack: str) -> None:
    with pytest.raises(Unauthorized):
        caller_of(f"Bearer {ATTACKS[attack]}", SECRET)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer  {}", "Token {}"]
)
def test_another_authorization_is_unauthorized(header: str | None) -> None:
    with pytest.raises(Unauthorized):
        caller_of(header.format(token()) if header else header, SECRET)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_valid_token_names_its_caller(scheme: str) -> None:
    assert caller_of(f"{scheme} {token()}", SECRET) == Caller("usr_ada")


def test_a_clock_that_is_a_little_ahead_is_no_attack() -> None:
    assert caller_of(f"Bearer {token(iat=int(time.time()) + 5)}", SECRET) == Caller("usr_ada")


def test_an_operator_is_one_by_the_role_in_the_token() -> None:
    assert caller_of(f"Bearer {token(role='operator')}", SECRET) == Caller("usr_ada", True)
    assert not caller_of(f"Bearer {token(role=['operator'])}", SECRET).is_operator
    assert not caller_of(f"Bearer {token(role='Operator')}", SECRET).is_operator


@given(st.text(max_size=400))
def test_garbage_is_unauthorized(text: str) -> None:
    with pytest.raises(Unauthorized):
        caller_of(f"Bearer {text}", SECRET)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_signed_garbage_is_unauthorized(header: bytes, payload: bytes) -> None:
    with pytest.raises(Unauthorized):
        caller_of(f"Bearer {signed(header, payload)}", SECRET)
