"""The gateway's ports in memory: real SQL on sqlite, objects in a dictionary, renderers that write.

tests/support/gallery/contract.py holds them to what the real bindings do.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sqlite3
import time
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt

from gallery.errors import DatabaseError, StorageError
from gallery.ports import ListedObject, ObjectBody, ObjectInfo, Page, RendererResponse, Row, Statement
from gallery.store.database import d1_error
from gallery.variants import Variant

ROOT = Path(__file__).parents[3]
# What D1 sets of SQLite's limits (workerd's sqlite.c++; tests/integration/gallery asks D1 itself).
D1_LIMITS = {
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 32,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
}


class Pause:
    """How often a binding lets others run before it answers: never, or a random number of times by a seed."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = None if seed is None else random.Random(seed)  # noqa: S311

    async def some(self) -> None:
        for _ in range(self._random.randrange(6) if self._random else 0):
            await asyncio.sleep(0)


class SqliteDatabase:
    """D1 over sqlite, by the clock `now`. `faults` are raised one a call: before the transaction, or after it
    when `lost`. Before a transaction that runs a text with `slow[0]` in it, `slow[1]` is awaited, once.
    """

    def __init__(self, now: Callable[[], float] = time.time, pause: Pause | None = None) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        # From Python 3.13 on a connection that is never closed is a warning, and so a failure.
        weakref.finalize(self, self.connection.close)
        for limit, value in D1_LIMITS.items():
            self.connection.setlimit(limit, value)
        # Seconds since 1970 as a Julian day, which is how the statements ask for the time.
        self.connection.create_function("julianday", 1, lambda _: now() / 86400 + 2440587.5)
        self.pause = pause or Pause()
        self.slow: tuple[str, Callable[[], Awaitable[object]]] | None = None
        self.connection.row_factory = sqlite3.Row
        self.connection.executescript((ROOT / "schema.sql").read_text())
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.calls: list[Sequence[Statement]] = []
        self.faults: list[str | None] = []
        self.lost = False

    async def batch(self, statements: Sequence[Statement]) -> list[list[Row]]:
        self.calls.append(statements)
        fault = self.faults.pop(0) if self.faults else None
        if fault and not self.lost:
            raise d1_error(fault)
        await self.pause.some()
        if self.slow is not None and any(self.slow[0] in text for text, _ in statements):
            _, wait = self.slow
            self.slow = None
            await wait()
        answers = self._transaction(statements)
        await asyncio.sleep(0)
        if fault:
            raise d1_error(fault)
        return answers

    def _transaction(self, statements: Sequence[Statement]) -> list[list[Row]]:
        numbers = [value for _, values in statements for value in values if isinstance(value, int)]
        if any(abs(number) >= 2**53 - 1 for number in numbers):
            raise DatabaseError("D1_TYPE_ERROR: Type 'bigint' not supported")
        self.connection.execute("BEGIN")
        try:
            answers: list[list[Row]] = [[dict(r) for r in self.connection.execute(*s)] for s in statements]
        except sqlite3.Error as error:
            self.connection.execute("ROLLBACK")
            raise d1_error(f"D1_ERROR: {error}") from error
        self.connection.execute("COMMIT")
        return answers

    def rows(self, text: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in self.connection.execute(text, values)]


@dataclass(slots=True)
class Stored:
    data: bytes
    content_type: str
    uploaded: float
    sha256: str | None

    @property
    def etag(self) -> str:
        return hashlib.md5(self.data, usedforsecurity=False).hexdigest()


