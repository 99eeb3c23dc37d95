"""A whole gateway in memory, in virtual time."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from tests.support.gallery.clock import Clock
from tests.support.gallery.database import Pause, SqliteDatabase
from tests.support.gallery.fakes import (
    CountingLimiter,
    MemoryFlags,
    MemoryObjects,
    OnePage,
    Web,
    WritingRenderer,
    verify,
)

from gallery.app import handle
from gallery.http.messages import Request, Response
from gallery.isolate import Isolate
from gallery.ports import Limits, Platform
from gallery.queue import Queue
from gallery.settings import Settings, read_settings
from gallery.variants import Variant

START = 1_750_000_000.0  # the time at which a World begins
SECRETS = {
    "AUTH_JWT_SECRET": "a secret of at least thirty-two bytes",
    "WORKER_AUTH_TOKEN": "the token siblings are asked with, long",
    "R2_ACCESS_KEY_ID": "access",
    "R2_SECRET_ACCESS_KEY": "secret",
}
VARIABLES = {
    "R2_S3_ENDPOINT": "http://127.0.0.1:8787/cdn-cgi/local/r2/s3",
    "R2_BUCKET": "vfa-gallery",
    "VARIANT_DEADLINE_SECONDS": "2",
    "MAX_UPLOAD_BYTES": "1000000",
}
PICTURES = {
    "image/jpeg": b"\xff\xd8\xff\xe0 a picture",
    "image/png": b"\x89PNG\r\n\x1a\n a picture",
    "image/webp": b"RIFF\x10\x00\x00\x00WEBP a picture",
    "image/gif": b"GIF89a a picture",
    "image/tiff": b"II*\x00 a picture",
}


def settings(**changes: str) -> Settings:
    return read_settings((SECRETS | VARIABLES | changes).get)


class World:
    """A gateway over fakes. Its time is virtual and can be set; a `seed` varies which request runs first."""

    def __init__(self, seed: int | None = None, /, **changes: str) -> None:
        self.clock = Clock(START)
        pause = Pause(seed)
        self.database = SqliteDatabase(self.clock.now, pause)
        self.objects = MemoryObjects(self.clock.now, pause)
        self.flags = MemoryFlags(self.clock.now)
        self.pages = OnePage()
        self.renderers = {v: WritingRenderer(v, self.objects) for v in Variant}
        self.upload_limiter = CountingLimiter()
        self.create_limiter = CountingLimiter()
        self.web = Web()
        self.read_limiter = CountingLimiter()
        self.failure_limiter = CountingLimiter()
        self.events: list[Mapping[str, Any]] = []
        self.tasks: list[asyncio.Future[Any]] = []
        self.made = 0
        self.settings = settings(**changes)
        self.isolate = Isolate(Queue(places=1000, places_each=1000))
        self.platform = Platform(
            database=self.database,
            objects=self.objects,
            flags=self.flags,
            renderers=self.renderers,
            pages=self.pages,
            limits=Limits(self.upload_limiter, self.create_limiter, self.read_limiter, self.failure_limiter),
            fetch=self.web.fetch,
            verify=verify,
            purge=self.web.purge,
            isolate=self.isolate,
            log=self.events.append,
            background=lambda work: self.tasks.append(asyncio.ensure_future(work)),
            now=self.clock.now,
            ticks=self.clock.now,
            sleep=self.clock.sleep,
            random=lambda: 0.5,
            uuid=self.uuid,
        )

    @property
    def time(self) -> float:
        return self.clock.now()

    @time.setter
    def time(self, seconds: float) -> None:
        self.clock.set(seconds)

    def uuid(self) -> str:
        self.made += 1
        return f"00000000-0000-4000-8000-{self.made:012x}"

    def user(self, user_id: str = "usr_ada", username: str = "ada", limit: int = 50, count: int = 0) -> str:
        names = "id, username, artwork_limit, artwork_count, created_at"
        self.database.rows(
            f"INSERT INTO users ({names}) VALUES (?, ?, ?, ?, '')",  # noqa: S608 (the constant above)
            user_id,
            username,
            limit,
            count,
        )
        return user_id

    def original(self, user_id: str = "usr_ada", content_type: str = "image/jpeg") -> str:
        extension = {"image/jpeg": "jpg"}.get(content_type, content_type.partition("/")[2])
        key = f"originals/{user_id}/{self.uuid()}.{extension}"
        self.objects.put(key, PICTURES[content_type], content_type)
        return key

    def uploads(self) -> list[dict[str, Any]]:
        return self.database.rows("SELECT * FROM uploads ORDER BY key")

    def count(self, user_id: str = "usr_ada") -> int:
        return int(self.database.rows("SELECT artwork_count AS n FROM users WHERE id = ?", user_id)[0]["n"])

    def deadline(self, seconds: float) -> None:
        self.settings = dataclasses.replace(self.settings, variant_deadline=seconds)

    def artworks(self) -> list[dict[str, Any]]:
        return self.database.rows("SELECT * FROM artworks ORDER BY slug")

    def renditions(self) -> list[str]:
        return sorted(key for key in self.objects.stored if not key.startswith("originals/"))

    async def finish(self) -> None:
        """Wait for what runs in the background."""
        while self.tasks:
            await self.tasks.pop()

    async def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        origin: str = "https://gallery.example",
    ) -> Response:
        path, _, query = target.partition("?")
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()

        async def read(limit: int) -> bytes | None:
            return data if len(data) <= limit else None

        request = Request(method, origin, path, query, lambda name: sent.get(name), read)
        return await handle(request, self.platform, lambda: self.settings)


def json_of(response: Response) -> Any:
    assert isinstance(response.body, str)
    return json.loads(response.body)
