"""The image pipeline: three renditions of an original at once, all of them or none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gallery.artwork import Rendered
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
from gallery.keys import OriginalKey, narrower_keys, public_urls, rendition_keys
from gallery.ports import ObjectInfo, Platform, RendererResponse
from gallery.times import iso, wait_for, wait_for_all
from gallery.variants import VARIANTS, Variant

FLAG_SECONDS = 3600
# waitUntil keeps a request alive for 30 s after its response. Renditions that come later are left to the
# sweeper.
LATE_SECONDS = 25

_LONGEST_TEXT = 128
_DEFAULT_RETRY_SECONDS = 2
# Fields of a renderer's response, all of them optional.
_COUNTS = ("width", "height", "bytes", "sourceWidth", "sourceHeight")
_TEXTS = ("sha256", "etag", "dominantColor", "thumbHash")
_REFUSALS: dict[tuple[int, str], type[GalleryError]] = {
    (kind.status, kind.code): kind for kind in (TooLarge, UnsupportedType, UnreadableImage)
}
REFUSALS = tuple(_REFUSALS.values())  # errors that the picture is at fault for


@dataclass(frozen=True, slots=True)
class Job:
    """One original to render. `etag` is that of its head; `version` is part of the renditions' keys.

    `attempt` counts the attempts at this original: a renderer of an earlier one never overwrites.
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

    def narrower(self, variant: Variant) -> dict[int, str]:
        """The keys of a variant's narrower renditions by width."""
        return narrower_keys(variant, self.original, self.version)


@dataclass(frozen=True, slots=True)
class Rendition:
    """What a renderer wrote. Sizes are in pixels, None where neither the renderer nor R2 tells them.

    `narrower` are the same picture in smaller widths, ascending. `milliseconds` is how long the renderer took
    to respond.
    """

    key: str
    width: int | None
    height: int | None
    etag: str
    source_width: int | None
    source_height: int | None
    dominant_color: str | None
    thumb_hash: str | None
    milliseconds: float
    narrower: tuple[Rendition, ...] = ()


@dataclass(frozen=True, slots=True)
class Processed:
    renditions: Mapping[Variant, Rendition]
    rendered: Rendered

    @property
    def etags(self) -> dict[str, str]:
        """The ETag of every object that was written, by key."""
        every = [each for made in self.renditions.values() for each in (made, *made.narrower)]
        return {each.key: each.etag for each in every}


class _InvalidResponse(Exception):
    """A renderer's response that does not keep to the contract."""


async def process_uploaded_image(
    platform: Platform,
    job: Job,
    *,
    token: str,
    deadline: float,
    base: str,
    discard_late: Callable[[], Awaitable[object]],
) -> Processed:
    """Have the renderers make all renditions at once, each within `deadline` seconds, and confirm them in R2.

    `token` authorizes the requests, `base` is the URL of the domain that serves the renditions. Raises
    TooLarge, UnsupportedType, UnreadableImage, Overloaded or ProcessingFailed: then the caller deletes what
    was written, and `discard_late` is called when renderers that missed the deadline have ended.
    """
    is_over = asyncio.Event()
    # Renderers write nothing after this time, so that `discard_late` meets everything.
    until = platform.now() + deadline + LATE_SECONDS
    tasks = {v: asyncio.ensure_future(_render(platform, job, v, token, until, is_over)) for v in Variant}
    await wait_for_all(tasks.values(), deadline, platform.sleep)
    failures = [failure for v, task in tasks.items() if (failure := _failure(platform, v, task))]
    if failures:
        is_over.set()
        late = [task for task in tasks.values() if not task.done()]
        if late:
            platform.background(_discard_after(platform, late, discard_late))
        raise min(failures, key=_rank)
    renditions = {v: task.result() for v, task in tasks.items()}
    return Processed(renditions, _rendered(platform, job, base, renditions))


async def wait_for_processing(
    is_done: Callable[[], Awaitable[bool]],
    sleep: Callable[[float], Awaitable[None]],
    *,
    tries: int = 30,
    interval: float = 1.0,
) -> bool:
    """Call `is_done` at most `tries` times, `interval` seconds apart; whether it returned True."""
    for attempt in range(tries):
        if await is_done():
            return True
        if attempt + 1 < tries:
            await sleep(interval)
    return False


async def is_ready(platform: Platform, key: str) -> bool:
    """Whether a rendition's readiness flag is set; False where KV does not answer."""
    try:
        return bool(await wait_for(platform.flags.get(flag_of(key)), HINT_SECONDS, platform.sleep))
    except (StorageError, TimeoutError):
        return False


async def _discard_after(
    platform: Platform,
    late: Sequence[asyncio.Future[Rendition]],
    discard_late: Callable[[], Awaitable[object]],
) -> None:
    await wait_for_all(late, LATE_SECONDS, platform.sleep)
    for task in late:
        if not task.cancel():
            task.exception()
    await discard_late()


async def _render(
    platform: Platform, job: Job, variant: Variant, token: str, until: float, is_over: asyncio.Event
) -> Rendition:
    start = platform.ticks()
    response = await platform.renderers[variant].post(
        f"/process-{variant}",
        {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "X-Request-Id": job.request_id,
        },
        json.dumps(_request_body(platform, job, variant, until)),
    )
    milliseconds, key = round((platform.ticks() - start) * 1000, 1), job.keys[variant]
    fields = _parsed(response, key)
    parts = _narrower(fields, list(job.narrower(variant).values()))
    keys = [key, *(part["key"] for part in parts)]
    found, *others = await asyncio.gather(*(platform.objects.head(each) for each in keys))
    pairs = zip(parts, others, strict=True)
    narrower = tuple(_confirmed(part, head, None, milliseconds) for part, head in pairs)
    rendition = _confirmed(fields, found, VARIANTS[variant].size, milliseconds, narrower)
    # After the deadline the next attempt may be writing to the same key.
    if not is_over.is_set():
        await _set_flag(platform, rendition.key)
    return rendition


