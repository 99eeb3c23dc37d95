"""Changing and removing artworks, by their owners."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any

from gallery import cleanup
from gallery.access.authentication import Caller
from gallery.artwork import ACTIVE, Artwork, original_of
from gallery.errors import Conflict, Forbidden, NotFound, PreconditionFailed, StorageError
from gallery.keys import rendition_keys
from gallery.ports import Platform
from gallery.store import artworks, uploads
from gallery.store.artworks import artwork_of, text_of_tags
from gallery.store.database import first, only, transact
from gallery.times import iso

_TRIES = 3
MISSING = "There is no such artwork."
_FEATURED = "What is featured is chosen by the gallery's operators."
_CONTENDED = "The artwork is being changed from elsewhere. Please try again."


async def found_artwork(platform: Platform, artwork_id: str) -> Artwork:
    row = await only(platform, (artworks.ARTWORK, (artwork_id,)))
    if row is None:
        raise NotFound(MISSING)
    return artwork_of(row)


def is_shown(artwork: Artwork, caller: Caller | None) -> bool:
    """Whether a caller may know of an artwork: everyone of an active one, else its owner and operators."""
    if artwork.status == ACTIVE:
        return True
    return caller is not None and (caller.is_operator or caller.user_id == artwork.user_id)


async def read_artwork(platform: Platform, caller: Caller | None, artwork_id: str) -> Artwork:
    """The artwork, as far as the caller may know of it. Raises NotFound."""
    artwork = await found_artwork(platform, artwork_id)
    if not is_shown(artwork, caller):
        raise NotFound(MISSING)
    return artwork


def check_owner(artwork: Artwork, caller: Caller, *, operators: bool = False) -> None:
    """Raises Forbidden for another user's artwork, NotFound for one the caller may not know of."""
    if artwork.user_id == caller.user_id or (operators and caller.is_operator):
        return
    raise (
        Forbidden("This artwork belongs to someone else.") if is_shown(artwork, caller) else NotFound(MISSING)
    )


async def change_artwork(
    platform: Platform,
    caller: Caller,
    artwork_id: str,
    changes: Mapping[str, Any],
    expected: Set[str] | None = None,
) -> Artwork:
    """Change what is said of an artwork; absent fields stay. Raises PreconditionFailed, Forbidden."""
    is_choice = changes.keys() == {"is_featured"}
    for _ in range(_TRIES):
        # What is featured is the operators' choice, everything else the owner's word.
        artwork = await _own_artwork(platform, caller, artwork_id, expected, or_operator=is_choice)
        if "is_featured" in changes and not caller.is_operator:
            raise Forbidden(_FEATURED)
        wanted = replace(artwork, **changes, revision=artwork.revision + 1, updated_at=iso(platform.now()))
        # Equal to what was wanted means done, be it by this try or by one whose answer was lost.
        if await _update_record(platform, wanted) == wanted:
            return wanted
    raise Conflict(_CONTENDED)


async def remove_artwork(
    platform: Platform, caller: Caller, artwork_id: str, expected: Set[str] | None = None
) -> Artwork:
    """Remove record, objects and flags; objects that cannot be removed now are the sweeper's.

    Nothing is made of the original again: its lease is taken until the sweeper has deleted once more what may
    have been written meanwhile.
    """
    for _ in range(_TRIES):
        artwork = await _own_artwork(platform, caller, artwork_id, expected)
        if await _delete_record(platform, artwork):
            break
    else:
        raise Conflict(_CONTENDED)
    original = original_of(artwork)
    if original is None:  # another program's, and so are its objects
        return artwork
    key = str(original)
    await cleanup.delete_renditions(platform, rendition_keys(original, artwork.version).values())
    try:
        await platform.objects.delete([key])
    except StorageError as error:
        platform.log({"event": "discard_failed", "keys": [key], "reason": str(error)})
    return artwork


async def _delete_record(platform: Platform, artwork: Artwork) -> bool:
    """Whether the record is gone; it stays when it is another revision by now."""
    known = (artwork.id, artwork.revision)
    rows = await transact(
        platform,
        (artworks.UNCOUNT_ARTWORK, known),
        uploads.remove(*known),
        (artworks.DELETE_ARTWORK, known),
        (artworks.ARTWORK, (artwork.id,)),
    )
    return not rows[3]


async def _own_artwork(
    platform: Platform,
    caller: Caller,
    artwork_id: str,
    expected: Set[str] | None = None,
    *,
    or_operator: bool = False,
) -> Artwork:
    artwork = await found_artwork(platform, artwork_id)
    check_owner(artwork, caller, operators=or_operator)
    if expected is not None and str(artwork.revision) not in expected:
        raise PreconditionFailed
    return artwork


async def _update_record(platform: Platform, artwork: Artwork) -> Artwork:
    values = (
        artwork.id,
        artwork.revision - 1,
        artwork.title,
        artwork.description,
        artwork.materials,
        artwork.dimensions,
        artwork.created_date,
        artwork.category,
        text_of_tags(artwork.tags),
        int(artwork.is_featured),
        artwork.updated_at,
    )
    rows = await transact(platform, (artworks.UPDATE_ARTWORK, values), (artworks.ARTWORK, (artwork.id,)))
    row = first(rows[1])
    if row is None:
        raise NotFound(MISSING)
    return artwork_of(row)
