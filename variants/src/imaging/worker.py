"""The platform edge of a sibling: request in, R2 object in, R2 object out, answer."""

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
from imaging.contract import METADATA, Job, check_token, failure, read_job, read_settings, success
from imaging.errors import (
    InvalidRequest,
    Overloaded,
    ProcessingFailed,
    RenderError,
    SourceChanged,
    SourceMissing,
    TooLate,
)
from imaging.queue import Turn, Turns
from imaging.render import Describe, Rendition, render
from imaging.text.fonts import Shard, needed_shards, read_pack
from imaging.variants import Variant

CHUNK = 1 << 18
# Tries to put a rendition in the place of another, each of which may find that one replaced meanwhile.
PUTS = 4
HEALTH = "/health"
_clear_caches = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache  # by Python's version
_turns = Turns()
# What is loaded stays: without it among what is looked through, a collection takes no time.
gc.freeze()


class BucketSource:
    """An original in R2, read as a stream so that no more than a chunk is held in JavaScript."""

    def __init__(self, bucket: Any, job: Job, turn: Turn) -> None:
        self._bucket = bucket
        self._key = job.source_key
        self._etag = job.source_etag
        self._turn = turn
        self._object: Any = None
        self.size = 0
        self.seconds = 0.0

    async def open(self) -> None:
        """Ask R2 for the object; raises SourceMissing, or SourceChanged when it is not the one expected."""
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
        """The object's bytes; every reading after the first asks R2 for the same version again."""
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
                _turns.touch(self._turn)
                if not part.value or not part.value.byteLength:
                    return
                # The one buffer goes back and forth, so that no second one waits to be collected.
                chunk, buffer = part.value.to_bytes(), part.value.buffer
                yield chunk
        except JsException as error:
            raise ProcessingFailed("The original could not be fetched.") from error
        finally:
            reader.cancel()


async def serve(variant: Variant, request: Any, env: Any, describe: Describe | None = None) -> Response:
    """Answer one request to a sibling, whatever happens in it."""
    request_id = request.headers.get("x-request-id") or ""
    headers: dict[str, str] = {}
    try:
        status, body = 200, await _answer(variant, request, env, describe)
    except RenderError as error:
        status, headers, body = failure(error)
    except asyncio.CancelledError:
        # By the queue, which took this render's store for dead.
        status, headers, body = failure(Overloaded("The store is slow. Please try again in a moment."))
    except Exception:
        js.console.error(traceback.format_exc())
        status, headers, body = failure(ProcessingFailed("Rendering failed."))
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
        job = read_job(variant, json.loads(await request.text()), settings)
    except ValueError as error:
        raise InvalidRequest("The body is not JSON.") from error
    arrived = time.time()
    # The turn comes before the fetch: a waiting request must not hold an original.
    async with _turns.take() as turn:
        started = time.time()
        _check_deadline(job)
        shards = await _shards(env.BUCKET, job.options.text)
        source = BucketSource(env.BUCKET, job, turn)
        await source.open()
        options = replace(job.options, shards=shards)
        rendition = await heap.within_memory(lambda: render(variant, source, options, describe), _make_room)
        rendered = time.time()
        _turns.touch(turn)
        stored = await _store(env.BUCKET, job, rendition)
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
        **success(job, rendition),
        **stored,
        **{name: _ms(value) for name, value in times.items()},
        "stages": {name: _ms(value) for name, value in seconds.items()},
    }


async def _shards(bucket: Any, text: str) -> dict[Shard, bytes]:
    """The fonts of the pack that the mark needs; without them it shows codes, and no create fails for it."""
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
    # What the last picture left in cycles, free lists and caches lies across the room for this one.
    gc.collect()
    _clear_caches()
    heap.grow()


async def _store(bucket: Any, job: Job, rendition: Rendition) -> dict[str, str]:
    """Put the rendition unless a later try has put one under its key, which R2 judges as the put arrives."""
    digest = hashlib.sha256(rendition.data).hexdigest()
    options = {"httpMetadata": METADATA, "customMetadata": {"attempt": str(job.attempt)}, "sha256": digest}
    condition = {"etagDoesNotMatch": "*"}
    try:
        for _ in range(PUTS):
            _check_deadline(job)
            stored = await bucket.put(job.output_key, rendition.data, {**options, "onlyIf": condition})
            if stored is not None:
                return {"sha256": digest, "etag": str(stored.etag)}
            found = await bucket.head(job.output_key)
            if found is not None and _attempt_of(found) > job.attempt:
                raise TooLate("A later try has made this rendition.")
            condition = {"etagDoesNotMatch": "*"} if found is None else {"etagMatches": found.etag}
    except JsException as error:
        raise ProcessingFailed("The rendition could not be stored.") from error
    raise ProcessingFailed("Others write this rendition at the same time.")


def _attempt_of(stored: Any) -> int:
    text = str((stored.customMetadata or {}).get("attempt", ""))
    return int(text) if text.isdecimal() else 0


def _check_deadline(job: Job) -> None:
    if job.deadline is not None and time.time() > job.deadline:
        raise TooLate("Nobody waits for this rendition any more.")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _variable(env: Any, name: str) -> str | None:
    return getattr(env, name, None)
