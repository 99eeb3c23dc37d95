"""Requests and answers as the gateway sees them, free of the platform's own classes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from gallery.errors import TooLarge

JSON_TYPE = "application/json; charset=utf-8"
LONGEST_BODY = 64 * 1024


class Header(Protocol):
    def __call__(self, name: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """`path` and `query` are still percent-encoded; `read(limit)` returns None when the body is longer."""

    method: str
    origin: str
    path: str
    query: str
    header: Header
    read: Callable[[int], Awaitable[bytes | None]]

    async def body(self) -> bytes:
        data = await self.read(LONGEST_BODY)
        if data is None:
            raise TooLarge(f"The body has more than {LONGEST_BODY} bytes.")
        return data


@dataclass(slots=True)
class Response:
    """`body` is text or a stream of the platform, which goes to the client untouched."""

    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(status, json_text(value), {"Content-Type": JSON_TYPE} | (headers or {}))
