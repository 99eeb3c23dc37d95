"""The image service: three renditions of an original at once, all of them or none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gallery.cleanup import HINT_SECONDS, flag_of
from gallery.errors import (
    GalleryError,
    Overloaded,
    ProcessingFailed,
    StorageError,
    TooLarge,
    UnreadableImage,
    UnsupportedType,
)
from gallery.keys import OriginalKey, rendition_keys, urls_of
from gallery.ports import Flags, ObjectInfo, Platform, RendererResponse
from gallery.times import iso
from gallery.variants import Variant

FLAG_SECONDS = 3600
# After an answer, waitUntil keeps a request alive for 30 s; what is later still is the sweeper's.
LATE_SECONDS = 25

_LONGEST_TEXT = 128
_SIZES: dict[Variant, dict[str, int]] = {
    Variant.THUMBNAIL: {"width": 300, "height": 300},
    Variant.ICON: {"size": 128},
    Variant.WATERMARK: {},
}
_SQUARES = {Variant.THUMBNAIL: (300, 300), Variant.ICON: (128, 128)}
_COUNTS = ("width", "height", "bytes", "sourceWidth", "sourceHeight")
_TEXTS = ("sha256", "etag", "dominantColor", "thumbHash")
_PICTURE_AT_FAULT: dict[tuple[int, str], type[GalleryError]] = {
    (413, TooLarge.code): TooLarge,
    (415, UnsupportedType.code): UnsupportedType,
    (422, UnreadableImage.code): UnreadableImage,
}


@dataclass(frozen=True, slots=True)
class Job:
    """One original to render; `etag` is the one its head showed, `version` goes into the new keys.

    `attempt` counts the tries at this original: a renderer of an earlier one never overwrites.
    """

    original: OriginalKey
    etag: str
    username: str
    version: int
    attempt: int
    request_id: str

    @property
    def keys(self) -> dict[Variant, str]:
        return rendition_keys(self.original, self.version)


@dataclass(frozen=True, slots=True)
class Rendition:
    """What a sibling wrote, and in how many milliseconds it said so; None where neither it nor R2 knows."""

    variant: Variant
    key: str
    width: int | None
    height: int | None
    size: int
    sha256: str | None
    etag: str
    source_width: int | None
    source_height: int | None
    dominant_color: str | None
    thumb_hash: str | None
    ms: float


@dataclass(frozen=True, slots=True)
class Processed:
    renditions: Mapping[Variant, Rendition]
    urls: Mapping[str, str]
    processed_at: float


class _Bogus(Exception):
    """A sibling's answer that does not say what the contract asks for."""


async def process_uploaded_image(
    platform: Platform,
    job: Job,
    *,
    token: str,
    deadline: float,
    base: str,
    discard_late: Callable[[], Awaitable[object]],
) -> Processed:
    """Have all three siblings render at once, each within `deadline` seconds, and confirm what they wrote.

    Raises TooLarge, UnsupportedType, UnreadableImage, Overloaded or ProcessingFailed. The caller then deletes
    what was written, and `discard_late` is called when siblings that missed the deadline have ended.
    """
    over = asyncio.Event()
    # A renderer that is late by no more than this is cleaned up after; what is later still writes nothing.
    until = platform.now() + deadline + LATE_SECONDS
    tasks = {v: asyncio.ensure_future(_render(platform, job, v, token, until, over)) for v in Variant}
    await asyncio.wait(tasks.values(), timeout=deadline)
    failures = [failure for v, task in tasks.items() if (failure := _failure(platform, v, task))]
    if failures:
        over.set()
        late = [task for task in tasks.values() if not task.done()]
        if late:
            platform.background(_after(late, discard_late))
        raise min(failures, key=_rank)
    renditions = {v: task.result() for v, task in tasks.items()}
    return Processed(renditions, urls_of(base, job.original, job.version), platform.now())


async def wait_for_processing(
    is_done: Callable[[], Awaitable[bool]],
    sleep: Callable[[float], Awaitable[None]],
    *,
    tries: int = 30,
    interval: float = 1.0,
) -> bool:
    """Whether processing is done within `tries` looks, `interval` seconds apart."""
    for attempt in range(tries):
        if await is_done():
            return True
        if attempt + 1 < tries:
            await sleep(interval)
    return False


async def is_ready(flags: Flags, key: str) -> bool:
    try:
        return bool(await asyncio.wait_for(flags.get(flag_of(key)), HINT_SECONDS))
    except (StorageError, TimeoutError):
        return False


async def _after(
    late: Sequence[asyncio.Future[Rendition]], discard_late: Callable[[], Awaitable[object]]
) -> None:
    await asyncio.wait(late, timeout=LATE_SECONDS)
    for task in late:
        if not task.cancel():
            task.exception()
    await discard_late()


