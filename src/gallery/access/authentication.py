"""Authentication: bearer tokens, signed with the gallery's secret or by its identity provider.

The user behind a token of the provider is created at the first sign-in where the settings say so.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import jwt
from jwt.api_jws import PyJWS

from gallery import strict_json
from gallery.access.jwks import KeyAccess, base64url
from gallery.artwork import User
from gallery.errors import InvalidRequest, StorageError, Suspended, Unauthorized, Unavailable
from gallery.keys import is_user_id
from gallery.names import USERNAME_LENGTH, username_from
from gallery.ports import Platform, Statement
from gallery.settings import Provider, Settings
from gallery.store import users
from gallery.store.database import first, only, transact
from gallery.store.users import user_of
from gallery.times import iso

SECRET_ALGORITHM = "HS256"  # noqa: S105 (the name of an algorithm)
PROVIDER_ALGORITHMS = ("RS256", "ES256", "EdDSA")
OPERATOR = "operator"
SKEW = 60  # seconds that the issuer's clock may be ahead of ours

_LONGEST_TOKEN = {SECRET_ALGORITHM: 4096} | dict.fromkeys(PROVIDER_ALGORITHMS, 16_384)
_LONGEST_HEADER = 1024
_LONGEST_SUBJECT = 255  # OpenID Connect Core, 2
_LONGEST_KID = 255
_TYPES = ("jwt", "at+jwt", "application/at+jwt")  # RFC 8725, 3.11; RFC 9068, 4
_TIMES = ("exp", "nbf", "iat")
_TOO_LONG = "This token is valid for too long. Please ask for one with an earlier end."
_REVOKED = "This session was ended. Please sign in again."

_jws = PyJWS(algorithms=[SECRET_ALGORITHM])


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a valid token identifies.

    The gallery's own tokens have no `issuer`, and their subject is a user's id. `username` is the token's
    name for the user, if any; `issued_at` is in seconds since 1970.
    """

    issuer: str | None
    subject: str
    issued_at: float | None
    is_operator: bool
    username: str | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request; `user` is None when the token is valid and there is no such user."""

    user_id: str
    is_operator: bool = False
    user: User | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    header: Mapping[str, Any]
    signature: bytes

    @property
    def algorithm(self) -> str:
        return str(self.header["alg"])

    @property
    def signed(self) -> bytes:
        return self.text.rpartition(".")[0].encode()


class _Refused(Exception):
    """The reason why a token is not valid: for the log, not for the response."""


async def identify(platform: Platform, settings: Settings, authorization: str | None) -> Identity:
    """Who an Authorization header identifies.

    Raises Unauthorized, and Unavailable without the provider's keys.
    """
    try:
        token = _token_of(authorization)
        issuer = settings.provider if token.algorithm in PROVIDER_ALGORITHMS else None
        if issuer is not None:
            await _verify_provider(platform, issuer, token)
        else:
            _verify_secret(settings.jwt_secret, token)
        claims = _object_of(_decoded(token.text.split(".")[1]))
        identity = _identity_of(claims, issuer, settings)
        _check_times(claims, platform.now(), settings.max_token_seconds)
    except _Refused as error:
        raise Unauthorized from error
    return identity


def _token_of(authorization: str | None) -> _Token:
    if authorization is None:
        raise _Refused("no token")
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer" or text.count(".") != 2:
        raise _Refused("no bearer token")
    if len(text) > max(_LONGEST_TOKEN.values()):
        raise _Refused("longer than any token")
    header, _, signature = text.split(".")
    if len(header) > _LONGEST_HEADER:
        raise _Refused("the header is too long")
    token = _Token(text, _object_of(_decoded(header)), _decoded(signature))
    _check_header(token.header)
    if len(text) > _LONGEST_TOKEN[token.algorithm]:
        raise _Refused("the token is too long")
    return token


def _check_header(header: Mapping[str, Any]) -> None:
    # Keys that a token contains or points at (jwk, jku, x5c, x5u) are never used (RFC 8725, 3.10).
    algorithm, kind, kid = header.get("alg"), header.get("typ", "JWT"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in _LONGEST_TOKEN:
        raise _Refused("the algorithm is not accepted")
    if "crit" in header or "b64" in header:
        raise _Refused("an extension is not understood")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise _Refused("another type of token")
    if not (kid is None or (isinstance(kid, str) and len(kid) <= _LONGEST_KID)):
        raise _Refused("kid is not the name of a key")


def _verify_secret(secret: str, token: _Token) -> None:
    # The header was parsed strictly above: a library that takes the last of two equal names may read another.
    if token.algorithm != SECRET_ALGORITHM:
        raise _Refused("the algorithm is not accepted")
    try:
        _jws.decode(token.text, secret, algorithms=[SECRET_ALGORITHM])
    except (jwt.PyJWTError, binascii.Error, ValueError) as error:
        raise _Refused(str(error)) from error


async def _verify_provider(platform: Platform, provider: Provider, token: _Token) -> None:
    access = KeyAccess(platform.fetch, platform.ticks, platform.sleep, platform.log)
    try:
        key = await platform.isolate.keys.find(
            provider.keys_url, token.header.get("kid"), token.algorithm, access
        )
    except StorageError as error:
        raise Unavailable from error
    if key is None:
        raise _Refused("no such key")
    if len(token.signature) != key.signature_bytes:
        raise _Refused("not a signature of this key")
    try:
        is_valid = await platform.verify(key.jwk, token.algorithm, token.signature, token.signed)
    except StorageError as error:
        raise _Refused(f"the key cannot be used: {error}") from error
    if not is_valid:
        raise _Refused("the signature is wrong")


def _identity_of(claims: Mapping[str, Any], provider: Provider | None, settings: Settings) -> Identity:
    subject, name = claims.get("sub"), claims.get(settings.username_claim)
    if not isinstance(subject, str) or not _is_subject(subject, provider):
        raise _Refused("sub is not a user")
    if provider is None:
        if "aud" in claims:
            raise _Refused("issued for another service")
        is_operator = claims.get("role") == OPERATOR
    else:
        _check_origin(claims, provider)
        is_operator = _is_operator(claims, provider)
    return Identity(
        issuer=provider.issuer if provider else None,
        subject=subject,
        issued_at=claims.get("iat"),
        is_operator=is_operator,
        username=name if isinstance(name, str) else None,
    )


def _is_subject(subject: str, provider: Provider | None) -> bool:
    if provider is None:
        return is_user_id(subject)
    return 0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()


def _check_origin(claims: Mapping[str, Any], provider: Provider) -> None:
    audiences = claims.get("aud")
    if claims.get("iss") != provider.issuer:
        raise _Refused("another issuer")
    if provider.audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise _Refused("another audience")


def _is_operator(claims: Mapping[str, Any], provider: Provider) -> bool:
    # A provider may use "role" for anything: only the claim in the settings makes an operator.
    if provider.operator is None:
        return False
    claim, value = provider.operator
    given = claims.get(claim)
    return value in given if isinstance(given, list) else value == given


def _check_times(claims: Mapping[str, Any], now: float, longest: float) -> None:
    times = {name: claims[name] for name in _TIMES if name in claims}
    if not all(map(_is_time, times.values())):
        raise _Refused("a time is not a number")
    if "exp" not in times or times["exp"] <= now:
        raise _Refused("expired")
    if times.get("nbf", 0) > now + SKEW or times.get("iat", 0) > now + SKEW:
        raise _Refused("not valid yet")
    if times["exp"] > now + longest + SKEW:
        raise Unauthorized(_TOO_LONG)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53


def _object_of(data: bytes) -> dict[str, Any]:
    try:
        return strict_json.parse_object(data)
    except InvalidRequest as error:
        raise _Refused(error.text) from error


def _decoded(segment: str) -> bytes:
    try:
        return base64url(segment)
    except ValueError as error:
        raise _Refused(str(error)) from error


def user_id_of(identity: Identity) -> str:
    """The id of the user; for a provider's subject, which may hold anything, its digest."""
    if identity.issuer is None:
        return identity.subject
    return f"usr_{_digest(identity)[:32]}"


