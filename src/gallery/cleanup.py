"""What tries that failed and uploads that ended leave in the bucket, deleted by whoever holds the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gallery.artwork import Artwork, original_of
from gallery.errors import DatabaseError, StorageError, Unavailable
from gallery.keys import FIRST_VERSION, parse_original, rendition_keys, urls_of
from gallery.ports import ObjectInfo, Platform, Row
from gallery.settings import Settings
from gallery.store import artworks, leases, uploads
from gallery.store.database import transact
from gallery.store.leases import Lease
from gallery.store.uploads import Upload

HOLD_SECONDS = 300
DELETE_SECONDS = 30.0
KEYS_OF_ONE_CALL = 1000  # R2's limit
# Versions whose keys are deleted without looking; a lease more often taken than this belongs to an attack.
VERSIONS = 300


async def clean_up(platform: Platform, lease: Lease, *, refused: ObjectInfo | None = None) -> None:
    """Delete what a failed try has written, and a refused original, unless somebody else is at it by now.

    What cannot be deleted stays under the lease until that ends, and for the sweeper after that.
    """
    try:
        held = await leases.reclaim(platform, lease)
        if held is None:
            return
        keys = list(rendition_keys(lease.original, FIRST_VERSION).values())
        is_clean = await delete_renditions(platform, keys)
        if refused is not None:
            is_clean &= await _delete_refused(platform, refused)
        if not is_clean:
            return
        finish = uploads.close if refused is not None else uploads.release
        await transact(platform, finish(held.key, held.holder))
    except (DatabaseError, Unavailable) as error:
        platform.log({"event": "release_failed", "key": lease.key, "reason": repr(error)})


async def _delete_refused(platform: Platform, refused: ObjectInfo) -> bool:
    """Whether the original that was refused is gone; what was put in its place meanwhile stays."""
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
    """Uploads that were due: keys of those that were removed, and those that have an artwork.

    The leases of the latter are still held by `holder`.
    """

    holder: str
    removed: Sequence[str]
    recorded: Sequence[tuple[Upload, Row]]


async def end_due(platform: Platform, most: int, *, user_id: str | None = None) -> Ended:
    """Delete what is left of at most `most` uploads that are due.

    Their leases are taken first: no create can begin meanwhile, and one that is late finds its lease gone.
    Raises StorageError, DatabaseError, Unavailable; what was not deleted is due again when the leases end.
    """
    holder, start = platform.uuid(), platform.ticks()
    rows = (await transact(platform, uploads.take_due(holder, HOLD_SECONDS, most, user_id)))[0]
    due = [uploads.upload_of(row) for row in rows]
    records = await recorded_of(platform, (upload.key for upload in due))
    removed = [upload.key for upload in due if upload.key not in records]
    recorded = [(upload, records[upload.key]) for upload in due if upload.key in records]
    keys = [key for upload in due for key in _remains(upload, records.get(upload.key))]
    if platform.ticks() - start > HOLD_SECONDS / 2:
        raise StorageError("the leases are nearly over")
    gone = set(await delete_objects(platform, keys))
    await transact(platform, uploads.end(removed, holder))
    return Ended(holder, [key for key in removed if key in gone], recorded)


async def unnamed(platform: Platform, keys: Sequence[str]) -> list[str]:
    """Those of the keys that no artwork of another program names in its URLs."""
    if not keys:
        return []
    rows = (await transact(platform, (artworks.NAMED_OF, (uploads.listed(keys),))))[0]
    named = {row["key"] for row in rows}
    return [key for key in keys if key not in named]


async def delete_objects(platform: Platform, keys: Sequence[str]) -> list[str]:
    """Delete objects, as many as there are, but for those of other programs' artworks; which these were.

    Raises StorageError, DatabaseError, Unavailable.
    """
    keys = await unnamed(platform, keys)
    for start in range(0, len(keys), KEYS_OF_ONE_CALL):
        try:
            part = keys[start : start + KEYS_OF_ONE_CALL]
            await asyncio.wait_for(platform.objects.delete(part), DELETE_SECONDS)
        except TimeoutError as error:
            raise StorageError("the bucket does not answer") from error
    return keys


async def recorded_of(platform: Platform, keys: Iterable[str]) -> dict[str, Row]:
    """The recorded artworks of originals: id, version and the original's ETag."""
    rows = (await transact(platform, (artworks.RECORDED_OF, (uploads.listed(keys),))))[0]
    return {row["original_key"]: row for row in rows}


def _remains(upload: Upload, record: Row | None) -> list[str]:
    """Keys of everything that may be left of an upload, but for what its artwork has."""
    original = parse_original(upload.key)
    if original is None:
        return []
    last = max(1, upload.attempt)
    versions = [1, *range(max(2, last - VERSIONS + 2), last + 1)]
    kept = record["version"] if record else None
    keys = [] if record else [upload.key]
    return keys + [k for v in versions if v != kept for k in rendition_keys(original, v).values()]


async def purge(platform: Platform, settings: Settings, artwork: Artwork) -> None:
    """Purge an artwork's URLs, where a domain, its zone and a token are configured; a failure is logged."""
    if not (settings.cdn_domain and settings.cdn_zone_id and settings.cdn_purge_token):
        return
    original = original_of(artwork)
    if original is None:  # another program's, and so are its files
        return
    urls = list(urls_of(settings.cdn_domain, original, artwork.version).values())
    try:
        await platform.purge(settings.cdn_purge_api, settings.cdn_zone_id, settings.cdn_purge_token, urls)
    except StorageError as error:
        platform.log({"event": "purge_failed", "keys": urls, "reason": str(error)})


HINT_SECONDS = 1.0  # a flag is a hint, for which nothing waits any longer
DISCARD_SECONDS = 5.0


def flag_of(key: str) -> str:
    return f"ready:{key}"


async def delete_renditions(platform: Platform, keys: Iterable[str]) -> bool:
    """Delete renditions and their flags; whether the renditions are gone. The sweeper deletes the others."""
    keys = list(keys)
    removals = [platform.objects.delete(keys), *(platform.flags.delete(flag_of(key)) for key in keys)]
    bounded = [asyncio.wait_for(removal, DISCARD_SECONDS) for removal in removals]
    outcomes = await asyncio.gather(*bounded, return_exceptions=True)
    for error in outcomes:
        if isinstance(error, BaseException):
            platform.log({"event": "discard_failed", "keys": keys, "reason": repr(error)})
    return not isinstance(outcomes[0], BaseException)
