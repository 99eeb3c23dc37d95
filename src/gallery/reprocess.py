"""Rendering an artwork again: new keys first, then the record, then the old renditions go."""

from __future__ import annotations

from collections.abc import Iterable

from gallery import cleanup, pipeline
from gallery.access.authentication import Caller
from gallery.artwork import Artwork, original_of
from gallery.cleanup import purge
from gallery.create import check_original, found_original
from gallery.edit import MISSING, check_owner, found_artwork
from gallery.errors import Conflict, DatabaseError, NotFound, OriginalReplaced, ProcessingFailed, Unavailable
from gallery.keys import OriginalKey, rendition_keys
from gallery.pipeline import Job, Processed
from gallery.ports import Platform, Statement
from gallery.settings import Settings
from gallery.store import artworks, leases, uploads
from gallery.store.artworks import artwork_of
from gallery.store.database import first, transact
from gallery.store.leases import Lease
from gallery.times import Stopwatch, iso
from gallery.variants import Variant

NO_ORIGINAL = "The original of this artwork is not kept here, so it cannot be rendered again."


async def reprocess_artwork(
    platform: Platform,
    settings: Settings,
    caller: Caller,
    artwork_id: str,
    *,
    base: str,
    request_id: str,
    watch: Stopwatch,
) -> Artwork:
    """The artwork with new renditions; until its record changes the old URLs stay valid.

    Raises Forbidden, NotFound, Conflict, OriginalReplaced and what rendering raises.
    """
    artwork = await found_artwork(platform, artwork_id)
    check_owner(artwork, caller, operators=True)
    return await renew(
        platform,
        settings,
        artwork,
        user_id=caller.user_id,
        base=base,
        request_id=request_id,
        watch=watch,
    )


async def renew(
    platform: Platform,
    settings: Settings,
    artwork: Artwork,
    *,
    user_id: str,
    base: str,
    request_id: str,
    watch: Stopwatch,
) -> Artwork:
    """The artwork with new renditions; it waits among what `user_id` has asked for.

    Raises NotFound without an original of ours.
    """
    original = original_of(artwork)
    if original is None:
        raise NotFound(NO_ORIGINAL)
    async with platform.gate.place(user_id, platform.ticks, platform.sleep):
        watch.lap("queue")
        return await _renew(
            platform, settings, artwork, original, base=base, request_id=request_id, watch=watch
        )


async def _renew(
    platform: Platform,
    settings: Settings,
    artwork: Artwork,
    original: OriginalKey,
    *,
    base: str,
    request_id: str,
    watch: Stopwatch,
) -> Artwork:
    seconds = settings.variant_deadline + leases.MARGIN
    lease, current = await leases.take(platform, original, seconds)
    if lease is None:
        raise leases.busy()
    watch.lap("records")
    # The keys of this try are its own: nobody else writes to them, and it may delete them at any time.
    keys = rendition_keys(original, lease.attempt).values()
    try:
        artwork = _still_there(artwork, current)
        info = await found_original(platform, original)
        if artwork.original_etag not in (None, info.etag):
            raise OriginalReplaced
        await check_original(platform, settings, info, lease)
        job = Job(original, info.etag, artwork.username, lease.attempt, lease.attempt, request_id)
        made = await pipeline.process_uploaded_image(
            platform,
            job,
            token=settings.worker_token,
            deadline=settings.variant_deadline,
            base=base,
            discard_late=lambda: cleanup.delete_renditions(platform, keys),
        )
    except Exception:
        await cleanup.delete_renditions(platform, keys)
        await leases.release(platform, lease)
        raise
    watch.stages |= {variant: rendition.ms for variant, rendition in made.renditions.items()}
    watch.lap("renditions")
    renewed = await _commit(platform, artwork, lease, job, made)
    watch.lap("commit")
    old = rendition_keys(original, artwork.version).values()
    platform.background(_discard_old(platform, settings, artwork, old))
    return renewed


async def _discard_old(platform: Platform, settings: Settings, artwork: Artwork, old: Iterable[str]) -> None:
    await cleanup.delete_renditions(platform, old)
    await purge(platform, settings, artwork)


def _still_there(known: Artwork, current: Artwork | None) -> Artwork:
    """The record as it is now, for it may have changed while the request waited."""
    if current is None or current.id != known.id:
        raise NotFound(MISSING)
    return current


async def _commit(platform: Platform, artwork: Artwork, lease: Lease, job: Job, made: Processed) -> Artwork:
    error: Exception = Conflict()
    try:
        rows = await transact(
            platform,
            _renewal(platform, artwork, lease, job, made),
            uploads.settle(lease.key, lease.holder, artwork.id),
            (artworks.ARTWORK, (artwork.id,)),
        )
        row = first(rows[2])
    except (DatabaseError, Unavailable) as fault:
        platform.log({"event": "commit_unclear", "reason": repr(fault)})
        # Once the lease is gone, a commit that is still on its way changes nothing.
        rows = await transact(
            platform, uploads.release(lease.key, lease.holder), (artworks.ARTWORK, (artwork.id,))
        )
        row, error = first(rows[1]), ProcessingFailed()
    if row is not None and (renewed := artwork_of(row)).version == lease.attempt:
        return renewed
    await cleanup.delete_renditions(platform, job.keys.values())
    await leases.release(platform, lease)
    raise error


def _renewal(platform: Platform, artwork: Artwork, lease: Lease, job: Job, made: Processed) -> Statement:
    display, thumbnail = made.renditions[Variant.WATERMARK], made.renditions[Variant.THUMBNAIL]
    return artworks.RENEW_ARTWORK, (
        artwork.id,
        lease.key,
        lease.holder,
        lease.attempt,
        display.width,
        display.height,
        display.source_width,
        display.source_height,
        thumbnail.dominant_color,
        thumbnail.thumb_hash,
        iso(made.processed_at),
        iso(platform.now()),
        *made.urls.values(),
        job.etag,
    )