async def _render(
    platform: Platform, job: Job, variant: Variant, token: str, until: float, over: asyncio.Event
) -> Rendition:
    start = platform.ticks()
    answer = await platform.siblings[variant].post(
        f"/process-{variant}",
        {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "X-Request-Id": job.request_id,
        },
        json.dumps(_order(platform, job, variant, until)),
    )
    ms, key = round((platform.ticks() - start) * 1000, 1), job.keys[variant]
    said = _said(answer, key)
    rendition = _confirmed(variant, said, await platform.objects.head(key), ms)
    # Nobody waits for it any more, and the next try may be at work under the same key.
    if not over.is_set():
        await _raise_flag(platform, rendition.key)
    return rendition


def _order(platform: Platform, job: Job, variant: Variant, until: float) -> dict[str, Any]:
    order: dict[str, Any] = {
        "sourceKey": str(job.original),
        "sourceEtag": job.etag,
        "outputKey": job.keys[variant],
        "timestamp": iso(platform.now()),
        "attempt": job.attempt,
        "deadline": iso(until),
    }
    if variant is Variant.WATERMARK:
        order["username"] = job.username
    return order | _SIZES[variant]


def _said(answer: RendererResponse, key: str) -> dict[str, Any]:
    """What an answer says, once all of it is of the right kind; it need not say anything but `{}`."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise _Bogus("not JSON") from error
    if not isinstance(said, dict):
        raise _Bogus("not an object")
    if answer.status != 200 or said.get("success", True) is not True:
        raise _refusal(answer, said)
    if said.get("key", key) != key:
        raise _Bogus("another key")
    if not all(_is_count(said[name]) for name in _COUNTS if said.get(name) is not None):
        raise _Bogus("numbers of the wrong kind")
    if not all(_is_text(said[name]) for name in _TEXTS if said.get(name) is not None):
        raise _Bogus("texts of the wrong kind")
    return said


def _refusal(answer: RendererResponse, said: dict[str, Any]) -> Exception:
    sentence = said.get("error")
    if not isinstance(sentence, str) or not 0 < len(sentence) <= 300:
        sentence = None
    known = _PICTURE_AT_FAULT.get((answer.status, str(said.get("code"))))
    if known is not None:
        return known(sentence or UnreadableImage.message)
    if answer.status == Overloaded.status:
        pause = answer.retry_after or ""
        return Overloaded(sentence, retry_after=int(pause) if pause.isdecimal() and len(pause) < 4 else 2)
    return _Bogus(f"status {answer.status}, code {said.get('code')!r}")


def _confirmed(variant: Variant, said: dict[str, Any], found: ObjectInfo | None, ms: float) -> Rendition:
    """The rendition, once the object is the one the sibling speaks of; what it leaves out, R2 knows."""
    if found is None:
        raise _Bogus("the object is not there")
    known = {"bytes": found.size, "etag": found.etag, "sha256": found.sha256}
    if found.size == 0 or any((said.get(name) or fact) != fact for name, fact in known.items()):
        raise _Bogus("the object is not the one it wrote")
    width, height = _SQUARES.get(variant, (None, None))
    width, height = said.get("width") or width, said.get("height") or height
    return Rendition(
        variant=variant,
        key=found.key,
        width=width,
        height=height,
        size=found.size,
        sha256=found.sha256,
        etag=found.etag,
        # A sibling need not know how large the original was; the rendition's own shape then stands for it.
        source_width=said.get("sourceWidth") or width,
        source_height=said.get("sourceHeight") or height,
        dominant_color=said.get("dominantColor") or None,
        thumb_hash=said.get("thumbHash") or None,
        ms=ms,
    )


async def _raise_flag(platform: Platform, key: str) -> None:
    # Renditions are written before the flag is set, so a reader who sees the flag can fetch the object.
    try:
        await asyncio.wait_for(platform.flags.put(flag_of(key), "1", FLAG_SECONDS), HINT_SECONDS)
    except (StorageError, TimeoutError) as error:
        platform.log({"event": "flag_failed", "key": key, "reason": repr(error)})


def _failure(platform: Platform, variant: Variant, task: asyncio.Future[Rendition]) -> GalleryError | None:
    if not task.done():
        error: BaseException | None = TimeoutError("no answer within the deadline")
    else:
        error = task.exception()
    if error is None:
        return None
    platform.log({"event": "render_failed", "variant": variant, "reason": repr(error)})
    return error if isinstance(error, GalleryError) else ProcessingFailed()


def _rank(error: GalleryError) -> int:
    # A picture at fault stays at fault on the next try; that is what the person should learn first.
    return 0 if error.status < 500 else 1 if isinstance(error, Overloaded) else 2


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT
