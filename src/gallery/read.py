"""Reading the gallery: lists with filters and cursors, single artworks, quotas, readiness."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from unicodedata import normalize

from gallery import pipeline
from gallery.artwork import Artwork
from gallery.errors import NotFound, StorageError
from gallery.keys import FIRST_VERSION, OriginalKey, rendition_keys
from gallery.ports import Platform
from gallery.store import artworks, uploads
from gallery.store.artworks import artwork_of
from gallery.store.database import first, only, transact
from gallery.variants import Variant


async def artwork_by_slug(platform: Platform, username: str, slug: str) -> Artwork:
    address = normalize("NFC", username), normalize("NFC", slug)
    row = await only(platform, (artworks.ARTWORK_BY_SLUG, address))
    if row is None:
        raise NotFound("There is no such artwork.")
    return artwork_of(row)


async def awaited_readiness(platform: Platform, original: OriginalKey, seconds: int) -> dict[str, bool]:
    """The readiness once all three renditions can be fetched, or after `seconds` whatever it is."""
    began = platform.ticks()
    state: dict[str, bool] = {}

    async def is_done() -> bool:
        state.update(await readiness(platform, original))
        return all(state.values()) or platform.ticks() - began >= seconds

    await pipeline.wait_for_processing(is_done, platform.sleep, tries=seconds + 1)
    return state


async def readiness(platform: Platform, original: OriginalKey) -> dict[str, bool]:
    """Which renditions of an original can be fetched; the record knows best, then flags, then the bucket."""
    key = str(original)
    rows = await transact(platform, (artworks.ARTWORK_OF_ORIGINAL, (key,)), uploads.find(key))
    artwork, upload = first(rows[0]), first(rows[1])
    if artwork is not None:
        return dict.fromkeys(_NAMES.values(), True)
    if upload is None or not upload["is_leased"] or upload["holder"] == uploads.REMOVED:
        # Nobody works on it; flags of a create that failed may be read for a while yet.
        return dict.fromkeys(_NAMES.values(), False)
    keys = rendition_keys(original, FIRST_VERSION)
    ready = await asyncio.gather(*(_is_ready(platform, keys[variant]) for variant in _NAMES))
    return dict(zip(_NAMES.values(), ready, strict=True))


_NAMES = {
    Variant.WATERMARK: "display",
    Variant.THUMBNAIL: "thumbnail",
    Variant.ICON: "icon",
}


async def _is_ready(platform: Platform, key: str) -> bool:
    if await pipeline.is_ready(platform.flags, key):
        return True
    try:
        return await platform.objects.head(key) is not None
    except StorageError:
        return False


LOOK_SECONDS = 2.0  # a reader who is not told is better off than one who is not answered


class Original(Enum):
    KEPT = auto()
    REPLACED = auto()
    MISSING = auto()


async def state_of_original(platform: Platform, artwork: Artwork) -> Original:
    """What the bucket shows; `KEPT` where it does not answer, or where the original's ETag was not noted."""
    if artwork.original_etag is None or artwork.original_key is None:
        return Original.KEPT
    try:
        found = await asyncio.wait_for(platform.objects.head(artwork.original_key), LOOK_SECONDS)
    except (StorageError, TimeoutError):
        return Original.KEPT
    if found is None:
        return Original.MISSING
    return Original.KEPT if found.etag == artwork.original_etag else Original.REPLACED
