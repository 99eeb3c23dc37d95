"""Reading single artworks, the readiness of their renditions, and whether their originals are unchanged."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from unicodedata import normalize

from gallery import pipeline
from gallery.access.authentication import Caller
from gallery.artwork import ACTIVE, Artwork
from gallery.errors import ArtworkNotFound, Forbidden, StorageError
from gallery.keys import FIRST_VERSION, OriginalKey, rendition_keys
from gallery.ports import Platform
from gallery.store import artworks, uploads
from gallery.store.artworks import artwork_of
from gallery.store.database import first, only, transact
from gallery.times import wait_for
from gallery.variants import VARIANTS

HEAD_SECONDS = 2.0  # a late answer is worse for a reader than one that does not mention a replaced original


async def find_artwork(platform: Platform, artwork_id: str) -> Artwork:
    """The artwork with this id, whoever asks. Raises ArtworkNotFound, DatabaseError."""
    row = await only(platform, artworks.find(artwork_id))
    if row is None:
        raise ArtworkNotFound
    return artwork_of(row)


async def read_artwork(platform: Platform, caller: Caller | None, artwork_id: str) -> Artwork:
    """The artwork with this id. Raises ArtworkNotFound, also when it is not public and not the caller's."""
    return _visible(await find_artwork(platform, artwork_id), caller)


async def read_artwork_by_slug(
    platform: Platform, caller: Caller | None, username: str, slug: str
) -> Artwork:
    """The artwork at a readable address. Raises as `read_artwork`."""
    row = await only(platform, artworks.find_by_slug(normalize("NFC", username), normalize("NFC", slug)))
    if row is None:
        raise ArtworkNotFound
    return _visible(artwork_of(row), caller)


def is_visible(artwork: Artwork, caller: Caller | None) -> bool:
    """Whether the caller may see the artwork: an active one everybody, any other its owner and operators."""
    if artwork.status == ACTIVE:
        return True
    return caller is not None and (caller.is_operator or caller.user_id == artwork.user_id)


def check_owner(artwork: Artwork, caller: Caller, *, or_operator: bool = False) -> None:
    """Raises Forbidden for another user's artwork, ArtworkNotFound when the caller may not even see it."""
    if artwork.user_id == caller.user_id or (or_operator and caller.is_operator):
        return
    _visible(artwork, caller)
    raise Forbidden("This artwork belongs to someone else.")


def _visible(artwork: Artwork, caller: Caller | None) -> Artwork:
    if not is_visible(artwork, caller):
        raise ArtworkNotFound
    return artwork


class OriginalState(Enum):
    UNCHANGED = auto()
    REPLACED = auto()
    MISSING = auto()


async def state_of_original(platform: Platform, artwork: Artwork) -> OriginalState:
    """Whether the original is still the one that was rendered.

    UNCHANGED also where R2 does not answer, or where the original's ETag was not recorded.
    """
    if artwork.original_etag is None or artwork.original_key is None:
        return OriginalState.UNCHANGED
    try:
        found = await wait_for(platform.objects.head(artwork.original_key), HEAD_SECONDS, platform.sleep)
    except (StorageError, TimeoutError):
        return OriginalState.UNCHANGED
    if found is None:
        return OriginalState.MISSING
    return OriginalState.UNCHANGED if found.etag == artwork.original_etag else OriginalState.REPLACED


async def wait_for_readiness(platform: Platform, original: OriginalKey, seconds: int) -> dict[str, bool]:
    """The readiness once all renditions can be fetched, or after `seconds` whatever it is then."""
    began = platform.ticks()
    state: dict[str, bool] = {}

    async def is_done() -> bool:
        state.update(await readiness(platform, original))
        return all(state.values()) or platform.ticks() - began >= seconds

    await pipeline.wait_for_processing(is_done, platform.sleep, tries=seconds + 1)
    return state


async def readiness(platform: Platform, original: OriginalKey) -> dict[str, bool]:
    """Which renditions of an original can be fetched, by name: `display`, `thumbnail`, `icon`.

    The record decides, then the flags, then the bucket. Raises DatabaseError.
    """
    key = str(original)
    rows = await transact(platform, artwork=artworks.find_by_original(key), upload=uploads.find(key))
    names = {spec.name: variant for variant, spec in VARIANTS.items()}
    if rows["artwork"]:
        return dict.fromkeys(names, True)
    upload = first(rows["upload"])
    if upload is None or not upload["is_leased"] or upload["holder"] == uploads.REMOVED:
        # Nothing is being made. Flags of a create that failed may still be read for a while.
        return dict.fromkeys(names, False)
    keys = rendition_keys(original, FIRST_VERSION)
    ready = await asyncio.gather(*(_is_ready(platform, keys[variant]) for variant in names.values()))
    return dict(zip(names, ready, strict=True))


async def _is_ready(platform: Platform, key: str) -> bool:
    if await pipeline.is_ready(platform, key):
        return True
    try:
        return await platform.objects.head(key) is not None
    except StorageError:
        return False
