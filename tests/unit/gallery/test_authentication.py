"""The gallery's own tokens: what RFC 8725 warns of is refused, and quickly."""

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
from tests.support.gallery.clock import run
from tests.support.gallery.tokens import token
from tests.support.gallery.world import SECRETS, START, World

from gallery.access.authentication import SKEW, Identity, identify
from gallery.errors import Unauthorized

SECRET = SECRETS["AUTH_JWT_SECRET"]
NOW = int(START)
LATER = NOW + 86_400
DAYS = 86_400


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
    "another type": signed(HEADER | {"typ": "dpop+jwt"}, CLAIMS),
    "a kid that is no text": signed(HEADER | {"kid": 7}, CLAIMS),
    "a long header": signed(HEADER | {"pad": "x" * 1024}, CLAIMS),
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


def identified(authorization: str | None, **settings: str) -> Identity:
    world = World(**settings)
    return run(identify(world.platform, world.settings, authorization))


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_an_attack_is_unauthorized(attack: str) -> None:
    with pytest.raises(Unauthorized) as refused:
        identified(f"Bearer {ATTACKS[attack]}")
    assert refused.value.text == Unauthorized.message


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer  {}", "Token {}"]
)
def test_another_authorization_is_unauthorized(header: str | None) -> None:
    with pytest.raises(Unauthorized):
        identified(header.format(token()) if header else header)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_valid_token_names_its_user(scheme: str) -> None:
    assert identified(f"{scheme} {token(iat=NOW)}") == Identity(None, "usr_ada", NOW, False, None)


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_clock_that_is_a_little_ahead_is_no_attack(name: str) -> None:
    assert identified(f"Bearer {signed(HEADER, CLAIMS | {name: NOW + SKEW})}").subject == "usr_ada"
    with pytest.raises(Unauthorized):
        identified(f"Bearer {signed(HEADER, CLAIMS | {name: NOW + SKEW + 1})}")


def test_an_end_is_an_end_for_every_clock() -> None:
    assert identified(f"Bearer {token(exp=NOW + 1)}").subject == "usr_ada"
    with pytest.raises(Unauthorized):
        identified(f"Bearer {token(exp=NOW)}")


@pytest.mark.parametrize(("setting", "days"), [({}, 30), ({"MAX_TOKEN_DAYS": "2"}, 2)])
def test_a_token_without_a_near_end_is_refused_and_told_so(setting: dict[str, str], days: int) -> None:
    assert identified(f"Bearer {token(exp=NOW + days * DAYS + SKEW)}", **setting).subject == "usr_ada"
    with pytest.raises(Unauthorized, match="valid for too long"):
        identified(f"Bearer {token(exp=NOW + days * DAYS + SKEW + 1)}", **setting)


def test_an_operator_is_one_by_the_role_in_the_token() -> None:
    assert identified(f"Bearer {token(role='operator')}").is_operator
    for role in (["operator"], "Operator", True, None, {"operator": True}):
        assert not identified(f"Bearer {token(role=role)}").is_operator


def test_a_signature_is_verified_before_its_payload_is_read() -> None:
    """Also what takes long to read costs nobody anything but who has the secret."""
    payload = b64(b'{"sub":"' + b'\\"' * 1200)
    for signature in ("", "x", b64(b"x" * 32)):
        with pytest.raises(Unauthorized) as refused:
            identified(f"Bearer {b64(HEADER)}.{payload}.{signature}")
        assert "JSON" not in str(refused.value.__cause__)
    with pytest.raises(Unauthorized) as refused:
        identified(f"Bearer {signed(HEADER, b'{' * 3)}")
    assert "JSON" in str(refused.value.__cause__)


def test_a_forged_token_costs_no_time() -> None:
    forged = [f"{b64(b'{' + (b'[' * 8) + unit * 300)}.{b64(CLAIMS)}.x" for unit in (b'\\"', b'"', b"[")]
    start = time.thread_time()
    for each in forged:
        with pytest.raises(Unauthorized):
            identified(f"Bearer {each}")
    assert time.thread_time() - start < 0.5


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_has_one_spelling(part: int) -> None:
    """The last letter of base64 may hold bits that nobody reads."""
    for padding in range(3):
        parts = signed(HEADER | {"pad": "x" * padding}, CLAIMS | {"pad": "x" * padding}).split(".")
        last = parts[part][-1]
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
            if letter != last:
                changed = [*parts[:part], parts[part][:-1] + letter, *parts[part + 1 :]]
                with pytest.raises(Unauthorized):
                    identified(f"Bearer {'.'.join(changed)}")


@given(st.text(max_size=400))
def test_garbage_is_unauthorized(text: str) -> None:
    with pytest.raises(Unauthorized):
        identified(f"Bearer {text}")


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_signed_garbage_is_unauthorized(header: bytes, payload: bytes) -> None:
    with pytest.raises(Unauthorized):
        identified(f"Bearer {signed(header, payload)}")
