"""Leases: who works on an original right now. One ends by itself when its holder is gone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gallery.artwork import Artwork
from gallery.errors import Conflict, DatabaseError, NotFound, Unavailable
from gallery.keys import OriginalKey
from gallery.ports import Platform
from gallery.store import artworks, uploads
from gallery.store.artworks import artwork_of
from gallery.store.database import first, only, transact

# Longer than all that may happen between lease and commit beside the siblings' own deadline.
MARGIN = 30.0
# Longer than the deletion of what a failed try has left.
TIDY_SECONDS = 30.0
_ASK_AGAIN = 2


@dataclass(frozen=True, slots=True)
class Lease:
    """`attempt` counts the tries at one original; type and size are those of its ticket, if it has one."""

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
    """The lease, None while another holds it, and the artwork the original has by then.

    Raises NotFound when the original was deleted with its artwork.
    """
    key, holder = str(original), platform.uuid()
    rows = await transact(
        platform,
        uploads.take(key, original.user_id, holder, seconds),
        uploads.find(key),
        (artworks.ARTWORK_OF_ORIGINAL, (key,)),
    )
    taken, found, recorded = (first(each) for each in rows)
    artwork = artwork_of(recorded) if recorded else None
    if taken is None:
        if artwork is None and found is not None and found["holder"] == uploads.REMOVED:
            raise NotFound("This original was deleted with its artwork. Please upload the file again.")
        return None, artwork
    upload = uploads.upload_of(taken)
    return Lease(original, holder, upload.attempt, upload.content_type, upload.size), artwork


def busy() -> Conflict:
    return Conflict(retry_after=_ASK_AGAIN)


async def reclaim(platform: Platform, lease: Lease) -> Lease | None:
    """The lease under a new holder and for `TIDY_SECONDS`, when it is still ours or free.

    What the old holder has sent to the records takes no effect any more. None when another works on the
    original, or it has its artwork.
    """
    holder = platform.uuid()
    row = await only(platform, uploads.reclaim(lease.key, lease.holder, holder, TIDY_SECONDS))
    return replace(lease, holder=holder) if row else None


async def forget(platform: Platform, lease: Lease) -> None:
    """Give back the lease of an original that is not there, and its row when it has no ticket."""
    await transact(
        platform, uploads.forget(lease.key, lease.holder), uploads.release(lease.key, lease.holder)
    )


async def release(platform: Platform, lease: Lease) -> None:
    """Give the lease back; where the records cannot be reached, it runs out instead."""
    try:
        await transact(platform, uploads.release(lease.key, lease.holder))
    except (DatabaseError, Unavailable) as error:
        platform.log({"event": "release_failed", "key": lease.key, "reason": repr(error)})
