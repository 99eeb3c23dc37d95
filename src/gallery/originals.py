"""Originals: what their first bytes say they are, and whether they are still those an artwork was made of."""

from __future__ import annotations

import asyncio
from enum import Enum, auto

from gallery.artwork import Artwork
from gallery.errors import StorageError
from gallery.ports import Platform

HEAD_BYTES = 16
LOOK_SECONDS = 2.0  # a reader who is not told is better off than one who is not answered


class Original(Enum):
    KEPT = auto()
    REPLACED = auto()
    MISSING = auto()


async def state_of_original(platform: Platform, artwork: Artwork) -> Original:
    """What the bucket shows; `KEPT` where it does not answer, or where the original's ETag was not noted."""
    if artwork.original_key is None or artwork.original_etag is None:
        return Original.KEPT
    try:
        found = await asyncio.wait_for(platform.objects.head(artwork.original_key), LOOK_SECONDS)
    except (StorageError, TimeoutError):
        return Original.KEPT
    if found is None:
        return Original.MISSING
    return Original.KEPT if found.etag == artwork.original_etag else Original.REPLACED


def type_of(head: bytes) -> str | None:
    """The content type the first bytes of a file show, None for none that is accepted."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "image/tiff"
    return None
