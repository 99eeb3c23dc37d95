"""Creating an artwork: an uploaded original becomes three renditions and one record, or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gallery import claims, pipeline, sql
from gallery.artwork import Artwork, Description, Row, User, Variant, artwork_of, user_of
from gallery.claims import Claim
from gallery.errors import (
    ArtworkLimitReached,
    Conflict,
    DatabaseError,
    GalleryError,
    NotFound,
    ProcessingFailed,
    TooLarge,
    Unavailable,
    UnreadableImage,
    UnsupportedType,
)
from gallery.keys import ACCEPTED_TYPES, OriginalKey
from gallery.originals import HEAD_BYTES, type_of
from gallery.pipeline import Job, Processed
from gallery.ports import ObjectInfo, Platform, Statement
from gallery.records import first, transact
from gallery.settings import Settings
from gallery.slugs import slug_of
from gallery.times import Stopwatch, iso


@dataclass(frozen=True, slots=True)
class Order:
    """One create as it was asked for; `base` is what public URLs begin with."""

    user_id: str
    original: OriginalKey
    description: Description
    base: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Created:
    """`processed` is None when the original had its artwork already."""

    artwork: Artwork
    processed: Processed | None


async def create_artwork(platform: Platform, settings: Settings, order: Order, watch: Stopwatch) -> Created:
    """Render and record, or leave nothing. The same original again gives the artwork that exists."""
    user, existing = await _known(platform, order)
    if existing is not None:
        return Created(existing, None)
    if not user.remaining:
        raise ArtworkLimitReached
    watch.lap("user")
    async with platform.gate.place(user.id, platform.ticks, platform.sleep):
        watch.lap("queue")
        return await _create(platform, settings, order, user, watch)


async def _create(
    platform: Platform, settings: Settings, order: Order, user: User, watch: Stopwatch
) -> Created:
    seconds = settings.variant_deadline + claims.MARGIN
    claim, existing = await claims.take(platform, str(order.original), seconds)
    if existing is not None:
        if claim is not None:
            await claims.release(platform, claim)
        return Created(existing, None)
    if claim is None:
        raise claims.busy()
    watch.lap("records")
    try:
        info = await checked_original(platform, settings, order.original)
        watch.lap("original")
        job = Job(order.original, info.etag, user.username, claim.attempt, order.request_id)
        processed = await pipeline.process_uploaded_image(
            platform, job, token=settings.worker_token, deadline=settings.variant_deadline, base=order.base
        )
        watch.stages |= {variant: made.ms for variant, made in processed.renditions.items()}
        watch.lap("renditions")
    except Exception:
        await claims.release(platform, claim)
        raise
    artwork = await _commit(platform, order, claim, job, processed)
    watch.lap("commit")
    return Created(artwork, processed)


async def checked_original(platform: Platform, settings: Settings, original: OriginalKey) -> ObjectInfo:
    """What the store knows of an uploaded original, once size, type and first bytes are acceptable."""
    info = await platform.objects.head(str(original))
    if info is None:
        raise NotFound("Nothing was uploaded under this key. Please upload the file first.")
    if info.size > settings.max_upload_bytes:
        raise TooLarge(f"The file may have at most {settings.max_upload_bytes} bytes.")
    if info.size == 0:
        raise UnreadableImage("The file is empty.")
    head = await platform.objects.read(str(original), 0, min(HEAD_BYTES, info.size))
    if info.content_type not in ACCEPTED_TYPES or type_of(head or b"") != info.content_type:
        raise UnsupportedType(
            f"The file is not what its type says. Please upload one of {', '.join(ACCEPTED_TYPES)}."
        )
    return info


async def _known(platform: Platform, order: Order) -> tuple[User, Artwork | None]:
    rows = await transact(
        platform, (sql.USER, (order.user_id,)), (sql.ARTWORK_OF_ORIGINAL, (str(order.original),))
    )
    user, recorded = first(rows[0]), first(rows[1])
    if user is None:
        raise NotFound("There is no such user.")
    return user_of(user), artwork_of(recorded) if recorded else None


async def _commit(platform: Platform, order: Order, claim: Claim, job: Job, made: Processed) -> Artwork:
    artwork_id = f"art_{platform.uuid().replace('-', '')}"
    refusal: GalleryError
    try:
        rows = await transact(
            platform,
            _insertion(platform, artwork_id, order, claim, made),
            (sql.COUNT_ARTWORK, (order.user_id, artwork_id, claim.original_key, claim.holder)),
            (sql.SETTLE_CLAIM, (claim.original_key, claim.holder, artwork_id)),
            (sql.ARTWORK, (artwork_id,)),
            (sql.USER, (order.user_id,)),
        )
        recorded, refusal = first(rows[3]), _refusal(first(rows[4]))
    except (DatabaseError, Unavailable) as error:
        platform.log({"event": "commit_unclear", "reason": repr(error)})
        recorded, refusal = await _outcome(platform, claim, artwork_id), ProcessingFailed()
    if recorded is not None:
        return artwork_of(recorded)
    await pipeline.discard(platform, job.keys.values())
    await claims.release(platform, claim)
    raise refusal


async def _outcome(platform: Platform, claim: Claim, artwork_id: str) -> Row | None:
    # Without its claim a commit that is still on its way records nothing, so what is read here is final.
    # Where even this cannot be asked, the renditions stay for the row that may exist; the sweeper decides.
    rows = await transact(platform, claims.release_statement(platform, claim), (sql.ARTWORK, (artwork_id,)))
    return first(rows[1])


def _refusal(user: Row | None) -> GalleryError:
    if user is None:
        return NotFound("There is no such user.")
    return ArtworkLimitReached() if not user_of(user).remaining else Conflict()


def _insertion(platform: Platform, artwork_id: str, order: Order, claim: Claim, made: Processed) -> Statement:
    text = order.description
    display, thumbnail = made.renditions[Variant.WATERMARK], made.renditions[Variant.THUMBNAIL]
    return sql.INSERT_ARTWORK, (
        artwork_id,
        order.user_id,
        slug_of(text.title),
        text.title,
        text.description,
        text.materials,
        text.dimensions,
        text.created_date,
        text.category,
        json.dumps(text.tags, ensure_ascii=False),
        claim.original_key,
        claim.attempt,
        display.width,
        display.height,
        display.source_width,
        display.source_height,
        thumbnail.dominant_color,
        thumbnail.thumb_hash,
        iso(made.processed_at),
        iso(platform.now()),
        claim.holder,
        *made.urls.values(),
        int(platform.now() * 1000),
    )