async def caller_of(platform: Platform, settings: Settings, identity: Identity) -> Caller:
    """The caller with the user's record as it is now, which is created where the settings say so.

    Raises Unauthorized for a revoked token, Suspended, DatabaseError.
    """
    row = await only(platform, _lookup(identity))
    if row is None and settings.auto_create_users:
        insertion = _insertion(identity, settings.default_artwork_limit, iso(platform.now()))
        rows = await transact(platform, insert=insertion, found=_lookup(identity))
        row = first(rows["found"])
    if row is None:
        return Caller(user_id_of(identity), identity.is_operator)
    user = user_of(row)
    if _is_revoked(identity, user):
        raise Unauthorized(_REVOKED)
    if user.is_suspended:
        raise Suspended
    return Caller(user.id, identity.is_operator, user)


def _lookup(identity: Identity) -> Statement:
    if identity.issuer is None:
        return users.find(identity.subject)
    return users.find_by_subject(identity.issuer, identity.subject)


def _insertion(identity: Identity, limit: int, now: str) -> Statement:
    digest = _digest(identity)
    username = username_from(identity.username or "") or f"user-{digest[:8]}"
    return users.insert(
        id=user_id_of(identity),
        username=username,
        artwork_limit=limit,
        issuer=identity.issuer,
        subject=None if identity.issuer is None else identity.subject,
        created_at=now,
        other_username=f"{username[: USERNAME_LENGTH - 13]}-{digest[:12]}",
    )


def _is_revoked(identity: Identity, user: User) -> bool:
    # A token that does not say when it was issued may be of any age.
    issued = 0.0 if identity.issued_at is None else identity.issued_at
    return issued * 1000 < user.tokens_valid_after


def _digest(identity: Identity) -> str:
    return sha256(f"{identity.issuer or ''}\n{identity.subject}".encode()).hexdigest()
