"""The application: one request in, one response out, whatever fails in between."""

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
from gallery.http.messages import Request, Response, error_response
from gallery.http.router import find_route
from gallery.http.site import not_found
from gallery.ports import Platform
from gallery.settings import Settings
from gallery.times import Stopwatch

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LONGEST_PATH = 200  # of what is logged
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def handle(request: Request, platform: Platform, settings: Callable[[], Settings]) -> Response:
    """Respond to one request. Nothing is raised, and clients learn of errors only what GalleryError says."""
    watch = Stopwatch(platform.ticks)
    request_id = _request_id(request, platform)
    platform = _logging(platform, request_id)
    log_fields: dict[str, object] = {}
    origins: tuple[str, ...] = ()
    try:
        current = settings()
        origins = current.allowed_origins
        response = await _dispatch(Context(request, platform, current, request_id, {}, watch, log_fields))
    except GalleryError as error:
        response = _failure(error, request_id, log_fields)
    except PortError as error:
        log_fields["reason"] = repr(error)
        response = _failure(_translated(error), request_id, log_fields)
    except Exception:
        log_fields["traceback"] = traceback.format_exc()
        response = _failure(InternalError(), request_id, log_fields)
    shared = _SECURITY_HEADERS | cors.headers_for(request, origins)
    varies = ", ".join(headers["Vary"] for headers in (shared, response.headers) if "Vary" in headers)
    response.headers = shared | response.headers | ({"Vary": varies} if varies else {})
    response.headers["X-Request-Id"] = request_id
    if request.method == "HEAD":
        response.body = None
    _log(request, platform, response, watch, log_fields)
    return response


async def _dispatch(context: Context) -> Response:
    request, origins = context.request, context.settings.allowed_origins
    route, parameters = find_route(request.path)
    if route is None:
        context.log_fields["path"] = request.path[:_LONGEST_PATH]
        # A page may ask before any request; the response to the request itself is the 404.
        if cors.is_preflight(request, origins):
            return cors.options_response(request, origins, "OPTIONS")
        return await not_found(context)
    context.log_fields["route"] = route.path
    if request.method == "OPTIONS":
        return cors.options_response(request, origins, route.allow)
    method = route.methods.get("GET" if request.method == "HEAD" else request.method)
    if method is None:
        raise MethodNotAllowed(route.allow)
    return await method.handler(replace(context, parameters=parameters))


def _request_id(request: Request, platform: Platform) -> str:
    given = request.header("x-request-id")
    return given if given and _REQUEST_ID.fullmatch(given) else platform.uuid()


def _translated(error: PortError) -> GalleryError:
    """The only place where a binding's failure becomes a response."""
    is_lasting = isinstance(error, DatabaseError) and not error.transient
    return InternalError() if is_lasting else Unavailable()


def _failure(error: GalleryError, request_id: str, log_fields: dict[str, object]) -> Response:
    log_fields["code"] = error.code
    if isinstance(error, NotConfigured):
        log_fields["problems"] = list(error.problems)
    return error_response(error, request_id)


def _logging(platform: Platform, request_id: str) -> Platform:
    """The platform with the request's id in every line of the log."""

    def log(event: Mapping[str, Any]) -> None:
        platform.log({"requestId": request_id, **event})

    return replace(platform, log=log)


def _log(
    request: Request,
    platform: Platform,
    response: Response,
    watch: Stopwatch,
    log_fields: dict[str, object],
) -> None:
    stages = {"stages": watch.stages} if watch.stages else {}
    platform.log(
        {
            "event": "request",
            "method": request.method,
            "status": response.status,
            "ms": watch.total,
            **log_fields,
            **stages,
        }
    )
