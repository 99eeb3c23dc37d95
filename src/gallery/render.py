"""Rendering an original under its lease: what creating and reprocessing an artwork have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gallery import pipeline
from gallery.artwork import Artwork
from gallery.errors import (
    Conflict,
    NotFound,
    OriginalReplaced,
    TooLarge,
    UnreadableImage,
    UnsupportedType,
)
from gallery.formats import ACCEPTED_TYPES, HEAD_BYTES, detect_media_type, media_type_of
from gallery.keys import OriginalKey
from gallery.pipeline import REFUSALS, Job, Processed
from gallery.ports import ObjectInfo, Platform
from gallery.settings import Settings
from gallery.store import leases
from gallery.store.leases import Lease
from gallery.times import Stopwatch


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What the request gives to rendering: `base` is the URL of the domain that serves the renditions."""

    base: str
    request_id: str
    watch: Stopwatch


@asynccontextmanager
async def leased(
    platform: Platform, settings: Settings, original: OriginalKey, user_id: str, watch: Stopwatch
) -> AsyncIterator[tuple[Lease | None, Artwork | None]]:
    """A place in the queue for the length of the block, then the lease and the artwork of the original.

    The lease is None when another request holds it. Raises Overloaded, NotFound, DatabaseError.
    """
    async with platform.isolate.queue.place(user_id, platform.ticks, platform.sleep):
        watch.lap("queue")
        lease, artwork = await leases.take(platform, original, settings.variant_deadline + leases.MARGIN)
        watch.lap("records")
        yield lease, artwork


async def render(
    platform: Platform,
    settings: Settings,
    lease: Lease,
    context: RenderContext,
    *,
    username: str,
    version: int,
    etag: str | None,
    discard: Callable[[ObjectInfo | None], Awaitable[object]],
) -> Processed:
    """Check the original and make its renditions; `etag` is the one that it must have, None for any.

    When that fails, `discard` deletes what was written and gives the lease back; it gets the original when
    that was refused. Raises NotFound, OriginalReplaced, TooLarge, UnsupportedType, UnreadableImage,
    Overloaded, ProcessingFailed, StorageError.
    """
    info = None
    try:
        info = await find_original(platform, lease.original)
        if etag not in (None, info.etag):
            raise OriginalReplaced
        await check_original(platform, settings, info, lease)
        context.watch.lap("original")
        job = Job(lease.original, info.etag, username, version, lease.attempt, context.request_id)
        processed = await pipeline.process_uploaded_image(
            platform,
            job,
            token=settings.worker_token,
            deadline=settings.variant_deadline,
            base=context.base,
            discard_late=lambda: discard(None),
        )
    except NotFound:
        await leases.forget(platform, lease)
        raise
    except REFUSALS:
        await discard(info)
        raise
    except Exception:
        await discard(None)
        raise
    context.watch.stages |= {each: made.milliseconds for each, made in processed.renditions.items()}
    context.watch.lap("renditions")
    return processed


async def find_original(platform: Platform, original: OriginalKey) -> ObjectInfo:
    """What R2 knows of an uploaded original. Raises NotFound, StorageError."""
    info = await platform.objects.head(str(original))
    if info is None:
        raise NotFound("Nothing was uploaded under this key. Please upload the file first.")
    return info


async def check_original(platform: Platform, settings: Settings, info: ObjectInfo, lease: Lease) -> None:
    """Check that size, type and first bytes are acceptable, and those that the upload announced.

    Raises TooLarge, UnreadableImage, UnsupportedType, StorageError.
    """
    if info.size > settings.max_upload_bytes:
        raise TooLarge(f"The file may have at most {settings.max_upload_bytes} bytes.")
    if info.size == 0:
        raise UnreadableImage("The file is empty.")
    if lease.size not in (None, info.size):
        raise UnreadableImage(f"The file has {info.size} bytes, not the {lease.size} that were announced.")
    head = await platform.objects.read(info.key, 0, min(HEAD_BYTES, info.size))
    meant = media_type_of(info.content_type)
    if meant is None or lease.content_type not in (None, meant) or detect_media_type(head or b"") != meant:
        raise UnsupportedType(
            f"The file is not what its type says. Please upload one of {', '.join(ACCEPTED_TYPES)}."
        )


def busy() -> Conflict:
    """The error for an original that another request is working on."""
    return Conflict(retry_after=2)
