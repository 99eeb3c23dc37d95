"""A running stack to measure: artists in it, originals uploaded to it, creates asked of it."""

from __future__ import annotations

import itertools
import json
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt

from benchmarks.engines import running
from benchmarks.harness import Sample, timed
from benchmarks.inputs import Input, Kind
from benchmarks.places import HERE, NODE

TYPES = {
    Kind.BASELINE: "image/jpeg",
    Kind.PROGRESSIVE: "image/jpeg",
    Kind.PNG_RGB: "image/png",
    Kind.PNG_RGBA: "image/png",
    Kind.WEBP: "image/webp",
}
CREATES_A_MINUTE = 50
TOKEN_SECONDS = 7200
_DURATION = re.compile(r"([a-z]+);dur=([\d.]+)")


@dataclass(slots=True)
class Artist:
    token: str
    creates: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Original:
    """An upload that has no artwork yet."""

    artist: Artist
    key: str


@dataclass(slots=True)
class Gallery:
    url: str
    state: Path
    pid: int
    client: httpx.Client
    artists: list[Artist] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def control(self, action: str, **body: Any) -> dict[str, Any]:
        about = json.loads((self.state / "stack.json").read_text())
        headers = {"authorization": f"Bearer {about['token']}"}
        answer = self.client.post(f"{about['control']}/{action}", headers=headers, json=body)
        answer.raise_for_status()
        return dict(answer.json())

    def artist(self) -> Artist:
        """An artist who may create once more this minute: the rate limit counts by user."""
        known = self.artists[-1] if self.artists else None
        if known is None or known.creates >= CREATES_A_MINUTE:
            known = self._new_artist()
            self.artists.append(known)
        known.creates += 1
        return known

    def _new_artist(self) -> Artist:
        user_id = f"usr_bench{next(self._numbers)}"
        sql = "INSERT INTO users (id, username, artwork_limit) VALUES (?, ?, 100000) RETURNING id"
        self.control("sql", sql=sql, params=[user_id, user_id.removeprefix("usr_")])
        secret = json.loads((self.state / "secrets.json").read_text())["AUTH_JWT_SECRET"]
        claims = {"sub": user_id, "exp": int(time.time()) + TOKEN_SECONDS}
        return Artist(jwt.encode(claims, secret, "HS256"))

    def upload(self, picture: Input) -> Original:
        artist = self.artist()
        data = picture.path.read_bytes()
        body = {"filename": "picture", "contentType": TYPES[picture.kind], "size": len(data)}
        answer = self.client.post(f"{self.url}/api/artworks/upload-url", json=body, headers=artist.headers)
        answer.raise_for_status()
        ticket = answer.json()
        self.client.put(ticket["uploadUrl"], headers=ticket["headers"], content=data).raise_for_status()
        return Original(artist, ticket["key"])

    def create(self, original: Original, client: httpx.Client | None = None) -> Sample:
        """One create, timed from outside; `facts` has status, Server-Timing and the artwork."""
        body = {"title": f"Benchmark {next(self._numbers)}", "originalKey": original.key}

        def ask() -> dict[str, Any]:
            answer = (client or self.client).post(
                f"{self.url}/api/artworks", json=body, headers=original.artist.headers
            )
            stages = {
                name: float(ms) for name, ms in _DURATION.findall(answer.headers.get("server-timing", ""))
            }
            bindings = json.loads(answer.headers.get("x-bench-bindings", "{}"))
            return {
                "status": answer.status_code,
                "stages": stages,
                "bindings": bindings,
                "body": answer.json(),
                "retryAfter": float(answer.headers.get("retry-after", 0)),
            }

        return timed(ask)


@contextmanager
def gallery(*, staged: bool = False) -> Iterator[Gallery]:
    """The four Workers on a state of their own."""
    with tempfile.TemporaryDirectory(prefix="vfa-bench-") as folder:
        command = [str(NODE), str(HERE / "peers/stack.mjs"), folder, *(["--staged"] if staged else [])]
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
        with running(command) as (process, ready), httpx.Client(timeout=120, limits=limits) as client:
            yield Gallery(ready["url"], Path(folder), process.pid, client)