def _request_body(platform: Platform, job: Job, variant: Variant, until: float) -> dict[str, Any]:
    spec = VARIANTS[variant]
    body: dict[str, Any] = {
        "sourceKey": str(job.original),
        "sourceEtag": job.etag,
        "outputKey": job.keys[variant],
        "timestamp": iso(platform.now()),
        "attempt": job.attempt,
        "deadline": iso(until),
        **spec.parameters,
    }
    narrower = job.narrower(variant)
    if narrower:
        body["narrower"] = [{"width": width, "outputKey": key} for width, key in narrower.items()]
    return body | ({"username": job.username} if spec.needs_username else {})


def _parsed(response: RendererResponse, key: str) -> dict[str, Any]:
    """The fields of a response. Each may be absent, but one that is present must be valid."""
    try:
        fields = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise _InvalidResponse("not JSON") from error
    if not isinstance(fields, dict):
        raise _InvalidResponse("not an object")
    if response.status != 200 or fields.get("success", True) is not True:
        raise _error_of(response, fields)
    if fields.get("key", key) != key:
        raise _InvalidResponse("another key")
    _check_kinds(fields)
    return fields


def _narrower(fields: dict[str, Any], keys: Sequence[str]) -> list[dict[str, Any]]:
    """The narrower renditions that a response names; a renderer need not make any."""
    parts = fields.get("narrower")
    if parts is None:
        return []
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise _InvalidResponse("narrower renditions of the wrong kind")
    written = [part.get("key") for part in parts]
    if written != [key for key in keys if key in written]:
        raise _InvalidResponse("narrower renditions that were not asked for")
    for part in parts:
        _check_kinds(part)
        if not (part.get("width") and part.get("height")):
            raise _InvalidResponse("a narrower rendition without a size")
    return parts


def _check_kinds(fields: dict[str, Any]) -> None:
    if not all(_is_count(fields[name]) for name in _COUNTS if fields.get(name) is not None):
        raise _InvalidResponse("numbers of the wrong kind")
    if not all(_is_text(fields[name]) for name in _TEXTS if fields.get(name) is not None):
        raise _InvalidResponse("texts of the wrong kind")


def _error_of(response: RendererResponse, fields: dict[str, Any]) -> Exception:
    sentence = fields.get("error")
    if not isinstance(sentence, str) or not 0 < len(sentence) <= 300:
        sentence = None
    refusal = _REFUSALS.get((response.status, str(fields.get("code"))))
    if refusal is not None:
        return refusal(sentence or UnreadableImage.message)
    if response.status == Overloaded.status:
        pause = response.retry_after or ""
        is_number = pause.isdecimal() and len(pause) < 4
        return Overloaded(sentence, retry_after=int(pause) if is_number else _DEFAULT_RETRY_SECONDS)
    return _InvalidResponse(f"status {response.status}, code {fields.get('code')!r}")


def _confirmed(
    fields: dict[str, Any],
    found: ObjectInfo | None,
    size: tuple[int, int] | None,
    milliseconds: float,
    narrower: tuple[Rendition, ...] = (),
) -> Rendition:
    """The rendition, once R2 has the object that the renderer describes; `size` is that of every such one."""
    if found is None:
        raise _InvalidResponse("the object does not exist")
    facts = {"bytes": found.size, "etag": found.etag, "sha256": found.sha256}
    if found.size == 0 or any((fields.get(name) or fact) != fact for name, fact in facts.items()):
        raise _InvalidResponse("the object is not the one it wrote")
    width, height = size or (None, None)
    width, height = fields.get("width") or width, fields.get("height") or height
    return Rendition(
        key=found.key,
        width=width,
        height=height,
        etag=found.etag,
        # A renderer may leave out the size of the original; the rendition's own size then stands for it.
        source_width=fields.get("sourceWidth") or width,
        source_height=fields.get("sourceHeight") or height,
        dominant_color=fields.get("dominantColor") or None,
        thumb_hash=fields.get("thumbHash") or None,
        milliseconds=milliseconds,
        narrower=narrower,
    )


def _rendered(platform: Platform, job: Job, base: str, renditions: Mapping[Variant, Rendition]) -> Rendered:
    display, thumbnail = renditions[Variant.WATERMARK], renditions[Variant.THUMBNAIL]
    return Rendered(
        version=job.version,
        original_etag=job.etag,
        **public_urls(base, job.original, job.version),
        width=display.width,
        height=display.height,
        original_width=display.source_width,
        original_height=display.source_height,
        dominant_color=thumbnail.dominant_color,
        thumb_hash=thumbnail.thumb_hash,
        processed_at=iso(platform.now()),
        display_sizes=tuple((part.width or 0, part.height or 0) for part in display.narrower),
    )


async def _set_flag(platform: Platform, key: str) -> None:
    # Renditions are written before the flag is set, so a reader who sees the flag can fetch the object.
    try:
        await wait_for(platform.flags.put(flag_of(key), "1", FLAG_SECONDS), HINT_SECONDS, platform.sleep)
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
    # A refused picture is refused again by the next attempt; that is what the user should learn first.
    return 0 if error.status < 500 else 1 if isinstance(error, Overloaded) else 2


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT
