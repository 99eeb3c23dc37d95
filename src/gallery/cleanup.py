"""Deleting what failed attempts and expired uploads leave in the bucket, by whoever holds the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gallery.artwork import Artwork
from gallery.errors import DatabaseError, PortError, StorageError
from gallery.keys import FIRST_VERSION, all_keys, parse_original
from gallery.ports import ObjectInfo, Platform
from gallery.settings import Settings
from gallery.store import artworks, leases, uploads
from gallery.store.artworks import Record, record_of
from gallery.store.database import rows_of, transact
from gallery.store.leases import Lease
from gallery.store.uploads import Upload
from gallery.times import wait_for

HOLD_SECONDS = 300  # the leases of what is being deleted
DELETE_SECONDS = 30.0
DISCARD_SECONDS = 5.0
HINT_SECONDS = 1.0  # a flag is a hint: nothing waits longer for it
KEYS_OF_ONE_CALL = 1000  # R2's limit
# The most versions whose keys are deleted without looking; more leases than this are an attack.
VERSIONS = 300


def flag_of(key: str) -> str:
    """The name of a rendition's readiness flag."""
    return f"ready:{key}"


async def delete_renditions(platform: Platform, keys: Iterable[str]) -> bool:
    """Delete renditions and their flags; whether the renditions are deleted.

    The rest is left to the sweeper.
    """
    keys = list(keys)
    deletions = [platform.objects.delete(keys), *(platform.flags.delete(flag_of(key)) for key in keys)]
    bounded = [wait_for(deletion, DISCARD_SECONDS, platform.sleep) for deletion in deletions]
    outcomes = await asyncio.gather(*bounded, return_exceptions=True)
    for error in outcomes:
        if isinstance(error, BaseException):
            platform.log({"event": "discard_failed", "keys": keys, "reason": repr(error)})
    return outcomes[0] is None


async def clean_up(platform: Platform, lease: Lease, *, refused: ObjectInfo | None = None) -> None:
    """Delete what a failed attempt has written, and a refused original, and give the lease back.

    Nothing is done when another request holds the lease by now. What cannot be deleted stays under the lease
    until that ends, and is left to the sweeper.
    """
    try:
        held = await leases.reclaim(platform, lease)
        if held is None:
            return
        is_clean = await delete_renditions(platform, all_keys(lease.original, FIRST_VERSION))
        if refused is not None:
            is_clean &= await _delete_refused(platform, refused)
        if not is_clean:
            return
        end = uploads.close if refused is not None else uploads.release
        await transact(platform, end=end(held.key, held.holder))
    except DatabaseError as error:
        platform.log({"event": "release_failed", "key": lease.key, "reason": repr(error)})


async def _delete_refused(platform: Platform, refused: ObjectInfo) -> bool:
    """Whether the refused original is deleted; another file that was put in its place meanwhile stays."""
    try:
        found = await platform.objects.head(refused.key)
        if found is not None and found.etag == refused.etag:
            await platform.objects.delete([refused.key])
    except StorageError as error:
        platform.log({"event": "discard_failed", "keys": [refused.key], "reason": repr(error)})
        return False
    return True


@dataclass(frozen=True, slots=True)
class Ended:
    """Uploads that were due: the keys of those that were deleted, and those that have an artwork.

    `holder` still holds the leases of the latter.
    """

    holder: str
    removed: Sequence[str]
    recorded: Sequence[tuple[Upload, Record]]


async def end_due(platform: Platform, most: int, *, user_id: str | None = None) -> Ended:
    """Delete what is left of at most `most` uploads that are due, of one user or of all.

    Their leases are taken first: no create can begin meanwhile, and a late one finds its lease gone. What was
    not deleted is due again when the leases end. Raises StorageError, DatabaseError.
    """
    holder, start = platform.uuid(), platform.ticks()
    rows = await rows_of(platform, uploads.take_due(holder, HOLD_SECONDS, most, user_id))
    due = [uploads.upload_of(row) for row in rows]
    records = await find_records(platform, (upload.key for upload in due))
    removed = [upload.key for upload in due if upload.key not in records]
    recorded = [(upload, records[upload.key]) for upload in due if upload.key in records]
    keys = [key for upload in due for key in _remains(upload, records.get(upload.key))]
    if platform.ticks() - start > HOLD_SECONDS / 2:
        raise StorageError("the leases are nearly over")
    deleted = set(await delete_objects(platform, keys))
    await transact(platform, end=uploads.end(removed, holder))
    return Ended(holder, [key for key in removed if key in deleted], recorded)


async def end_due_of_user(platform: Platform, user_id: str, most: int) -> None:
    """As `end_due`, for one user; a failure is logged and left to the sweeper."""
    try:
        await end_due(platform, most, user_id=user_id)
    except PortError as error:
        platform.log({"event": "sweep_failed", "part": "uploads", "reason": repr(error)})


async def unreferenced(platform: Platform, keys: Sequence[str]) -> list[str]:
    """Those of the keys that are in no URL of an artwork of another program. Raises DatabaseError."""
    if not keys:
        return []
    referenced = {row["key"] for row in await rows_of(platform, artworks.referenced(keys))}
    return [key for key in keys if key not in referenced]


async def delete_objects(platform: Platform, keys: Sequence[str]) -> list[str]:
    """Delete any number of objects, apart from those of other programs' artworks; the keys of the deleted.

    Raises StorageError, DatabaseError.
    """
    keys = await unreferenced(platform, keys)
    for start in range(0, len(keys), KEYS_OF_ONE_CALL):
        part = keys[start : start + KEYS_OF_ONE_CALL]
        try:
            await wait_for(platform.objects.delete(part), DELETE_SECONDS, platform.sleep)
        except TimeoutError as error:
            raise StorageError("the bucket does not answer") from error
    return keys


async def find_records(platform: Platform, keys: Iterable[str]) -> dict[str, Record]:
    """The records of artworks by the keys of their originals. Raises DatabaseError."""
    rows = await rows_of(platform, artworks.records_of_originals(keys))
    return {row["original_key"]: record_of(row) for row in rows}


async def purge(platform: Platform, settings: Settings, artwork: Artwork) -> None:
    """Delete an artwork's URLs from the CDN's cache, where that is configured; a failure is logged."""
    if not (settings.cdn_domain and settings.cdn_zone_id and settings.cdn_purge_token):
        return
    if artwork.original is None:  # another program's artwork, whose files are its own
        return
    keys = [str(artwork.original), *all_keys(artwork.original, artwork.version)]
    urls = [f"{settings.cdn_domain}/{key}" for key in keys]
    try:
        await platform.purge(settings.cdn_purge_api, settings.cdn_zone_id, settings.cdn_purge_token, urls)
    except StorageError as error:
        platform.log({"event": "purge_failed", "keys": urls, "reason": str(error)})


def _remains(upload: Upload, record: Record | None) -> list[str]:
    """The keys of everything that may be left of an upload, apart from what its artwork has."""
    original = parse_original(upload.key)
    if original is None:
        return []
    last = max(1, upload.attempt)
    versions = [1, *range(max(2, last - VERSIONS + 2), last + 1)]
    kept = record.version if record else None
    keys = [] if record else [upload.key]
    return keys + [k for v in versions if v != kept for k in all_keys(original, v)]
