"""The platform edge: a request and an object from R2 come in, an object for R2 and an answer go out."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import sys
import time
import traceback
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import js
from pyodide.ffi import JsException
from workers import Response

from imaging import heap
from imaging.contract import (
    METADATA,
    RenderRequest,
    check_token,
    failure_response,
    parse_request,
    read_settings,
    success_body,
)
from imaging.errors import (
    InvalidRequest,
    Overloaded,
    ProcessingFailed,
    RenderError,
    SourceChanged,
    SourceMissing,
    TooLate,
)
from imaging.queue import Lease, Queue
from imaging.render import Describe, Rendition, render
from imaging.text.fonts import Shard, needed_shards, read_pack
from imaging.variants import Variant

CHUNK = 1 << 18  # bytes of an original that are read at once
PUTS = 4  # tries to replace an object under a rendition's key; each may find that another was put meanwhile
HEALTH = "/health"
_clear_caches = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache  # by Python's version
_queue = Queue()
# Objects loaded so far are permanent. Frozen, they are not examined again, and a collection takes no time.
gc.freeze()


class BucketSource:
    """An original in R2, read as a stream so that at most one chunk is held in JavaScript."""

    def __init__(self, bucket: Any, request: RenderRequest, lease: Lease) -> None:
        self._bucket = bucket
        self._key = request.source_key
        self._etag = request.source_etag
        self._lease = lease
        self._object: Any = None
        self.size = 0
        self.seconds = 0.0

    async def open(self) -> None:
        """Request the object from R2.

        Raises:
            SourceMissing: There is no such object.
            SourceChanged: It has another ETag than expected.
            ProcessingFailed: R2 failed.
        """
        started = time.time()
        try:
            found = await self._bucket.get(
                self._key, {"onlyIf": {"etagMatches": self._etag}} if self._etag else {}
            )
        except JsException as error:
            raise ProcessingFailed("The original could not be fetched.") from error
        if found is None:
            raise SourceMissing("There is no such original.")
        if getattr(found, "body", None) is None:
            raise SourceChanged("The original was replaced while it was being processed.")
        self._object, self._etag, self.size = found, found.etag, found.size
        self.seconds += time.time() - started

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The object's bytes in chunks of at most 256 KiB.

        A second reading requests the same version from R2 again. Raises what `open` raises, and Overloaded
        when the lease has expired.
        """
        if self._object is None:
            await self.open()
        reader = self._object.body.getReader(mode="byob")
        self._object = None
        buffer = js.ArrayBuffer.new(CHUNK)
        try:
            while True:
                started = time.time()
                part = await reader.readAtLeast(CHUNK, js.Uint8Array.new(buffer))
                self.seconds += time.time() - started
                _queue.renew(self._lease)
                if not part.value or not part.value.byteLength:
                    return
                # One buffer is handed back and forth, so that no second one waits to be collected.
                chunk, buffer = part.value.to_bytes(), part.value.buffer
                yield chunk
        except JsException as error:
            raise ProcessingFailed("The original could not be fetched.") from error
        finally:
            reader.cancel()


async def serve(variant: Variant, request: Any, env: Any, describe: Describe | None = None) -> Response:
    """Answer one request to a renderer; every error becomes a JSON answer."""
    request_id = request.headers.get("x-request-id") or ""
    headers: dict[str, str] = {}
    try:
        status, body = 200, await _answer(variant, request, env, describe)
    except RenderError as error:
        status, headers, body = failure_response(error)
    except asyncio.CancelledError:
        # The queue cancels a render whose lease has expired.
        slow = Overloaded("The file store is slow. Please try again in a moment.")
        status, headers, body = failure_response(slow)
    except Exception:
        js.console.error(traceback.format_exc())
        status, headers, body = failure_response(ProcessingFailed("Rendering failed."))
    if urlsplit(request.url).path != HEALTH or status != 200:
        line = {"variant": variant, "requestId": request_id, "status": status, **body}
        js.console.log(json.dumps(line, ensure_ascii=False))
    return Response.from_json(body, status=status, headers={"X-Request-Id": request_id, **headers})


