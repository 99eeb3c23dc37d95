"""The public keys of an identity provider: a JWK set (RFC 7517), kept in the isolate and refreshed."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gallery import strict_json
from gallery.errors import InvalidRequest, StorageError

LONGEST_SET = 64 * 1024
MOST_KEYS = 32
FRESH_SECONDS = 3600.0
PAUSE_SECONDS = 60.0  # between two readings, however many tokens name keys that do not exist
FIRST_PAUSE_SECONDS = 5.0  # while no keys are known at all
FETCH_SECONDS = 5.0
POLL_SECONDS = 0.05
_RSA_BITS = range(2048, 8193)  # RFC 7518, 3.3: at least 2048
_LONGEST_EXPONENT = 8

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Key:
    """One public key, good for one algorithm; `jwk` holds its public members and nothing else."""

    kid: str | None
    algorithm: str
    jwk: Mapping[str, str]
    signature_bytes: int


def base64url(text: str) -> bytes:
    """The bytes of unpadded base64url (RFC 7515, 2). Raises ValueError for a second spelling of any bytes."""
    if not _SEGMENT.fullmatch(text):
        raise ValueError("not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if base64.urlsafe_b64encode(data).rstrip(b"=") != text.encode():
        raise ValueError("not canonical base64url")
    return data


def keys_of(data: bytes) -> tuple[Key, ...]:
    """The keys of a JWK set that can verify here; others are passed over. Raises ValueError."""
    try:
        listed = strict_json.parse_object(data).get("keys")
    except InvalidRequest as error:
        raise ValueError(error.text) from error
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise ValueError(f'"keys" is no list of at most {MOST_KEYS} keys')
    return tuple(key for each in listed if isinstance(each, dict) and (key := _key_of(each)))


def _key_of(jwk: Mapping[str, Any]) -> Key | None:
    kid, uses = jwk.get("kid"), jwk.get("key_ops", ["verify"])
    for_signatures = jwk.get("use", "sig") == "sig" and isinstance(uses, list) and "verify" in uses
    if not for_signatures or not (kid is None or isinstance(kid, str)):
        return None
    # The algorithm follows from the key, never from the token (RFC 8725, 3.1).
    match jwk.get("kty"), jwk.get("crv"):
        case "RSA", None:
            return _rsa(kid, jwk)
        case "EC", "P-256" if jwk.get("alg", "ES256") == "ES256":
            return _curve(kid, "ES256", jwk, {"kty": "EC", "crv": "P-256"}, ("x", "y"))
        case "OKP", "Ed25519" if jwk.get("alg", "EdDSA") in ("EdDSA", "Ed25519"):
            return _curve(kid, "EdDSA", jwk, {"kty": "OKP", "crv": "Ed25519"}, ("x",))
    return None


def _rsa(kid: str | None, jwk: Mapping[str, Any]) -> Key | None:
    modulus, exponent = (_number(jwk.get(name)) for name in ("n", "e"))
    if jwk.get("alg", "RS256") != "RS256" or not modulus or not exponent:
        return None
    odd = modulus[-1] & exponent[-1] & 1
    value = int.from_bytes(modulus, "big")
    if not odd or value.bit_length() not in _RSA_BITS or len(exponent) > _LONGEST_EXPONENT:
        return None
    if int.from_bytes(exponent, "big") < 3:
        return None
    return Key(kid, "RS256", {"kty": "RSA", "n": jwk["n"], "e": jwk["e"]}, len(modulus.lstrip(b"\0")))


def _curve(
    kid: str | None, algorithm: str, jwk: Mapping[str, Any], fixed: dict[str, str], names: tuple[str, ...]
) -> Key | None:
    points = [_number(jwk.get(name)) for name in names]
    if any(point is None or len(point) != 32 for point in points):
        return None
    return Key(kid, algorithm, fixed | {name: jwk[name] for name in names}, 64)


def _number(value: object) -> bytes | None:
    try:
        return base64url(value) if isinstance(value, str) else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Outside:
    """What the cache needs of the platform; `fetch(url, longest, seconds)` raises StorageError."""

    fetch: Callable[[str, int, float], Awaitable[bytes]]
    ticks: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    log: Callable[[Mapping[str, Any]], None]


class KeyCache:
    """The keys of one provider, as one isolate knows them.

    Requests of an isolate share what is known, but none is woken from inside another: on Workers they wait by
    timer. A set that cannot be read leaves the known keys as they are.
    """

    def __init__(self) -> None:
        self._keys: tuple[Key, ...] | None = None
        self._read_at = float("-inf")
        self._asked_at = float("-inf")
        self._asking = False

    async def find(self, url: str, kid: str | None, algorithm: str, outside: Outside) -> Key | None:
        """The key of this name and algorithm. Raises StorageError while no keys could be read at all.

        A token without `kid` means the only key of its algorithm, if there is only one.
        """
        known = bool(self._named(kid, algorithm))
        stale = outside.ticks() - self._read_at >= FRESH_SECONDS
        if not known:
            while self._is_asking(outside):
                await outside.sleep(POLL_SECONDS)
            known = bool(self._named(kid, algorithm))
        if (stale or not known) and not self._is_asking(outside):
            await self._refresh(url, outside)
        if self._keys is None:
            raise StorageError("the keys of the identity provider cannot be read")
        found = self._named(kid, algorithm)
        return found[0] if len(found) == 1 else None

    def _named(self, kid: str | None, algorithm: str) -> list[Key]:
        return [k for k in self._keys or () if k.algorithm == algorithm and kid in (None, k.kid)]

    def _is_asking(self, outside: Outside) -> bool:
        # The platform may drop a request that then never resumes.
        return self._asking and outside.ticks() - self._asked_at <= FETCH_SECONDS + 1

    async def _refresh(self, url: str, outside: Outside) -> None:
        pause = FIRST_PAUSE_SECONDS if self._keys is None else PAUSE_SECONDS
        if outside.ticks() - self._asked_at < pause:
            return
        self._asking, self._asked_at = True, outside.ticks()
        try:
            self._keys = keys_of(await outside.fetch(url, LONGEST_SET, FETCH_SECONDS))
            self._read_at = outside.ticks()
        except (StorageError, ValueError) as error:
            outside.log({"event": "keys_failed", "reason": str(error)})
        finally:
            self._asking = False
