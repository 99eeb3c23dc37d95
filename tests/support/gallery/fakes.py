"""The gateway's ports in memory: objects in a dictionary, renderers that write.

contract.py holds the database, the bucket, the flags, the limiter and `verify` to what the real bindings do.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt
from tests.support.gallery.database import Pause

from gallery.errors import StorageError
from gallery.ports import ListedObject, ObjectBody, ObjectInfo, Page, RendererResponse
from gallery.variants import Variant

LISTED_KEYS = DELETED_KEYS = 1000  # at most, in one call of R2
KEY_BYTES = 1024
FLAG_NAME_BYTES = 512


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
        """Store an upload, which has no SHA-256, or a rendition."""
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
        return ObjectBody(self._info(key), self._part(key, *span) if span else self.stored[key].data)

    async def read(self, key: str, offset: int, length: int) -> bytes | None:
        await self._turn("read", key)
        return self._part(key, offset, length) if key in self.stored else None

    async def delete(self, keys: Sequence[str]) -> None:
        if len(keys) > DELETED_KEYS:
            raise StorageError("R2 deletes at most 1,000 objects in one call")
        for key in keys:
            await self._turn("delete", key)
            self.stored.pop(key, None)
            self.attempts.pop(key, None)

    async def list(self, prefix: str, after: str, limit: int) -> tuple[list[ListedObject], bool]:
        await self._turn("list", prefix)
        if not 1 <= limit <= LISTED_KEYS:
            raise StorageError("Error: list: MaxKeys params must be positive integer <= 1000. (10022)")
        keys = sorted(key for key in self.stored if key.startswith(prefix) and key > after)
        page = [ListedObject(i.key, i.size, i.etag, i.uploaded) for i in map(self._info, keys[:limit])]
        return page, len(keys) > limit

    async def _turn(self, method: str, key: str) -> None:
        self.asked.append((method, key))
        await asyncio.sleep(0)
        await self.pause.some()
        if method in self.broken:
            raise StorageError(f"R2 {method} failed")
        if len(key.encode()) > KEY_BYTES:
            raise StorageError(f"Error: {method}: The specified object name is not valid. (10020)")

    def _part(self, key: str, offset: int, length: int) -> bytes:
        data = self.stored[key].data
        if not 0 <= offset < len(data) or length <= 0:
            raise StorageError("Error: get: The requested range is not satisfiable (10039)")
        return data[offset : offset + length]

    def _info(self, key: str) -> ObjectInfo:
        s = self.stored[key]
        return ObjectInfo(key, len(s.data), s.etag, s.content_type, s.uploaded, s.sha256)


class MemoryFlags:
    """The readiness flags, which expire; a `broken` store fails, a `hanging` one never answers."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.stored: dict[str, str] = {}
        self.expires: dict[str, float] = {}
        self.broken = False
        self.hanging = False

    async def get(self, name: str) -> str | None:
        await self._check(name)
        if self.expires.get(name, math.inf) <= self.now():
            self.stored.pop(name, None)
        return self.stored.get(name)

    async def put(self, name: str, value: str, lifetime: int) -> None:
        await self._check(name)
        if lifetime < 60:
            raise StorageError(f"Error: KV PUT failed: 400 Invalid expiration_ttl of {lifetime}.")
        self.stored[name] = value
        self.expires[name] = self.now() + lifetime

    async def delete(self, name: str) -> None:
        await self._check(name)
        self.stored.pop(name, None)

    async def _check(self, name: str) -> None:
        if self.broken:
            raise StorageError("KV is down")
        if self.hanging:
            await asyncio.Event().wait()
        if name in ("", ".", "..") or len(name.encode()) > FLAG_NAME_BYTES:
            raise StorageError(f"KV does not take {name[:9]!r} as a name")


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
    """A rate limit that allows each key `left` more times."""

    left: int = 1_000_000
    broken: bool = False
    keys: list[str] = field(default_factory=list)

    async def allows(self, key: str) -> bool:
        if self.broken:
            raise StorageError("no such binding")
        self.keys.append(key)
        return self.keys.count(key) <= self.left


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
