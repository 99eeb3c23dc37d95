"""The public keys of an identity provider: a JWK set (RFC 7517), cached in the isolate."""

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
PAUSE_SECONDS = 60.0  # between two fetches, however many tokens name keys that do not exist
FIRST_PAUSE_SECONDS = 5.0  # while no keys are known at all
FETCH_SECONDS = 5.0
POLL_SECONDS = 0.05
_RSA_BITS = range(2048, 8193)  # RFC 7518, 3.3: at least 2048
_LONGEST_EXPONENT = 8

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Key:
    """One public key for one algorithm; `jwk` has its public members and nothing else."""

    kid: str | None
    algorithm: str
    jwk: Mapping[str, str]
    signature_bytes: int


def base64url(text: str) -> bytes:
    """The bytes of unpadded base64url (RFC 7515, 2). Raises ValueError for a non-canonical spelling."""
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
    """The keys of a JWK set that can verify tokens here; others are ignored. Raises ValueError."""
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
class KeyAccess:
    """What the cache needs of the platform. `fetch(url, longest, seconds)` raises StorageError."""

    fetch: Callable[[str, int, float], Awaitable[bytes]]
    ticks: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    log: Callable[[Mapping[str, Any]], None]


class KeyCache:
    """The keys of one provider, cached in an isolate.

    While one request fetches them, others wait by timer: on Workers, a request must not wait for a promise of
    another. When a fetch fails, the known keys stay.
    """

    def __init__(self) -> None:
        self._keys: tuple[Key, ...] | None = None
        self._read_at = float("-inf")
        self._fetched_at = float("-inf")
        self._fetching = False

    async def find(self, url: str, kid: str | None, algorithm: str, access: KeyAccess) -> Key | None:
        """The key with this id and algorithm, None when there is none. Raises StorageError without any keys.

        A token without `kid` means the only key of its algorithm.
        """
        known = bool(self._named(kid, algorithm))
        stale = access.ticks() - self._read_at >= FRESH_SECONDS
        if not known:
            while self._is_fetching(access):
                await access.sleep(POLL_SECONDS)
            known = bool(self._named(kid, algorithm))
        if (stale or not known) and not self._is_fetching(access):
            await self._refresh(url, access)
        if self._keys is None:
            raise StorageError("the keys of the identity provider cannot be read")
        found = self._named(kid, algorithm)
        return found[0] if len(found) == 1 else None

    def _named(self, kid: str | None, algorithm: str) -> list[Key]:
        return [k for k in self._keys or () if k.algorithm == algorithm and kid in (None, k.kid)]

    def _is_fetching(self, access: KeyAccess) -> bool:
        # The platform may drop a request that then never resumes.
        return self._fetching and access.ticks() - self._fetched_at <= FETCH_SECONDS + 1

    async def _refresh(self, url: str, access: KeyAccess) -> None:
        pause = FIRST_PAUSE_SECONDS if self._keys is None else PAUSE_SECONDS
        if access.ticks() - self._fetched_at < pause:
            return
        self._fetching, self._fetched_at = True, access.ticks()
        try:
            self._keys = keys_of(await access.fetch(url, LONGEST_SET, FETCH_SECONDS))
            self._read_at = access.ticks()
        except (StorageError, ValueError) as error:
            access.log({"event": "keys_failed", "reason": str(error)})
        finally:
            self._fetching = False
