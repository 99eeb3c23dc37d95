"""Rendering an artwork again: new keys first, then the record, then the old renditions go."""

from __future__ import annotations

from gallery import claims, pipeline, sql
from gallery.artwork import Artwork, Variant, artwork_of
from gallery.auth import Caller
from gallery.claims import Claim
from gallery.creation import checked_original
from gallery.editing import found_artwork
from gallery.errors import Conflict, DatabaseError, Forbidden, NotFound, ProcessingFailed, Unavailable
from gallery.keys import rendition_keys
from gallery.pipeline import Job, Processed
from gallery.ports import Platform, Statement
from gallery.records import first, transact
from gallery.settings import Settings
from gallery.times import Stopwatch, iso
from gallery.wire import original_of


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
    """The artwork with new renditions; until its record changes the old URLs stay valid."""
    artwork = await found_artwork(platform, artwork_id)
    if artwork.user_id != caller.user_id and not caller.is_operator:
        raise Forbidden("This artwork belongs to someone else.")
    async with platform.gate.place(caller.user_id, platform.ticks, platform.sleep):
        watch.lap("queue")
        return await _reprocess(platform, settings, artwork, base=base, request_id=request_id, watch=watch)


async def _reprocess(
    platform: Platform, settings: Settings, artwork: Artwork, *, base: str, request_id: str, watch: Stopwatch
) -> Artwork:
    seconds = settings.variant_deadline + claims.MARGIN
    claim, current = await claims.take(platform, artwork.original_key, seconds)
    if claim is None:
        raise claims.busy()
    watch.lap("records")
    try:
        artwork = _still_there(artwork, current)
        info = await checked_original(platform, settings, original_of(artwork))
        job = Job(original_of(artwork), info.etag, artwork.username, claim.attempt, request_id)
        made = await pipeline.process_uploaded_image(
            platform, job, token=settings.worker_token, deadline=settings.variant_deadline, base=base
        )
    except Exception:
        await claims.release(platform, claim)
        raise
    watch.stages |= {variant: rendition.ms for variant, rendition in made.renditions.items()}
    watch.lap("renditions")
    renewed = await _commit(platform, artwork, claim, job, made)
    watch.lap("commit")
    old = rendition_keys(job.original, artwork.version).values()
    platform.background(pipeline.discard(platform, old))
    return renewed


def _still_there(known: Artwork, current: Artwork | None) -> Artwork:
    """The record as it is now, for it may have changed while the request waited."""
    if current is None or current.id != known.id:
        raise NotFound("There is no such artwork.")
    return current


async def _commit(platform: Platform, artwork: Artwork, claim: Claim, job: Job, made: Processed) -> Artwork:
    error: Exception = Conflict()
    try:
        rows = await transact(
            platform,
            _renewal(platform, artwork, claim, made),
            (sql.SETTLE_CLAIM, (claim.original_key, claim.holder, artwork.id)),
            (sql.ARTWORK, (artwork.id,)),
        )
        row = first(rows[2])
    except (DatabaseError, Unavailable) as fault:
        platform.log({"event": "commit_unclear", "reason": repr(fault)})
        # Once the claim is gone, a commit that is still on its way changes nothing.
        rows = await transact(
            platform, claims.release_statement(platform, claim), (sql.ARTWORK, (artwork.id,))
        )
        row, error = first(rows[1]), ProcessingFailed()
    if row is not None and (renewed := artwork_of(row)).version == claim.attempt:
        return renewed
    await pipeline.discard(platform, job.keys.values())
    await claims.release(platform, claim)
    raise error


def _renewal(platform: Platform, artwork: Artwork, claim: Claim, made: Processed) -> Statement:
    display, thumbnail = made.renditions[Variant.WATERMARK], made.renditions[Variant.THUMBNAIL]
    return sql.RENEW_ARTWORK, (
        artwork.id,
        claim.original_key,
        claim.holder,
        claim.attempt,
        display.width,
        display.height,
        display.source_width,
        display.source_height,
        thumbnail.dominant_color,
        thumbnail.thumb_hash,
        iso(made.processed_at),
        iso(platform.now()),
        *made.urls.values(),
        int(platform.now() * 1000),
    )
