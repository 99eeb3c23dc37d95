"""Objects of the bucket over HTTP: bytes go from R2 to the client without passing through Python."""

from __future__ import annotations

from gallery.errors import Forbidden, NotFound, PreconditionFailed
from gallery.formats import media_type_of
from gallery.http.conditional import etag_matches, span_of
from gallery.http.messages import Request, Response
from gallery.keys import ORIGINALS, parse_original, parse_rendition
from gallery.ports import ObjectBody, ObjectInfo, Platform

IMMUTABLE = "public, max-age=31536000, immutable"
_HEADERS = {
    "Accept-Ranges": "bytes",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


async def deliver(platform: Platform, request: Request, key: str, *, public_originals: bool) -> Response:
    """The object under a key: whole, a range of it, or only its headers.

    Raises NotFound, Forbidden for an original that is not public, PreconditionFailed, RangeNotSatisfiable,
    StorageError.
    """
    if not parse_rendition(key) and not parse_original(key):
        raise NotFound
    if key.startswith(ORIGINALS) and not public_originals:
        raise Forbidden("Originals are for their owners only.")
    if request.header("if-none-match") or request.header("if-match") or request.header("range"):
        return await _deliver_conditionally(platform, request, key)
    if request.method == "HEAD":
        return _whole(await _head(platform, key), None)
    found = _existing(await platform.objects.open(key))
    return _whole(found.info, found.stream)


async def _deliver_conditionally(platform: Platform, request: Request, key: str) -> Response:
    info = await _head(platform, key)
    etag = f'"{info.etag}"'
    if_match = request.header("if-match")
    if if_match is not None and not etag_matches(if_match, etag, weak=False):
        raise PreconditionFailed("The file is not the one that was expected.")
    if etag_matches(request.header("if-none-match"), etag):
        return Response(304, None, _headers(info))
    if request.method == "HEAD":
        return _whole(info, None)
    span = span_of(_valid_range(request, etag), info.size)
    found = _existing(await platform.objects.open(key, span))
    if span is None:
        return _whole(found.info, found.stream)
    return _part(found, span)


def _valid_range(request: Request, etag: str) -> str | None:
    condition = request.header("if-range")
    return request.header("range") if condition is None or condition.strip() == etag else None


async def _head(platform: Platform, key: str) -> ObjectInfo:
    info = await platform.objects.head(key)
    if info is None:
        raise NotFound
    return info


def _existing(body: ObjectBody | None) -> ObjectBody:
    if body is None:
        raise NotFound
    return body


def _whole(info: ObjectInfo, stream: object) -> Response:
    return Response(200, stream, _headers(info) | {"Content-Length": str(info.size)})


def _part(found: ObjectBody, span: tuple[int, int]) -> Response:
    offset, length = span
    headers = {
        "Content-Range": f"bytes {offset}-{offset + length - 1}/{found.info.size}",
        "Content-Length": str(length),
    }
    return Response(206, found.stream, _headers(found.info) | headers)


def _headers(info: ObjectInfo) -> dict[str, str]:
    is_original = info.key.startswith(ORIGINALS)
    return _HEADERS | {
        "ETag": f'"{info.etag}"',
        "Content-Type": media_type_of(info.content_type) or "application/octet-stream",
        "Cache-Control": "private, no-cache" if is_original else IMMUTABLE,
    }
