"""Who is asking: bearer tokens, JWT with HS256 and nothing else."""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass
from typing import Any

import jwt

from gallery import strict_json
from gallery.errors import InvalidRequest, Unauthorized
from gallery.keys import is_user_id

ALGORITHM = "HS256"
OPERATOR = "operator"
_LONGEST_TOKEN = 4096
_SKEW = 60  # seconds that the clock of who issues tokens may be ahead of ours
_TIMES = ("exp", "nbf", "iat")


@dataclass(frozen=True, slots=True)
class Caller:
    user_id: str
    is_operator: bool = False


def caller_of(authorization: str | None, secret: str) -> Caller:
    """The caller named by an Authorization header. Raises Unauthorized for anything but a valid token."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= _LONGEST_TOKEN or token.count(".") != 2:
        raise Unauthorized
    if "=" in token:  # padding, without which the same token would have several spellings
        raise Unauthorized
    try:
        _check_shape(token)
        options: Any = {"require": ["exp", "sub"], "verify_iat": False}
        claims = jwt.decode(token, secret, algorithms=[ALGORITHM], options=options)
    except (jwt.PyJWTError, InvalidRequest, binascii.Error, ValueError) as error:
        raise Unauthorized from error
    if not is_user_id(claims["sub"]) or claims.get("iat", 0) > time.time() + _SKEW:
        raise Unauthorized
    return Caller(claims["sub"], claims.get("role") == OPERATOR)


def _check_shape(token: str) -> None:
    # A library that takes the last of two equal names may read another token than the one that was meant.
    header, payload, _ = token.split(".")
    if _segment(header).get("alg") != ALGORITHM:
        raise InvalidRequest
    claims = _segment(payload)
    if not all(_is_time(claims[name]) for name in _TIMES if name in claims):
        raise InvalidRequest


def _segment(text: str) -> dict[str, Any]:
    return strict_json.parse_object(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53
