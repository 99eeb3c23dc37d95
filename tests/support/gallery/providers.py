"""An identity provider for the tests: keys by cryptography, tokens by PyJWT."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

JWKS_URL = "https://login.example/.well-known/jwks.json"
ISSUER = "https://login.example/"
AUDIENCE = "https://gallery.example"
SETTINGS = {"AUTH_JWKS_URL": JWKS_URL, "AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": AUDIENCE}
ALGORITHMS = ("RS256", "ES256", "EdDSA")


_MAKERS: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
_TO_JWK: dict[str, Callable[..., Any]] = {
    "RS256": RSAAlgorithm.to_jwk,
    "ES256": ECAlgorithm.to_jwk,
    "EdDSA": OKPAlgorithm.to_jwk,
}
_keys: dict[tuple[str, int], Any] = {}


def private_key(algorithm: str, number: int = 0) -> Any:
    """One of the provider's keys; equal arguments give the same one."""
    if (algorithm, number) not in _keys:
        _keys[algorithm, number] = _MAKERS[algorithm]()
    return _keys[algorithm, number]


def jwk(algorithm: str, number: int = 0, **changes: Any) -> dict[str, Any]:
    """The public half, as a provider publishes it; None takes a member away."""
    public = private_key(algorithm, number).public_key()
    members = dict(_TO_JWK[algorithm](public, as_dict=True))
    members |= {"kid": kid_of(algorithm, number), "use": "sig", "alg": algorithm} | changes
    return {name: value for name, value in members.items() if value is not None}


def kid_of(algorithm: str, number: int = 0) -> str:
    return f"{algorithm}-{number}"


def key_set(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys or [jwk(each) for each in ALGORITHMS]}).encode()


def provider_token(
    algorithm: str = "RS256",
    number: int = 0,
    *,
    now: float,
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """A token for `auth0|ada` as the provider issues it; None takes a claim or a header away."""
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "auth0|ada",
        "preferred_username": "ada",
        "iat": int(now),
        "exp": int(now) + 3600,
    } | claims
    given = {"kid": kid_of(algorithm, number)} | (header or {})
    return jwt.encode(
        {name: value for name, value in payload.items() if value is not None},
        private_key(algorithm, number),
        algorithm=algorithm,
        headers={name: value for name, value in given.items() if value is not None},
    )