class MemoryObjects:
    """The bucket; `broken` names the methods that fail."""

    def __init__(self, now: Callable[[], float], pause: Pause) -> None:
        self.now = now
        self.pause = pause
        self.attempts: dict[str, int] = {}
        self.stored: dict[str, Stored] = {}
        self.broken: set[str] = set()
        self.asked: list[tuple[str, str]] = []

    def put(self, key: str, data: bytes, content_type: str, *, uploaded: float | None = None) -> Stored:
        digest = None if key.startswith("originals/") else hashlib.sha256(data).hexdigest()
        when = self.now() if uploaded is None else uploaded
        self.stored[key] = Stored(data, content_type, when, digest)
        return self.stored[key]

    async def head(self, key: str) -> ObjectInfo | None:
        await self._turn("head", key)
        return self._info(key) if key in self.stored else None

    async def open(self, key: str, span: tuple[int, int] | None = None) -> ObjectBody | None:
        await self._turn("open", key)
        if key not in self.stored:
            return None
        offset, length = span or (0, len(self.stored[key].data))
        return ObjectBody(self._info(key), self.stored[key].data[offset : offset + length])

    async def read(self, key: str, offset: int, length: int) -> bytes | None:
        await self._turn("read", key)
        return self.stored[key].data[offset : offset + length] if key in self.stored else None

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            await self._turn("delete", key)
            self.stored.pop(key, None)
            self.attempts.pop(key, None)

    async def list(self, prefix: str, after: str, limit: int) -> tuple[list[ListedObject], bool]:
        await self._turn("list", prefix)
        keys = sorted(key for key in self.stored if key.startswith(prefix) and key > after)
        page = [ListedObject(i.key, i.size, i.etag, i.uploaded) for i in map(self._info, keys[:limit])]
        return page, len(keys) > limit

    async def _turn(self, method: str, key: str) -> None:
        self.asked.append((method, key))
        await asyncio.sleep(0)
        await self.pause.some()
        if method in self.broken:
            raise StorageError(f"R2 {method} failed")

    def _info(self, key: str) -> ObjectInfo:
        s = self.stored[key]
        return ObjectInfo(key, len(s.data), s.etag, s.content_type, s.uploaded, s.sha256)


class MemoryFlags:
    """The readiness flags; a `broken` store fails, a `hanging` one never answers."""

    def __init__(self) -> None:
        self.stored: dict[str, str] = {}
        self.broken = False
        self.hanging = False

    async def get(self, name: str) -> str | None:
        await self._check()
        return self.stored.get(name)

    async def put(self, name: str, value: str, lifetime: int) -> None:
        await self._check()
        assert lifetime >= 60, "KV refuses a shorter lifetime"
        self.stored[name] = value

    async def delete(self, name: str) -> None:
        await self._check()
        self.stored.pop(name, None)

    async def _check(self) -> None:
        if self.broken:
            raise StorageError("KV is down")
        if self.hanging:
            await asyncio.Event().wait()


def written_response(request: Mapping[str, Any], stored: Stored, **changes: Any) -> RendererResponse:
    """The response of a renderer that wrote an object; None takes no field away, but is sent as null."""
    fields = {
        "success": True,
        "key": request["outputKey"],
        "width": 300,
        "height": 200,
        "bytes": len(stored.data),
        "sha256": stored.sha256,
        "etag": stored.etag,
        "renderMs": 5,
        "sourceWidth": 4000,
        "sourceHeight": 3000,
        "startedAt": 1_750_000_000_000,
        "finishedAt": 1_750_000_000_005,
        "dominantColor": "#a0b0c0",
        "thumbHash": "3OcRJYB4d3h/iIeHeEh3eIhw+j3A",
    }
    return RendererResponse(200, None, json.dumps(fields | changes))


class TooLate(Exception):
    """A later attempt has put the rendition."""


