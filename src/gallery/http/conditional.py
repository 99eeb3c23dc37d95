"""Conditional and partial requests (RFC 9110, 13 and 14), for one representation with a strong ETag."""

from __future__ import annotations

import re

from gallery.errors import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)
_ETAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


def etag_matches(condition: str | None, etag: str, *, weak: bool = True) -> bool:
    """Whether an If-Match or If-None-Match header contains this ETag, given with its quotes.

    The comparison is the weak one unless `weak` is False (RFC 9110, 8.8.3.2).
    """
    if condition is None:
        return False
    if condition.strip() == "*":
        return True
    opaque = etag.removeprefix("W/")
    return any(f'"{tag}"' == opaque and (weak or not mark) for mark, tag in _ETAG.findall(condition))


def span_of(header: str | None, size: int) -> tuple[int, int] | None:
    """`(offset, length)` in bytes of a Range header, None for the whole object and for an invalid header.

    Raises RangeNotSatisfiable when the range lies outside the object.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        return _within(size - length, length, size)
    start = int(match[1])
    end = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < start:
        return None
    return _within(start, end - start + 1, size)


def _within(offset: int, length: int, size: int) -> tuple[int, int]:
    if length <= 0 or offset >= size:
        raise RangeNotSatisfiable(size)
    return offset, length


def expected_revisions(if_match: str | None) -> frozenset[str] | None:
    """The revisions of an artwork that an If-Match header allows to change, None for any.

    ETags of artworks begin with the revision. Weak ones are accepted, although RFC 9110 (13.1.1) asks for a
    strong comparison, because Cloudflare marks the ETags of what it compresses as weak.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    return frozenset(tag.partition("-")[0] for _, tag in _ETAG.findall(if_match))
