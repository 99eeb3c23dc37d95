"""The application: one request in, one answer out, whatever happens between."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gallery.errors import (
    DatabaseError,
    GalleryError,
    InternalError,
    MethodNotAllowed,
    NotConfigured,
    PortError,
    Unavailable,
)
from gallery.http import cors
from gallery.http.context import Context
from gallery.http.messages import Request, Response, json_response
from gallery.http.routes import route_of
from gallery.http.site import find_nothing
from gallery.ports import Platform
from gallery.settings import Settings
from gallery.times import Stopwatch

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LONGEST_PATH = 200
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def handle(request: Request, platform: Platform, settings: Callable[[], Settings]) -> Response:
    """Answer one request; nothing is raised, nothing but GalleryError sentences reaches the client."""
    watch = Stopwatch(platform.ticks)
    request_id = _request_id(request, platform)
    platform = _logging(platform, request_id)
    notes: dict[str, object] = {}
    origins: tuple[str, ...] = ()
    try:
        read = settings()
        origins = read.allowed_origins
        answer = await _dispatch(request, platform, read, request_id, watch, notes)
    except GalleryError as error:
        answer = _failure(error, request_id, notes)
    except PortError as error:
        notes["reason"] = repr(error)
        answer = _failure(_translated(error), request_id, notes)
    except Exception:
        notes["traceback"] = traceback.format_exc()
        answer = _failure(InternalError(), request_id, notes)
    shared = _SECURITY | cors.headers_for(request, origins)
    varies = ", ".join(h["Vary"] for h in (shared, answer.headers) if "Vary" in h)
    answer.headers = shared | answer.headers | ({"Vary": varies} if varies else {})
    answer.headers["X-Request-Id"] = request_id
    if request.method == "HEAD":
        answer.body = None
    _log(request, platform, answer, watch, notes)
    return answer


async def _dispatch(
    request: Request,
    platform: Platform,
    settings: Settings,
    request_id: str,
    watch: Stopwatch,
    notes: dict[str, object],
) -> Response:
    route, arguments = route_of(request.path)
    call = Context(request, platform, settings, request_id, arguments, watch, notes)
    if route is None:
        notes["path"] = request.path[:_LONGEST_PATH]
        # A page may ask for anything; what it is told of an unknown address is the 404 itself.
        if cors.is_preflight(request, settings.allowed_origins):
            return cors.options_response(request, settings.allowed_origins, "OPTIONS")
        return await find_nothing(call)
    notes["route"] = route.template
    if request.method == "OPTIONS":
        return cors.options_response(request, settings.allowed_origins, route.allow)
    handler = route.methods.get("GET" if request.method == "HEAD" else request.method)
    if handler is None:
        raise MethodNotAllowed(route.allow)
    return await handler(call)


def _request_id(request: Request, platform: Platform) -> str:
    given = request.header("x-request-id")
    return given if given and _REQUEST_ID.fullmatch(given) else platform.uuid()


def _translated(error: PortError) -> GalleryError:
    # What D1 is known to recover from was tried again already; a store may well answer the next time.
    return InternalError() if isinstance(error, DatabaseError) else Unavailable()


def _failure(error: GalleryError, request_id: str, notes: dict[str, object]) -> Response:
    notes["code"] = error.code
    if isinstance(error, NotConfigured):
        notes["problems"] = list(error.problems)
    body = {"error": error.text, "code": error.code, "requestId": request_id}
    if error.detail:
        body["detail"] = error.detail
    return json_response(body, error.status, {"Cache-Control": "no-store"} | error.headers)


def _logging(platform: Platform, request_id: str) -> Platform:
    """The platform, every line of whose log says which request it is about."""

    def log(event: Mapping[str, Any]) -> None:
        platform.log({"requestId": request_id, **event})

    return replace(platform, log=log)


def _log(
    request: Request, platform: Platform, answer: Response, watch: Stopwatch, notes: dict[str, object]
) -> None:
    stages = {"stages": watch.stages} if watch.stages else {}
    platform.log(
        {
            "event": "request",
            "method": request.method,
            "status": answer.status,
            "ms": watch.total,
            **notes,
            **stages,
        }
    )
