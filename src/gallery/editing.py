"""Changing and removing artworks, by their owners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gallery import fields, pipeline, sql
from gallery.artwork import ACTIVE, Artwork, artwork_of, text_of_tags
from gallery.auth import Caller
from gallery.errors import Conflict, Forbidden, InvalidRequest, NotFound, PreconditionFailed, StorageError
from gallery.keys import rendition_keys
from gallery.ports import Platform
from gallery.ranges import revision_allowed
from gallery.records import first, only, transact
from gallery.store import uploads
from gallery.times import iso
from gallery.wire import original_of

_TRIES = 3
MISSING = "There is no such artwork."
_CONTENDED = "The artwork is being changed from elsewhere. Please try again."


async def found_artwork(platform: Platform, artwork_id: str) -> Artwork:
    row = await only(platform, (sql.ARTWORK, (artwork_id,)))
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
    platform: Platform, caller: Caller, artwork_id: str, body: Mapping[str, Any], if_match: str | None
) -> Artwork:
    """Change what is said of an artwork; absent fields stay. Raises PreconditionFailed, Forbidden."""
    changes = _changes(body)
    for _ in range(_TRIES):
        artwork = await _own_artwork(platform, caller, artwork_id, if_match)
        wanted = replace(artwork, **changes, revision=artwork.revision + 1, updated_at=iso(platform.now()))
        # Equal to what was wanted means done, be it by this try or by one whose answer was lost.
        if await _written(platform, wanted) == wanted:
            return wanted
    raise Conflict(_CONTENDED)


async def remove_artwork(platform: Platform, caller: Caller, artwork_id: str, if_match: str | None) -> None:
    """Remove record, objects and flags; objects that cannot be removed now are the sweeper's.

    Nothing is made of the original again: its lease is taken until the sweeper has deleted once more what may
    have been written meanwhile.
    """
    for _ in range(_TRIES):
        artwork = await _own_artwork(platform, caller, artwork_id, if_match)
        if await _erased(platform, artwork):
            break
    else:
        raise Conflict(_CONTENDED)
    original = original_of(artwork)
    if original is None:  # another program's, and so are its objects
        return
    key = str(original)
    await pipeline.discard(platform, rendition_keys(original, artwork.version).values())
    try:
        await platform.objects.delete([key])
    except StorageError as error:
        platform.log({"event": "discard_failed", "keys": [key], "reason": str(error)})


async def _erased(platform: Platform, artwork: Artwork) -> bool:
    """Whether the record is gone; it stays when it is another revision by now."""
    known = (artwork.id, artwork.revision)
    rows = await transact(
        platform,
        (sql.UNCOUNT_ARTWORK, known),
        uploads.remove(*known),
        (sql.DELETE_ARTWORK, known),
        (sql.ARTWORK, (artwork.id,)),
    )
    return not rows[3]


async def _own_artwork(platform: Platform, caller: Caller, artwork_id: str, if_match: str | None) -> Artwork:
    artwork = await found_artwork(platform, artwork_id)
    check_owner(artwork, caller)
    if not revision_allowed(if_match, artwork.revision):
        raise PreconditionFailed
    return artwork


async def _written(platform: Platform, artwork: Artwork) -> Artwork:
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
    rows = await transact(platform, (sql.UPDATE_ARTWORK, values), (sql.ARTWORK, (artwork.id,)))
    row = first(rows[1])
    if row is None:
        raise NotFound(MISSING)
    return artwork_of(row)


def _changes(body: Mapping[str, Any]) -> dict[str, Any]:
    changes = {name: read(body) for wire, (name, read) in _EDITABLE.items() if wire in body}
    if not changes:
        raise InvalidRequest(f"Nothing to change: name at least one of {', '.join(_EDITABLE)}.")
    return changes


_EDITABLE: dict[str, tuple[str, Callable[[Mapping[str, Any]], Any]]] = {
    "title": ("title", fields.title_of),
    "description": ("description", fields.description_text_of),
    "materials": ("materials", fields.materials_of),
    "dimensions": ("dimensions", fields.dimensions_of),
    "createdDate": ("created_date", fields.date_of),
    "category": ("category", fields.category_of),
    "tags": ("tags", fields.tags_of),
    "isFeatured": ("is_featured", fields.featured_of),
}
