"""Tokens of an identity provider: each attack of RFC 8725 against each algorithm."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.gallery.clock import run
from tests.support.gallery.providers import (
    ALGORITHMS,
    AUDIENCE,
    ISSUER,
    JWKS_URL,
    SETTINGS,
    jwk,
    key_set,
    kid_of,
    private_key,
    provider_token,
)
from tests.support.gallery.tokens import token
from tests.support.gallery.world import SECRETS, START, World

from gallery.access.authentication import SKEW, Identity, identify
from gallery.access.jwks import FRESH_SECONDS, LONGEST_SET, PAUSE_SECONDS
from gallery.errors import Unauthorized, Unavailable

DAY = 86_400


def world(keys: bytes | None = None, **changes: str) -> World:
    made = World(**(SETTINGS | changes))
    made.web.pages[JWKS_URL] = key_set() if keys is None else keys
    return made


def identified(text: str, where: World | None = None) -> Identity:
    where = where or world()
    return run(identify(where.platform, where.settings, f"Bearer {text}"))


def refusal(text: str, where: World | None = None) -> str:
    """Why a token is refused, as the log has it."""
    with pytest.raises(Unauthorized) as caught:
        identified(text, where)
    return str(caught.value.__cause__ or caught.value)


def signed(algorithm: str = "RS256", number: int = 0, **changes: Any) -> str:
    return provider_token(algorithm, number, now=START, **changes)


def b64(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_the_provider_names_its_user(algorithm: str) -> None:
    expected = Identity(ISSUER, "auth0|ada", START, False, "ada")
    assert identified(signed(algorithm)) == expected
    assert identified(signed(algorithm, aud=["other", AUDIENCE])) == expected
    assert identified(signed(algorithm, header={"typ": "at+jwt"})) == expected
    assert identified(signed(algorithm, header={"typ": None, "kid": None})) == expected


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_both_kinds_of_token_are_good_at_once(algorithm: str) -> None:
    where = world()
    assert identified(signed(algorithm), where).issuer == ISSUER
    assert identified(token(), where) == Identity(None, "usr_ada", None, False, None)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_without_a_provider_only_the_gallerys_own_tokens_are_good(algorithm: str) -> None:
    where = World()
    where.web.pages[JWKS_URL] = key_set()
    assert refusal(signed(algorithm), where)
    assert where.web.fetched == []


def public_bytes(algorithm: str) -> list[bytes]:
    key = private_key(algorithm).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return [pem, pem.strip(), json.dumps(jwk(algorithm)).encode(), jwk(algorithm).get("n", "").encode()]


def by_hand(header: dict[str, Any], sign: Callable[[bytes], bytes], **claims: Any) -> str:
    text = f"{b64(header)}.{signed(**claims).split('.')[1]}"
    return f"{text}.{b64(sign(text.encode()))}"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_public_key_is_no_secret(algorithm: str) -> None:
    """RFC 8725, 2.1: the public key, taken for the secret of HS256."""
    for header in ({"alg": "HS256"}, {"alg": "HS256", "kid": kid_of(algorithm)}):
        for key in public_bytes(algorithm):
            text = f"{b64(header)}.{signed(algorithm).split('.')[1]}"
            forged = f"{text}.{b64(hmac.digest(key, text.encode(), hashlib.sha256))}"
            assert refusal(forged) == "Signature verification failed"


@pytest.mark.parametrize(
    "name", ["none", "None", "NONE", "", "HS512", "RS512", "PS256", "ES384", "Ed25519", "ES256K"]
)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_algorithm_that_was_not_named_is_refused(algorithm: str, name: str) -> None:
    good = signed(algorithm)
    header = b64({"alg": name, "typ": "JWT", "kid": kid_of(algorithm)})
    _, payload, signature = good.split(".")
    assert refusal(f"{header}.{payload}.{signature}") == "the algorithm is not accepted"
    assert refusal(f"{header}.{payload}.")


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_good_for_its_own_algorithm_only(algorithm: str, name: str) -> None:
    if name == algorithm:
        return
    header = b64({"alg": name, "kid": kid_of(algorithm)})
    _, payload, signature = signed(algorithm).split(".")
    assert refusal(f"{header}.{payload}.{signature}") == "no such key"


def test_another_padding_of_the_same_rsa_key_is_refused() -> None:
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    forged = by_hand(
        {"alg": "RS256", "kid": "RS256-0"}, lambda data: bytes(private_key("RS256").sign(data, pss, SHA256()))
    )
    assert refusal(forged) == "the signature is wrong"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_of_somebody_else_is_refused(algorithm: str) -> None:
    assert refusal(signed(algorithm, 1, header={"kid": kid_of(algorithm)})) == "the signature is wrong"
    assert refusal(signed(algorithm, 1)) == "no such key"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "kid", ["../../../dev/null", "' OR 1=1 --", "\0", "", "x" * 255, "https://evil.example/keys"]
)
def test_a_kid_is_a_name_and_nothing_else(algorithm: str, kid: str) -> None:
    where = world()
    assert refusal(signed(algorithm, header={"kid": kid}), where) == "no such key"
    assert set(where.web.fetched) == {JWKS_URL}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kid", [7, ["RS256-0"], {"a": 1}, True, "x" * 256])
def test_a_kid_that_is_no_name_is_refused(algorithm: str, kid: object) -> None:
    header = b64({"alg": algorithm, "kid": kid})
    _, payload, signature = signed(algorithm).split(".")
    assert refusal(f"{header}.{payload}.{signature}") == "kid is not the name of a key"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_a_token_brings_along_is_not_looked_at(algorithm: str, member: str) -> None:
    value = {
        "jwk": jwk(algorithm, 1),
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example/x",
        "x5c": ["MIIB"],
    }[member]
    where = world()
    where.web.pages["https://evil.example/keys"] = key_set(jwk(algorithm, 1))
    forged = signed(algorithm, 1, header={member: value, "kid": kid_of(algorithm)})
    assert refusal(forged, where) == "the signature is wrong"
    assert set(where.web.fetched) == {JWKS_URL}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("extension", [{"crit": ["exp"]}, {"crit": []}, {"crit": ["x"], "x": 1}])
def test_a_critical_extension_is_refused(algorithm: str, extension: dict[str, Any]) -> None:
    header = {"alg": algorithm, "kid": kid_of(algorithm)} | extension
    _, payload, signature = signed(algorithm).split(".")
    assert refusal(f"{b64(header)}.{payload}.{signature}") == "an extension is not understood"


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "no issuer": {"iss": None},
    "another issuer": {"iss": "https://login.example"},
    "a list of issuers": {"iss": [ISSUER]},
    "no audience": {"aud": None},
    "another audience": {"aud": "https://other.example"},
    "no audience in a list": {"aud": []},
    "other audiences": {"aud": ["a", "b"]},
    "part of the audience": {"aud": AUDIENCE[:-1]},
    "expired": {"exp": int(START)},
    "no end": {"exp": None},
    "an end that is a text": {"exp": str(int(START) + 60)},
    "not valid yet": {"nbf": int(START) + SKEW + 1},
    "issued in the future": {"iat": int(START) + SKEW + 1},
    "valid for too long": {"exp": int(START) + 31 * DAY},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a long subject": {"sub": "x" * 256},
    "a subject with a line break": {"sub": "auth0|ada\n"},
    "a subject that is a number": {"sub": 7},
}


def claimed(algorithm: str, claims: dict[str, Any]) -> str:
    """A token with these claims, also those that PyJWT would not sign."""
    payload = json.loads(base64.urlsafe_b64decode(signed(algorithm).split(".")[1] + "=="))
    payload = {n: v for n, v in (payload | claims).items() if v is not None}
    return jwt.PyJWS().encode(
        json.dumps(payload).encode(), private_key(algorithm), algorithm, {"kid": kid_of(algorithm)}
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", WRONG_CLAIMS)
def test_a_token_with_a_good_signature_and_a_wrong_claim_is_refused(algorithm: str, name: str) -> None:
    assert identified(claimed(algorithm, {})).subject == "auth0|ada"
    refusal(claimed(algorithm, WRONG_CLAIMS[name]))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", ["dpop+jwt", "logout+jwt", "secevent+jwt", "JWE", "", 7, None, ["JWT"]])
def test_another_type_of_token_is_refused(algorithm: str, kind: object) -> None:
    header = {"alg": algorithm, "kid": kid_of(algorithm), "typ": kind}
    _, payload, signature = signed(algorithm).split(".")
    assert refusal(f"{b64(header)}.{payload}.{signature}") == "another type of token"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_changed_token_is_refused(algorithm: str) -> None:
    header, payload, signature = signed(algorithm).split(".")
    other = signed(algorithm, sub="auth0|bob").split(".")[1]
    zeros = b64(bytes(256 if algorithm == "RS256" else 64))
    assert refusal(f"{header}.{other}.{signature}") == "the signature is wrong"
    assert refusal(f"{header}.{payload}.{zeros}") == "the signature is wrong"
    data = base64.urlsafe_b64decode(signature + "==")
    assert refusal(f"{header}.{payload}.{b64(data[:-1])}") == "not a signature of this key"
    assert refusal(f"{header}.{payload}.{b64(data + b'x')}") == "not a signature of this key"
    assert refusal(f"{header}.{payload}.")


def test_a_signature_of_ecdsa_in_der_is_refused() -> None:
    forged = by_hand(
        {"alg": "ES256", "kid": "ES256-0"},
        lambda data: bytes(private_key("ES256").sign(data, ec.ECDSA(SHA256()))),
    )
    assert refusal(forged) == "not a signature of this key"


def test_the_secret_signs_no_token_of_the_provider() -> None:
    secret = SECRETS["AUTH_JWT_SECRET"]
    forged = by_hand({"alg": "HS256"}, lambda data: hmac.digest(secret.encode(), data, hashlib.sha256))
    assert refusal(forged) == "issued for another service"
    own = jwt.encode({"sub": "usr_ada", "iss": ISSUER, "aud": AUDIENCE, "exp": START + 60}, secret)
    assert refusal(own) == "issued for another service"


def test_a_role_of_the_provider_makes_no_operator_unless_it_was_named() -> None:
    claims: dict[str, Any] = {"role": "operator", "roles": ["operator"], "https://x.example/roles": ["boss"]}
    text = signed(**claims)
    assert not identified(text).is_operator
    for setting, expected in {
        "role=operator": True,
        "roles=operator": True,
        "https://x.example/roles=boss": True,
        "role=oper": False,
        "roles=boss": False,
        "groups=operator": False,
    }.items():
        assert identified(text, world(AUTH_OPERATOR_CLAIM=setting)).is_operator is expected, setting
        assert not identified(token(roles=["operator"]), world(AUTH_OPERATOR_CLAIM=setting)).is_operator


def test_a_claim_that_was_named_calls_the_user() -> None:
    where = world(AUTH_USERNAME_CLAIM="nickname")
    assert identified(signed(nickname="Ada L."), where).username == "Ada L."
    assert identified(signed(nickname=["ada"]), where).username is None
    assert identified(signed(), where).username is None


def test_keys_are_read_once_and_again_after_an_hour() -> None:
    where = world()
    for _ in range(20):
        identified(signed(), where)
    assert len(where.web.fetched) == 1
    where.time += FRESH_SECONDS
    identified(signed(exp=int(START) + 2 * DAY), where)
    assert len(where.web.fetched) == 2


def test_a_new_key_is_found_at_once_and_an_old_one_forgotten() -> None:
    where = world(key_set(jwk("RS256", 0)))
    identified(signed(), where)
    where.time += PAUSE_SECONDS
    where.web.pages[JWKS_URL] = key_set(jwk("RS256", 1))
    assert identified(signed(number=1), where).subject == "auth0|ada"
    assert refusal(signed(), where) == "no such key"


def test_names_of_keys_that_do_not_exist_cost_one_reading_a_minute() -> None:
    where = world()
    for number in range(100):
        refusal(signed(header={"kid": f"unknown-{number}"}), where)
    assert len(where.web.fetched) == 1
    where.time += PAUSE_SECONDS
    for number in range(100):
        refusal(signed(header={"kid": f"unknown-{number}"}), where)
    assert len(where.web.fetched) == 2


BROKEN_SETS = {
    "not JSON": b"<html>",
    "no object": b"[]",
    "no keys": b"{}",
    "keys that are no list": b'{"keys":{}}',
    "too many keys": json.dumps({"keys": [jwk("EdDSA", kid=str(n)) for n in range(33)]}).encode(),
    "too large": json.dumps({"keys": [], "pad": "x" * LONGEST_SET}).encode(),
    "nested deeply": b'{"keys":' + b"[" * 500 + b"]" * 500 + b"}",
}


@pytest.mark.parametrize("name", BROKEN_SETS)
def test_a_set_that_cannot_be_read_leaves_the_known_keys(name: str) -> None:
    where = world()
    identified(signed(), where)
    where.time += FRESH_SECONDS
    where.web.pages[JWKS_URL] = BROKEN_SETS[name]
    assert identified(signed(exp=int(START) + DAY), where).subject == "auth0|ada"
    assert [event["event"] for event in where.events] == ["keys_failed"]


def test_a_provider_that_cannot_be_reached_leaves_the_known_keys() -> None:
    where = world()
    identified(signed(), where)
    where.web.fault = "connection refused"
    for _ in range(3):
        where.time += FRESH_SECONDS
        assert identified(signed(exp=int(START) + DAY), where).subject == "auth0|ada"
    assert len(where.web.fetched) == 4


def test_without_any_keys_the_answer_is_to_try_again() -> None:
    where = world()
    where.web.fault = "connection refused"
    for _ in range(10):
        with pytest.raises(Unavailable):
            identified(signed(), where)
    assert len(where.web.fetched) == 1
    assert identified(token(), where).subject == "usr_ada"
    where.web.fault = None
    where.time += 5
    assert identified(signed(), where).subject == "auth0|ada"


async def test_requests_that_come_together_read_the_keys_once() -> None:
    where = world()
    header = f"Bearer {signed()}"
    await asyncio.gather(*(identify(where.platform, where.settings, header) for _ in range(20)))
    assert len(where.web.fetched) == 1


UNUSABLE_KEYS = {
    "for encryption": jwk("RS256", use="enc"),
    "for signing only": jwk("RS256", key_ops=["sign"]),
    "for RS512": jwk("RS256", alg="RS512"),
    "for PS256": jwk("RS256", alg="PS256"),
    "a private kind": {"kty": "oct", "k": b64(b"x" * 32), "kid": "RS256-0", "alg": "RS256"},
    "an even modulus": jwk("RS256", n=b64(b"\xff" * 255 + b"\xfe")),
    "a small exponent": jwk("RS256", e="AQ"),
    "no exponent": jwk("RS256", e=None),
    "a modulus with padding": jwk("RS256", n=jwk("RS256")["n"] + "=="),
    "a kid that is no text": jwk("RS256", kid=7),
    "no object": 7,
}


@pytest.mark.parametrize("name", UNUSABLE_KEYS)
def test_a_key_that_is_not_for_this_is_passed_over(name: str) -> None:
    keys: Any = UNUSABLE_KEYS[name]
    assert refusal(signed(), world(key_set(keys))) == "no such key"
    assert identified(signed("ES256"), world(key_set(keys, jwk("ES256")))).subject == "auth0|ada"


def test_a_short_rsa_key_is_passed_over() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 (that is the point)
    members = jwt.algorithms.RSAAlgorithm.to_jwk(short.public_key(), as_dict=True) | {"kid": "RS256-0"}
    forged = by_hand(
        {"alg": "RS256", "kid": "RS256-0"}, lambda data: short.sign(data, padding.PKCS1v15(), SHA256())
    )
    assert refusal(forged, world(key_set(dict(members)))) == "no such key"


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1()], ids=lambda c: c.name)
def test_another_curve_is_passed_over(curve: Any) -> None:
    other = ec.generate_private_key(curve)
    members = jwt.algorithms.ECAlgorithm.to_jwk(other.public_key(), as_dict=True) | {"kid": "ES256-0"}
    assert refusal(signed("ES256"), world(key_set(dict(members)))) == "no such key"


def test_a_point_that_is_on_no_curve_verifies_nothing() -> None:
    bogus = jwk("ES256", x=b64(b"\x01" * 32))
    assert refusal(signed("ES256"), world(key_set(bogus))).startswith("the key cannot be used")


def test_two_keys_of_one_name_are_none() -> None:
    pair = key_set(jwk("RS256", 0), jwk("RS256", 1, kid=kid_of("RS256")))
    assert refusal(signed(), world(pair)) == "no such key"


def test_without_a_name_one_of_two_keys_is_not_guessed() -> None:
    pair = key_set(jwk("RS256", 0), jwk("RS256", 1))
    assert refusal(signed(header={"kid": None}), world(pair)) == "no such key"
