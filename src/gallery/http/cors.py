"""Cross-origin requests: configured origins only, and never with credentials of the browser."""

from __future__ import annotations

from gallery.http.messages import Request, Response

_METHODS = "GET, HEAD, POST, PATCH, DELETE, OPTIONS"
_REQUEST_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, If-Range, Range, X-Request-Id"
_EXPOSED = "Accept-Ranges, Allow, Content-Range, ETag, Location, Retry-After, Server-Timing, X-Request-Id"
_PREFLIGHT_SECONDS = 7200


def headers_for(request: Request, origins: tuple[str, ...]) -> dict[str, str]:
    """The headers that let a page of an allowed origin read the response."""
    if not origins:
        return {}
    origin = request.header("origin")
    allowed = "*" if "*" in origins else origin if origin in origins else None
    if allowed is None:
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": allowed,
        "Access-Control-Expose-Headers": _EXPOSED,
        "Timing-Allow-Origin": allowed,
    }


def is_preflight(request: Request, origins: tuple[str, ...]) -> bool:
    """Whether a browser asks if a page of an allowed origin may send a request."""
    asks = request.method == "OPTIONS" and request.header("access-control-request-method") is not None
    return asks and "Access-Control-Allow-Origin" in headers_for(request, origins)


def options_response(request: Request, origins: tuple[str, ...], allow: str) -> Response:
    """The response to OPTIONS, whether it is a preflight or not; `allow` is the value of the Allow header."""
    headers = {"Allow": allow}
    if is_preflight(request, origins):
        headers |= {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _REQUEST_HEADERS,
            "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
        }
    return Response(204, None, headers)
