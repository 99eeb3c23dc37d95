"""Creating an artwork: an uploaded original becomes three renditions and one record, or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import ceil

from gallery import cleanup
from gallery.artwork import Artwork, Description, User
from gallery.errors import (
    ArtworkLimitReached,
    DatabaseError,
    GalleryError,
    ProcessingFailed,
    RateLimited,
    StorageError,
    Suspended,
    UserNotFound,
)
from gallery.keys import FIRST_VERSION, OriginalKey
from gallery.pipeline import REFUSALS, Processed
from gallery.ports import Platform, Row
from gallery.render import RenderContext, busy, leased, render
from gallery.settings import Settings
from gallery.store import artworks, leases, uploads, users
from gallery.store.artworks import artwork_of
from gallery.store.database import first, only, transact
from gallery.store.leases import Lease
from gallery.store.users import user_of
from gallery.times import iso


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """What a user asks for: an artwork of an original of theirs."""

    user_id: str
    original: OriginalKey
    description: Description


@dataclass(frozen=True, slots=True)
class Created:
    """The artwork, and whether it is new: the same original again gives the artwork that exists."""

    artwork: Artwork
    is_new: bool


async def create_unless_failing(
    platform: Platform, settings: Settings, request: CreateRequest, context: RenderContext
) -> Created:
    """Create an artwork, unless too many originals of this user were refused recently. Raises RateLimited.

    A refused original costs no quota, but as much work as an accepted one. The rate limit counts the
    refusals, and cannot be asked without counting, so the isolate remembers the users that have reached it.
    """
    refused = platform.isolate.refused
    seconds = refused.seconds_left(request.user_id, platform.ticks())
    if seconds > 0:
        raise RateLimited(ceil(seconds))
    try:
        return await create_artwork(platform, settings, request, context)
    except REFUSALS:
        if not await _allows_failure(platform, request.user_id):
            refused.refuse(request.user_id, platform.ticks())
        raise


async def _allows_failure(platform: Platform, user_id: str) -> bool:
    try:
        return await platform.limits.failures.allows(user_id)
    except StorageError as error:
        platform.log({"event": "limiter_failed", "reason": str(error)})
        return True


async def create_artwork(
    platform: Platform, settings: Settings, request: CreateRequest, context: RenderContext
) -> Created:
    """Render an original and record its artwork, or leave nothing behind.

    Raises UserNotFound, ArtworkLimitReached, Suspended, Conflict, DatabaseError, and what `render` raises.
    """
    user, existing = await _find_user_and_artwork(platform, request)
    if existing is not None:
        return Created(existing, is_new=False)
    if not user.remaining:
        raise ArtworkLimitReached
    context.watch.lap("user")
    async with leased(platform, settings, request.original, user.id, context.watch) as (lease, existing):
        if existing is not None:
            if lease is not None:
                await leases.release(platform, lease)
            return Created(existing, is_new=False)
        if lease is None:
            raise busy()
        held = lease
        processed = await render(
            platform,
            settings,
            lease,
            context,
            username=user.username,
            version=FIRST_VERSION,
            etag=None,
            discard=lambda refused: cleanup.clean_up(platform, held, refused=refused),
        )
        created = await _commit(platform, request, lease, processed)
        context.watch.lap("commit")
        return created


async def _find_user_and_artwork(platform: Platform, request: CreateRequest) -> tuple[User, Artwork | None]:
    rows = await transact(
        platform,
        user=users.find(request.user_id),
        artwork=artworks.find_by_original(str(request.original)),
    )
    user, recorded = first(rows["user"]), first(rows["artwork"])
    if user is None:
        raise UserNotFound
    return user_of(user), artwork_of(recorded) if recorded else None


async def _commit(platform: Platform, request: CreateRequest, lease: Lease, processed: Processed) -> Created:
    artwork_id = f"art_{platform.uuid().replace('-', '')}"
    insertion = artworks.insert(
        artwork_id,
        request.user_id,
        lease.key,
        request.description,
        processed.rendered,
        holder=lease.holder,
        now=iso(platform.now()),
    )
    error: GalleryError
    try:
        rows = await transact(
            platform,
            insert=insertion,
            count=artworks.count(artwork_id, request.user_id, lease.key, lease.holder),
            settle=uploads.settle(lease.key, lease.holder, artwork_id, _pinned_etags(lease, processed)),
            artwork=artworks.find_by_original(lease.key),
            user=users.find(request.user_id),
        )
        recorded, error = first(rows["artwork"]), _reason_for_no_record(first(rows["user"]))
    except DatabaseError as fault:
        platform.log({"event": "commit_unclear", "reason": repr(fault)})
        lease, recorded = await _outcome(platform, lease)
        error = ProcessingFailed()
    if recorded is None:
        await cleanup.clean_up(platform, lease)
        raise error
    artwork = artwork_of(recorded)
    # When this attempt was too late, another may have recorded the original meanwhile.
    return Created(artwork, is_new=artwork.id == artwork_id)


async def _outcome(platform: Platform, lease: Lease) -> tuple[Lease, Row | None]:
    # Under a new holder a commit that is still on its way records nothing, so what is read here is final.
    # When D1 does not answer even this, the renditions stay, because the row may exist; the sweeper decides.
    held = await leases.reclaim(platform, lease)
    return held or lease, await only(platform, artworks.find_by_original(lease.key))


def _pinned_etags(lease: Lease, processed: Processed) -> str | None:
    """The ETags that the sweeper compares later, where an earlier attempt may still write."""
    if lease.attempt == 1:
        return None
    return json.dumps(processed.etags)


def _reason_for_no_record(user: Row | None) -> GalleryError:
    if user is None:
        return UserNotFound()
    if user_of(user).is_suspended:
        return Suspended()
    # If the user has room left, the lease had ended.
    return ProcessingFailed() if user_of(user).remaining else ArtworkLimitReached()
