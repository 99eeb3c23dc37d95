"""Creating an artwork: an uploaded original becomes three renditions and one record, or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import ceil

from gallery import cleanup, pipeline
from gallery.artwork import Artwork, Description, User
from gallery.errors import (
    ArtworkLimitReached,
    DatabaseError,
    GalleryError,
    NotFound,
    ProcessingFailed,
    RateLimited,
    StorageError,
    Suspended,
    TooLarge,
    Unavailable,
    UnreadableImage,
    UnsupportedType,
    UserNotFound,
)
from gallery.formats import ACCEPTED_TYPES, HEAD_BYTES, media_type_of, type_of
from gallery.keys import FIRST_VERSION, OriginalKey
from gallery.names import slug_of
from gallery.pipeline import Job, Processed
from gallery.ports import ObjectInfo, Platform, Row, Statement
from gallery.settings import Settings
from gallery.store import artworks, leases, uploads, users
from gallery.store.artworks import artwork_of, text_of_tags
from gallery.store.database import first, transact
from gallery.store.leases import Lease
from gallery.store.users import user_of
from gallery.times import Stopwatch, iso
from gallery.variants import Variant


@dataclass(frozen=True, slots=True)
class CreateRequest:
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


async def create_artwork(
    platform: Platform, settings: Settings, order: CreateRequest, watch: Stopwatch
) -> Created:
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
    platform: Platform, settings: Settings, order: CreateRequest, user: User, watch: Stopwatch
) -> Created:
    seconds = settings.variant_deadline + leases.MARGIN
    lease, existing = await leases.take(platform, order.original, seconds)
    if existing is not None:
        if lease is not None:
            await leases.release(platform, lease)
        return Created(existing, None)
    if lease is None:
        raise leases.busy()
    watch.lap("records")
    info = None
    try:
        info = await found_original(platform, order.original)
        await check_original(platform, settings, info, lease)
        watch.lap("original")
        job = Job(order.original, info.etag, user.username, FIRST_VERSION, lease.attempt, order.request_id)
        processed = await pipeline.process_uploaded_image(
            platform,
            job,
            token=settings.worker_token,
            deadline=settings.variant_deadline,
            base=order.base,
            discard_late=lambda: cleanup.clean_up(platform, lease),
        )
        watch.stages |= {variant: made.ms for variant, made in processed.renditions.items()}
        watch.lap("renditions")
    except NotFound:
        await leases.forget(platform, lease)
        raise
    except (TooLarge, UnsupportedType, UnreadableImage):
        await cleanup.clean_up(platform, lease, refused=info)
        raise
    except Exception:
        await cleanup.clean_up(platform, lease)
        raise
    created = await _commit(platform, order, lease, info.etag, processed)
    watch.lap("commit")
    return created


async def found_original(platform: Platform, original: OriginalKey) -> ObjectInfo:
    """What the store knows of an uploaded original. Raises NotFound."""
    info = await platform.objects.head(str(original))
    if info is None:
        raise NotFound("Nothing was uploaded under this key. Please upload the file first.")
    return info


async def check_original(platform: Platform, settings: Settings, info: ObjectInfo, lease: Lease) -> None:
    """Whether size, type and first bytes are acceptable, and those that its ticket announced.

    Raises TooLarge, UnreadableImage or UnsupportedType.
    """
    if info.size > settings.max_upload_bytes:
        raise TooLarge(f"The file may have at most {settings.max_upload_bytes} bytes.")
    if info.size == 0:
        raise UnreadableImage("The file is empty.")
    if lease.size not in (None, info.size):
        raise UnreadableImage(f"The file has {info.size} bytes, not the {lease.size} that were announced.")
    head = await platform.objects.read(info.key, 0, min(HEAD_BYTES, info.size))
    meant = media_type_of(info.content_type)
    if meant is None or lease.content_type not in (None, meant) or type_of(head or b"") != meant:
        raise UnsupportedType(
            f"The file is not what its type says. Please upload one of {', '.join(ACCEPTED_TYPES)}."
        )


async def _known(platform: Platform, order: CreateRequest) -> tuple[User, Artwork | None]:
    rows = await transact(
        platform, (users.USER, (order.user_id,)), (artworks.ARTWORK_OF_ORIGINAL, (str(order.original),))
    )
    user, recorded = first(rows[0]), first(rows[1])
    if user is None:
        raise UserNotFound()
    return user_of(user), artwork_of(recorded) if recorded else None


async def _commit(
    platform: Platform, order: CreateRequest, lease: Lease, etag: str, made: Processed
) -> Created:
    artwork_id = f"art_{platform.uuid().replace('-', '')}"
    refusal: GalleryError
    try:
        rows = await transact(
            platform,
            _insertion(platform, artwork_id, order, lease, etag, made),
            (artworks.COUNT_ARTWORK, (order.user_id, artwork_id, lease.key, lease.holder)),
            uploads.settle(lease.key, lease.holder, artwork_id, _pinned(lease, made)),
            (artworks.ARTWORK_OF_ORIGINAL, (lease.key,)),
            (users.USER, (order.user_id,)),
        )
        recorded, refusal = first(rows[3]), _refusal(first(rows[4]))
    except (DatabaseError, Unavailable) as error:
        platform.log({"event": "commit_unclear", "reason": repr(error)})
        lease, recorded = await _outcome(platform, lease)
        refusal = ProcessingFailed()
    if recorded is None:
        await cleanup.clean_up(platform, lease)
        raise refusal
    artwork = artwork_of(recorded)
    # When this try was too late, another may have recorded the original meanwhile.
    return Created(artwork, made if artwork.id == artwork_id else None)


async def _outcome(platform: Platform, lease: Lease) -> tuple[Lease, Row | None]:
    # Under a new holder a commit that is still on its way records nothing, so what is read here is final.
    # Where even this cannot be asked, the renditions stay for the row that may exist; the sweeper decides.
    held = await leases.reclaim(platform, lease)
    rows = await transact(platform, (artworks.ARTWORK_OF_ORIGINAL, (lease.key,)))
    return held or lease, first(rows[0])


def _pinned(lease: Lease, made: Processed) -> str | None:
    """The ETags that the sweeper compares later, where an earlier try may still write."""
    if lease.attempt == 1:
        return None
    return json.dumps({variant: rendition.etag for variant, rendition in made.renditions.items()})


def _refusal(user: Row | None) -> GalleryError:
    if user is None:
        return UserNotFound()
    if user_of(user).is_suspended:
        return Suspended()
    # With room left it was the lease that had ended.
    return ProcessingFailed() if user_of(user).remaining else ArtworkLimitReached()


def _insertion(
    platform: Platform, artwork_id: str, order: CreateRequest, lease: Lease, etag: str, made: Processed
) -> Statement:
    text = order.description
    display, thumbnail = made.renditions[Variant.WATERMARK], made.renditions[Variant.THUMBNAIL]
    return artworks.INSERT_ARTWORK, (
        artwork_id,
        order.user_id,
        slug_of(text.title),
        text.title,
        text.description,
        text.materials,
        text.dimensions,
        text.created_date,
        text.category,
        text_of_tags(text.tags),
        lease.key,
        FIRST_VERSION,
        display.width,
        display.height,
        display.source_width,
        display.source_height,
        thumbnail.dominant_color,
        thumbnail.thumb_hash,
        iso(made.processed_at),
        iso(platform.now()),
        lease.holder,
        *made.urls.values(),
        etag,
    )


async def create_unless_failing(
    platform: Platform, settings: Settings, order: CreateRequest, watch: Stopwatch
) -> Created:
    """Create an artwork. Raises RateLimited when too many originals of this user were refused lately."""
    seconds = platform.refused.seconds_left(order.user_id, platform.ticks())
    if seconds > 0:
        raise RateLimited(ceil(seconds))
    try:
        return await create_artwork(platform, settings, order, watch)
    except (TooLarge, UnsupportedType, UnreadableImage):
        await _count(platform, order.user_id)
        raise


async def _count(platform: Platform, user_id: str) -> None:
    try:
        allowed = await platform.failures.allows(user_id)
    except StorageError as error:
        platform.log({"event": "limiter_failed", "reason": str(error)})
        return
    if not allowed:
        platform.refused.refuse(user_id, platform.ticks())
