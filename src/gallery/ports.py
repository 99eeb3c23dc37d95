"""What the gateway needs of its platform: each port has the few methods that are used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gallery.isolate import Isolate
from gallery.variants import Variant

Row = Mapping[str, Any]
Statement = tuple[str, tuple[Any, ...]]  # SQL with parameters ?1, ?2, … and their values


class Database(Protocol):
    async def batch(self, statements: Sequence[Statement]) -> Sequence[Sequence[Row]]:
        """Run the statements as one transaction; the rows of each. Raises DatabaseError."""
        ...


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What R2 knows of an object: `size` in bytes, `etag` without quotes, `uploaded` in seconds since 1970.

    `sha256` is in hexadecimal, None unless it was sent with the put.
    """

    key: str
    size: int
    etag: str
    content_type: str
    uploaded: float
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ListedObject:
    """What a listing tells of an object; units as in ObjectInfo."""

    key: str
    size: int
    etag: str
    uploaded: float


@dataclass(frozen=True, slots=True)
class ObjectBody:
    """An object being read: `stream` is the platform's own and goes to the client untouched."""

    info: ObjectInfo
    stream: object


class Objects(Protocol):
    """The bucket. Every method raises StorageError when R2 fails."""

    async def head(self, key: str) -> ObjectInfo | None: ...

    async def open(self, key: str, span: tuple[int, int] | None = None) -> ObjectBody | None:
        """The object, or `(offset, length)` of it, as a stream."""
        ...

    async def read(self, key: str, offset: int, length: int) -> bytes | None: ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete at most 1,000 objects; keys without an object are ignored."""
        ...

    async def list(self, prefix: str, after: str, limit: int) -> tuple[list[ListedObject], bool]:
        """Objects in the order of their keys, those after `after`, and whether more follow."""
        ...


class Flags(Protocol):
    """The readiness flags in KV: hints that may be read late. Every method raises StorageError."""

    async def get(self, name: str) -> str | None: ...

    async def put(self, name: str, value: str, lifetime: int) -> None:
        """Set a flag for `lifetime` seconds, at least 60."""
        ...

    async def delete(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class RendererResponse:
    status: int
    retry_after: str | None
    body: str


class Renderer(Protocol):
    async def post(self, path: str, headers: Mapping[str, str], body: str) -> RendererResponse:
        """Send a request through the service binding. Raises StorageError when there is no response."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """The gallery's HTML page, as the static assets hold it."""

    headers: Mapping[str, str]
    text: str


class Pages(Protocol):
    async def read(self, origin: str) -> Page | None:
        """The page, None when it was not built. Raises StorageError."""
        ...


class Limiter(Protocol):
    async def allows(self, key: str) -> bool:
        """Count one more for the key, and whether that is within the limit. Raises StorageError."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """The rate limits: of upload URLs and creates by user, of reads by user or network, of failed creates."""

    uploads: Limiter
    creates: Limiter
    reads: Limiter
    failures: Limiter


class Fetch(Protocol):
    async def __call__(self, url: str, longest: int, seconds: float) -> bytes:
        """The body of a response with status 200, at most `longest` bytes; redirects are not followed.

        Raises StorageError, also when either bound is exceeded.
        """
        ...


class Verify(Protocol):
    async def __call__(self, jwk: Mapping[str, str], algorithm: str, signature: bytes, signed: bytes) -> bool:
        """Whether a signature (RS256, ES256 or EdDSA) was made with this public key. Raises StorageError."""
        ...


class Purge(Protocol):
    async def __call__(self, api: str, zone: str, token: str, urls: Sequence[str]) -> None:
        """Delete URLs from the cache of a Cloudflare zone. Raises StorageError."""
        ...


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything outside the gateway, as one request sees it.

    `now` is in seconds since 1970, `ticks` in seconds of a steady clock. `background` keeps work alive after
    the response.
    """

    database: Database
    objects: Objects
    flags: Flags
    renderers: Mapping[Variant, Renderer]
    pages: Pages
    limits: Limits
    fetch: Fetch
    verify: Verify
    purge: Purge
    isolate: Isolate
    log: Callable[[Mapping[str, Any]], None]
    background: Callable[[Awaitable[Any]], None]
    now: Callable[[], float]
    ticks: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]
    uuid: Callable[[], str]
