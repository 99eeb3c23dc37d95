"""Requests and responses as the gateway sees them, free of the platform's own classes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from gallery.errors import GalleryError, TooLarge

JSON_TYPE = "application/json; charset=utf-8"
LONGEST_BODY = 64 * 1024  # bytes
NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Request:
    """`path` and `query` are still percent-encoded. `read(limit)` returns None when the body is longer."""

    method: str
    origin: str
    path: str
    query: str
    header: Callable[[str], str | None]
    read: Callable[[int], Awaitable[bytes | None]]

    async def body(self) -> bytes:
        """The whole body. Raises TooLarge above LONGEST_BODY."""
        data = await self.read(LONGEST_BODY)
        if data is None:
            raise TooLarge(f"The body has more than {LONGEST_BODY} bytes.")
        return data


@dataclass(slots=True)
class Response:
    """`body` is text, or a stream of the platform that goes to the client untouched."""

    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


def json_text(value: Any) -> str:
    """A value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response with `value` as JSON."""
    return Response(status, json_text(value), {"Content-Type": JSON_TYPE} | (headers or {}))


def error_response(error: GalleryError, request_id: str, **fields: Any) -> Response:
    """The response for an error, with more `fields` in front."""
    body = fields | {"error": error.text, "code": error.code, "requestId": request_id}
    if error.detail:
        body["detail"] = error.detail
    return json_response(body, error.status, NO_STORE | error.headers)