async def _answer(variant: Variant, request: Any, env: Any, describe: Describe | None) -> dict[str, Any]:
    check_token(request.headers.get("authorization"), _variable(env, "WORKER_AUTH_TOKEN"))
    path = urlsplit(request.url).path
    if request.js_object.method != "POST" or path not in (f"/process-{variant}", HEALTH):
        raise InvalidRequest(f"This Worker answers POST /process-{variant} only.")
    settings = read_settings(lambda name: _variable(env, name))
    if path == HEALTH:
        return {"success": True}
    try:
        wanted = parse_request(variant, json.loads(await request.text()), settings)
    except ValueError as error:
        raise InvalidRequest("The body is not JSON.") from error
    arrived = time.time()
    # The original is fetched only when the queue lets the request in: waiting requests hold no bytes.
    async with _queue.enter() as lease:
        started = time.time()
        _check_deadline(wanted)
        options = replace(wanted.options, shards=await _shards(env.BUCKET, wanted.options.text))
        source = BucketSource(env.BUCKET, wanted, lease)
        await source.open()
        rendition = await heap.within_memory(lambda: render(variant, source, options, describe), _make_room)
        rendered = time.time()
        _queue.renew(lease)
        stored = await _store(env.BUCKET, wanted, rendition)
    finished = time.time()
    seconds = {
        "wait": started - arrived,
        "fetch": source.seconds,
        **rendition.seconds,
        "store": finished - rendered,
    }
    seconds["decode"] -= min(source.seconds, seconds["decode"])
    times = {"startedAt": started, "finishedAt": finished, "renderMs": rendered - started}
    return {
        **success_body(wanted, rendition),
        **stored,
        **{name: _ms(value) for name, value in times.items()},
        "stages": {name: _ms(value) for name, value in seconds.items()},
    }


async def _shards(bucket: Any, text: str) -> dict[Shard, bytes]:
    """The fonts of the pack that the mark needs; a mark without them shows codes, and no create fails."""
    shards: dict[Shard, bytes] = {}
    needed = needed_shards(text)
    pack = read_pack()[0] if needed else ""
    for shard in needed:
        try:
            found = await bucket.get(pack, {"range": {"offset": shard.offset, "length": shard.length}})
            if found is not None:
                shards[shard] = bytes(await found.arrayBuffer())
        except JsException as error:
            js.console.warn(json.dumps({"event": "font_failed", "reason": str(error)}))
    return shards


def _make_room() -> None:
    # Objects that the last picture left in cycles, free lists and caches would fragment the heap for this
    # one.
    gc.collect()
    _clear_caches()
    heap.grow()


async def _store(bucket: Any, wanted: RenderRequest, rendition: Rendition) -> dict[str, Any]:
    """Put the rendition and its narrower widths, and return what the answer says about the objects.

    If one cannot be put the render fails as a whole. Objects already put are then left to the gateway: it
    knows whether a later try has replaced them, and deletes or overwrites them.
    """
    narrower = [(wanted.narrower[each.size.width], each) for each in rendition.narrower]
    objects = [(wanted.output_key, rendition.data), *((key, each.data) for key, each in narrower)]
    # All puts are waited for before an error is raised, so that none is under way when the gateway cleans up.
    results = await asyncio.gather(
        *(_put(bucket, wanted, key, data) for key, data in objects), return_exceptions=True
    )
    stored: list[dict[str, str]] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        stored.append(result)
    if not wanted.narrower:
        return {**stored[0]}
    described = [
        {
            "key": key,
            "width": each.size.width,
            "height": each.size.height,
            "bytes": len(each.data),
            **facts,
        }
        for (key, each), facts in zip(narrower, stored[1:], strict=True)
    ]
    return {**stored[0], "narrower": described}


async def _put(bucket: Any, wanted: RenderRequest, key: str, data: bytes) -> dict[str, str]:
    """Put one object unless a later try has put one under its key; R2 checks that condition."""
    digest = hashlib.sha256(data).hexdigest()
    options = {"httpMetadata": METADATA, "customMetadata": {"attempt": str(wanted.attempt)}, "sha256": digest}
    condition = {"etagDoesNotMatch": "*"}
    try:
        for _ in range(PUTS):
            _check_deadline(wanted)
            stored = await bucket.put(key, data, {**options, "onlyIf": condition})
            if stored is not None:
                return {"sha256": digest, "etag": str(stored.etag)}
            found = await bucket.head(key)
            if found is not None and _attempt_of(found) > wanted.attempt:
                raise TooLate("A later try has stored this rendition.")
            condition = {"etagDoesNotMatch": "*"} if found is None else {"etagMatches": found.etag}
    except JsException as error:
        raise ProcessingFailed("The rendition could not be stored.") from error
    raise ProcessingFailed("The rendition is being written by others at the same time.")


def _attempt_of(stored: Any) -> int:
    text = str((stored.customMetadata or {}).get("attempt", ""))
    return int(text) if text.isdecimal() else 0


def _check_deadline(wanted: RenderRequest) -> None:
    if wanted.deadline is not None and time.time() > wanted.deadline:
        raise TooLate("The deadline of this rendition has passed.")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _variable(env: Any, name: str) -> str | None:
    return getattr(env, name, None)
