"""The artwork: what is recorded of it, and how a row of the table reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gallery.access.jwks import KeyCache
from gallery.isolate import HEALTH_SECONDS, Health, Recent, Refused
from gallery.queue import Queue
from gallery.variants import Variant

Row = Mapping[str, Any]


Statement = tuple[str, tuple[Any, ...]]


class Database(Protocol):
    async def batch(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Run the statements as one transaction; the rows of each. Raises DatabaseError."""
        ...


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What the store knows of an object; `etag` without quotes, `sha256` in hex where it was sent along."""

    key: str
    size: int
    etag: str
    content_type: str
    uploaded: float
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectBody:
    """An object being read: `stream` is the platform's own and goes to the client untouched."""

    info: ObjectInfo
    stream: object


class Objects(Protocol):
    """The bucket. Every method raises StorageError when the store fails."""

    async def head(self, key: str) -> ObjectInfo | None: ...

    async def open(self, key: str, span: tuple[int, int] | None = None) -> ObjectBody | None:
        """The object, or `(offset, length)` of it, as a stream."""
        ...

    async def read(self, key: str, offset: int, length: int) -> bytes | None: ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove at most 1,000 objects; those that are not there do not matter."""
        ...

    async def list(self, prefix: str, after: str, limit: int) -> tuple[list[ObjectInfo], bool]:
        """Objects in the order of their keys, those greater than `after`, and whether more follow."""
        ...


class Flags(Protocol):
    """The readiness flags: hints, written late and read stale. Raises StorageError."""

    async def get(self, name: str) -> str | None: ...

    async def put(self, name: str, value: str, lifetime: int) -> None: ...

    async def delete(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class RendererResponse:
    status: int
    retry_after: str | None
    body: str


class Renderer(Protocol):
    async def post(self, path: str, headers: Mapping[str, str], body: str) -> RendererResponse:
        """Ask the sibling. Raises StorageError when there is no answer."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """The gallery's page, as the static assets hold it."""

    headers: Mapping[str, str]
    text: str


class Pages(Protocol):
    async def read(self, origin: str) -> Page | None: ...


class Limiter(Protocol):
    async def allows(self, key: str) -> bool: ...


class Fetch(Protocol):
    async def __call__(self, url: str, longest: int, seconds: float) -> bytes:
        """The body of a 200 at a URL, no redirect followed. Raises StorageError, also beyond either bound."""
        ...


class Verify(Protocol):
    async def __call__(self, jwk: Mapping[str, str], algorithm: str, signature: bytes, signed: bytes) -> bool:
        """Whether a signature by RS256, ES256 or EdDSA is this public key's. Raises StorageError."""
        ...


class Purge(Protocol):
    async def __call__(self, api: str, zone: str, token: str, urls: Sequence[str]) -> None:
        """Take URLs out of the cache of a Cloudflare zone. Raises StorageError."""
        ...


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything outside the gateway, as one request sees it."""

    database: Database
    objects: Objects
    flags: Flags
    siblings: Mapping[Variant, Renderer]
    pages: Pages
    tickets: Limiter
    creates: Limiter
    fetch: Fetch
    verify: Verify
    purge: Purge
    keys: KeyCache
    reads: Limiter
    failures: Limiter
    refused: Refused
    log: Callable[[Mapping[str, Any]], None]
    gate: Queue
    background: Callable[[Awaitable[Any]], None]
    now: Callable[[], float]
    ticks: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]
    uuid: Callable[[], str]
    health: Health = field(default_factory=lambda: Recent(HEALTH_SECONDS))