class WritingRenderer:
    """A renderer that writes its rendition and tells what it wrote, unless `fault` does something else.

    A `careless` one, of another program, overwrites what a later attempt has put.
    """

    def __init__(self, variant: Variant, objects: MemoryObjects) -> None:
        self.variant = variant
        self.objects = objects
        self.requests: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.careless = False
        self.style = ""
        self.fault: Callable[[WritingRenderer, dict[str, Any]], Awaitable[RendererResponse]] | None = None

    async def post(self, path: str, headers: Mapping[str, str], body: str) -> RendererResponse:
        if path == "/health":
            self.headers.append(headers)
            return await self.health()
        assert path == f"/process-{self.variant}"
        request = json.loads(body)
        self.requests.append(request)
        self.headers.append(headers)
        await asyncio.sleep(0)
        await self.objects.pause.some()
        try:
            if self.fault is not None:
                return await self.fault(self, request)
            return written_response(request, self.write(request), **self.narrower(request))
        except TooLate:
            return RendererResponse(409, None, '{"success":false,"error":"Too late.","code":"too_late"}')

    async def health(self) -> RendererResponse:
        return RendererResponse(200, None, '{"success":true}')

    def narrower(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Writes what is asked for in smaller widths; the field of the response, if there is one."""
        parts = []
        for part in request.get("narrower", ()):
            stored = self.write({**request, "outputKey": part["outputKey"]})
            fields = {"key": part["outputKey"], "width": part["width"], "height": part["width"] * 2 // 3}
            parts.append(fields | {"bytes": len(stored.data), "sha256": stored.sha256, "etag": stored.etag})
        return {"narrower": parts} if parts else {}

    def write(self, request: Mapping[str, Any]) -> Stored:
        """Render and put; the picture shows what it was made of, for whom, and the renderer's `style`."""
        key, attempt = request["outputKey"], request["attempt"]
        if not self.careless and self.objects.attempts.get(key, 0) > attempt:
            raise TooLate
        self.objects.attempts[key] = attempt
        source = request["sourceKey"], request["sourceEtag"], request.get("username", ""), self.style
        return self.objects.put(key, f"{self.variant} of {source}".encode(), "image/jpeg")


SHELL = """<!doctype html><html lang="en"><head>
    <title>Gallery</title>
    <meta name="description" content="of the shell">
    <!--head-->
    <script type="application/json" id="site">{}</script>
  </head><body><main><!--noscript-->
    <noscript>The page needs scripts.</noscript></main></body></html>"""


class OnePage:
    """The static assets; `page` is None when they were not built."""

    page: Page | None = Page({"Content-Type": "text/html", "Content-Security-Policy": "its own"}, SHELL)

    async def read(self, origin: str) -> Page | None:
        assert "://" in origin
        return self.page


@dataclass(slots=True)
class CountingLimiter:
    left: int = 1_000_000
    broken: bool = False
    keys: list[str] = field(default_factory=list)

    async def allows(self, key: str) -> bool:
        if self.broken:
            raise StorageError("no such binding")
        self.keys.append(key)
        self.left -= 1
        return self.left >= 0


class Web:
    """The Internet: what lies at a URL, or the fault that stands in its way; and what was purged."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.purged: list[tuple[str, str, str, list[str]]] = []
        self.fault: str | None = None

    async def fetch(self, url: str, longest: int, seconds: float) -> bytes:
        assert seconds > 0
        self.fetched.append(url)
        await self._turn()
        if url not in self.pages:
            raise StorageError("the status was 404")
        if len(self.pages[url]) > longest:
            raise StorageError(f"the body has more than {longest} bytes")
        return self.pages[url]

    async def purge(self, api: str, zone: str, token: str, urls: Sequence[str]) -> None:
        await self._turn()
        self.purged.append((api, zone, token, list(urls)))

    async def _turn(self) -> None:
        await asyncio.sleep(0)
        if self.fault:
            raise StorageError(self.fault)


async def verify(jwk: Mapping[str, str], algorithm: str, signature: bytes, signed: bytes) -> bool:
    """As WebCrypto verifies, by PyJWT and cryptography."""
    await asyncio.sleep(0)
    try:
        key = jwt.PyJWK(dict(jwk), algorithm)
    except jwt.PyJWTError as error:
        raise StorageError(str(error)) from error
    return bool(key.Algorithm.verify(signed, key.key, signature))
