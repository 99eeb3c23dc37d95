"""Rendering an artwork again: new keys first, then the record, then the old renditions are deleted."""

from __future__ import annotations

from collections.abc import Iterable

from gallery import cleanup
from gallery.access.authentication import Caller
from gallery.artwork import Artwork
from gallery.errors import ArtworkNotFound, Conflict, DatabaseError, GalleryError, NotFound, ProcessingFailed
from gallery.keys import all_keys
from gallery.pipeline import Processed
from gallery.ports import Platform
from gallery.read import check_owner, find_artwork
from gallery.render import RenderContext, busy, leased, render
from gallery.settings import Settings
from gallery.store import artworks, leases, uploads
from gallery.store.artworks import artwork_of
from gallery.store.database import first, transact
from gallery.store.leases import Lease
from gallery.times import iso

NO_ORIGINAL = "The original of this artwork is not kept here, so it cannot be rendered again."


async def reprocess_artwork(
    platform: Platform, settings: Settings, caller: Caller, artwork_id: str, context: RenderContext
) -> Artwork:
    """The artwork with new renditions, for its owner or an operator.

    Until the record changes, the old URLs work. Raises Forbidden, and what `renew` raises.
    """
    artwork = await find_artwork(platform, artwork_id)
    check_owner(artwork, caller, or_operator=True)
    return await renew(platform, settings, artwork, caller.user_id, context)


async def renew(
    platform: Platform, settings: Settings, artwork: Artwork, user_id: str, context: RenderContext
) -> Artwork:
    """The artwork with new renditions; in the queue it counts for `user_id`.

    Raises NotFound without an original of ours, Conflict, DatabaseError, and what `render` raises.
    """
    if artwork.original is None:
        raise NotFound(NO_ORIGINAL)
    async with leased(platform, settings, artwork.original, user_id, context.watch) as (lease, current):
        if lease is None:
            raise busy()
        if current is None or current.id != artwork.id:  # it was deleted while the request waited
            await leases.release(platform, lease)
            raise ArtworkNotFound
        held = lease
        # The keys of this attempt are its own: no other writes to them, and it may delete them at any time.
        keys = all_keys(artwork.original, lease.attempt)
        processed = await render(
            platform,
            settings,
            lease,
            context,
            username=current.username,
            version=lease.attempt,
            etag=current.original_etag,
            discard=lambda _: _discard(platform, held, keys),
        )
        renewed = await _commit(platform, current, lease, keys, processed)
        context.watch.lap("commit")
    old = all_keys(artwork.original, current.version)
    platform.background(_discard_old(platform, settings, current, old))
    return renewed


async def _discard(platform: Platform, lease: Lease, keys: Iterable[str]) -> None:
    await cleanup.delete_renditions(platform, keys)
    await leases.release(platform, lease)


async def _discard_old(platform: Platform, settings: Settings, artwork: Artwork, keys: Iterable[str]) -> None:
    await cleanup.delete_renditions(platform, keys)
    await cleanup.purge(platform, settings, artwork)


async def _commit(
    platform: Platform, artwork: Artwork, lease: Lease, keys: Iterable[str], processed: Processed
) -> Artwork:
    now = iso(platform.now())
    failure: GalleryError = Conflict()
    try:
        rows = await transact(
            platform,
            renew=artworks.renew(artwork.id, lease.key, processed.rendered, holder=lease.holder, now=now),
            settle=uploads.settle(lease.key, lease.holder, artwork.id),
            artwork=artworks.find(artwork.id),
        )
    except DatabaseError as fault:
        platform.log({"event": "commit_unclear", "reason": repr(fault)})
        # Without the lease, a commit that is still on its way changes nothing.
        failure = ProcessingFailed()
        rows = await transact(
            platform,
            release=uploads.release(lease.key, lease.holder),
            artwork=artworks.find(artwork.id),
        )
    row = first(rows["artwork"])
    if row is not None and (renewed := artwork_of(row)).version == lease.attempt:
        return renewed
    await _discard(platform, lease, keys)
    raise failure
