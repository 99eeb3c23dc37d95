"""Leases: the right to work on an original until a time. A lease whose holder is gone ends by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gallery.artwork import Artwork
from gallery.errors import DatabaseError, NotFound
from gallery.keys import OriginalKey
from gallery.ports import Platform
from gallery.store import artworks, uploads
from gallery.store.artworks import artwork_of
from gallery.store.database import first, only, transact

# Longer than everything between lease and commit takes, apart from the renderers' own deadline.
MARGIN = 30.0
# Longer than deleting what a failed attempt has written takes.
TIDY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that is held. `attempt` counts the attempts at the original.

    `content_type` and `size` in bytes are those that its upload announced, if it did.
    """

    original: OriginalKey
    holder: str
    attempt: int
    content_type: str | None = None
    size: int | None = None

    @property
    def key(self) -> str:
        return str(self.original)


async def take(
    platform: Platform, original: OriginalKey, seconds: float
) -> tuple[Lease | None, Artwork | None]:
    """The lease for `seconds`, None while another request holds it, and the artwork of the original, if any.

    Raises NotFound when the original was deleted with its artwork, and DatabaseError.
    """
    key = str(original)
    holder = platform.uuid()
    rows = await transact(
        platform,
        taken=uploads.take(key, original.user_id, holder, seconds),
        found=uploads.find(key),
        recorded=artworks.find_by_original(key),
    )
    taken, found, recorded = first(rows["taken"]), first(rows["found"]), first(rows["recorded"])
    artwork = artwork_of(recorded) if recorded else None
    if taken is None:
        if artwork is None and found is not None and found["holder"] == uploads.REMOVED:
            raise NotFound("This original was deleted with its artwork. Please upload the file again.")
        return None, artwork
    upload = uploads.upload_of(taken)
    return Lease(original, holder, upload.attempt, upload.content_type, upload.size), artwork


async def reclaim(platform: Platform, lease: Lease) -> Lease | None:
    """The lease under a new holder for TIDY_SECONDS, so that statements of the old holder take no effect.

    None when another request holds it by now or the original has its artwork. Raises DatabaseError.
    """
    holder = platform.uuid()
    row = await only(platform, uploads.reclaim(lease.key, lease.holder, holder, TIDY_SECONDS))
    return replace(lease, holder=holder) if row else None


async def forget(platform: Platform, lease: Lease) -> None:
    """Give back the lease of a missing original, and delete its row unless it has an upload URL."""
    await transact(
        platform,
        forget=uploads.forget(lease.key, lease.holder),
        release=uploads.release(lease.key, lease.holder),
    )


async def release(platform: Platform, lease: Lease) -> None:
    """Give the lease back. Where the database does not answer, the lease ends by itself."""
    try:
        await transact(platform, release=uploads.release(lease.key, lease.holder))
    except DatabaseError as error:
        platform.log({"event": "release_failed", "key": lease.key, "reason": repr(error)})
