"""Conditional and partial requests (RFC 9110, 13 and 14), for one representation with a strong ETag."""

from __future__ import annotations

import re

from gallery.errors import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


def names(condition: str | None, etag: str, *, weak: bool = True) -> bool:
    """Whether an If-Match or If-None-Match header names this ETag (given with its quotes)."""
    if condition is None:
        return False
    if condition.strip() == "*":
        return True
    opaque = etag.removeprefix("W/")
    return any(f'"{tag}"' == opaque and (weak or not mark) for mark, tag in _TAG.findall(condition))


def span_of(header: str | None, size: int) -> tuple[int, int] | None:
    """`(offset, length)` of a Range header, None when all is asked for or the header means nothing to us.

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


def revision_allowed(condition: str | None, revision: int) -> bool:
    """Whether an If-Match header allows a change of this revision; an ETag of ours begins with it.

    A weak one will do: Cloudflare marks the tags of what it compresses, and a revision is exact all the same.
    """
    if condition is None or condition.strip() == "*":
        return True
    return any(tag.partition("-")[0] == str(revision) for _, tag in _TAG.findall(condition))
