"""Changing and deleting artworks, by their owners."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any

from gallery import cleanup
from gallery.access.authentication import Caller
from gallery.artwork import Artwork
from gallery.errors import ArtworkNotFound, Conflict, Forbidden, PreconditionFailed, StorageError
from gallery.keys import all_keys
from gallery.ports import Platform
from gallery.read import check_owner, find_artwork
from gallery.store import artworks, uploads
from gallery.store.artworks import artwork_of
from gallery.store.database import first, transact
from gallery.times import iso

_TRIES = 3
_FEATURED = "What is featured is chosen by the gallery's operators."
_CONTENDED = "The artwork is being changed from elsewhere. Please try again."


async def change_artwork(
    platform: Platform,
    caller: Caller,
    artwork_id: str,
    changes: Mapping[str, Any],
    expected: Set[str] | None = None,
) -> Artwork:
    """The artwork with `changes` of its fields, when its revision is one of `expected` (None for any).

    Owners change descriptions, operators `is_featured`. Raises ArtworkNotFound, Forbidden,
    PreconditionFailed, Conflict, DatabaseError.
    """
    is_featuring = changes.keys() == {"is_featured"}
    for _ in range(_TRIES):
        artwork = await _find_own(platform, caller, artwork_id, expected, or_operator=is_featuring)
        if "is_featured" in changes and not caller.is_operator:
            raise Forbidden(_FEATURED)
        wanted = replace(artwork, **changes, revision=artwork.revision + 1, updated_at=iso(platform.now()))
        # Equality means success, also when an earlier try wrote the change and its answer was lost.
        if await _update_record(platform, wanted) == wanted:
            return wanted
    raise Conflict(_CONTENDED)


async def delete_artwork(
    platform: Platform, caller: Caller, artwork_id: str, expected: Set[str] | None = None
) -> Artwork:
    """Delete the record, the objects and the flags of an artwork, and return what it was.

    Objects that cannot be deleted now are left to the sweeper. The original's lease is taken until the
    sweeper has run, so that no artwork is created of it. Raises as `change_artwork`.
    """
    for _ in range(_TRIES):
        artwork = await _find_own(platform, caller, artwork_id, expected)
        if await _delete_record(platform, artwork):
            break
    else:
        raise Conflict(_CONTENDED)
    if artwork.original is None:  # another program's artwork, whose files are its own
        return artwork
    await cleanup.delete_renditions(platform, all_keys(artwork.original, artwork.version))
    key = str(artwork.original)
    try:
        await platform.objects.delete([key])
    except StorageError as error:
        platform.log({"event": "discard_failed", "keys": [key], "reason": str(error)})
    return artwork


async def _find_own(
    platform: Platform,
    caller: Caller,
    artwork_id: str,
    expected: Set[str] | None,
    *,
    or_operator: bool = False,
) -> Artwork:
    artwork = await find_artwork(platform, artwork_id)
    check_owner(artwork, caller, or_operator=or_operator)
    if expected is not None and str(artwork.revision) not in expected:
        raise PreconditionFailed
    return artwork


async def _update_record(platform: Platform, artwork: Artwork) -> Artwork:
    """Write a changed artwork; the record as it is then."""
    rows = await transact(platform, update=artworks.update(artwork), found=artworks.find(artwork.id))
    row = first(rows["found"])
    if row is None:
        raise ArtworkNotFound
    return artwork_of(row)


async def _delete_record(platform: Platform, artwork: Artwork) -> bool:
    """Whether the record is deleted; it stays when it has another revision by now."""
    version = (artwork.id, artwork.revision)
    rows = await transact(
        platform,
        uncount=artworks.uncount(*version),
        close=uploads.remove(*version),
        delete=artworks.delete(*version),
        found=artworks.find(artwork.id),
    )
    return not rows["found"]
