"""Puts stage clocks around the renderer's own functions, natively and inside a sibling.

The renderer does not know of it. Names that are gone raise AttributeError, so that no stage is silently zero.
"""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from clock import StageClock, TimedMethods, replaced

RENDERED = {"upright": "orient", "draw_mark": "mark", "to_jpeg": "encode"}


def watch_renderer(clock: StageClock) -> None:
    """Book what a render does under open, decode, colour, resize, orient, mark and encode."""
    from PIL import Image

    from imaging import render
    from imaging.color.convert import Colours

    for name in ("resize", "reduce"):
        replaced(Image.Image, name, functools.partial(clock.timed, "resize"))
    for name in ("before", "after"):
        replaced(Colours, name, functools.partial(clock.timed, "colour"))
    for name, stage in RENDERED.items():
        replaced(render, name, functools.partial(clock.timed, stage))
    replaced(render, "open_original", functools.partial(_opening, clock))


def _opening(
    clock: StageClock, open_original: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[Any]]:
    opened = clock.awaited("open", open_original)

    async def wrapper(*args: Any) -> Any:
        return TimedMethods(await opened(*args), resampled=functools.partial(clock.awaited, "decode"))

    return wrapper


def sibling(variant: str) -> Any:
    """The sibling's entrypoint, whose answers carry `x-bench-stages`: milliseconds by stage, as JSON."""
    main = importlib.import_module(variant)
    worker = importlib.import_module("imaging.worker")
    clock = StageClock()
    watch_renderer(clock)
    replaced(worker.BucketSource, "open", functools.partial(clock.awaited, "fetch"))
    replaced(worker.BucketSource, "chunks", functools.partial(clock.iterated, "fetch"))
    replaced(worker, "_store", functools.partial(clock.awaited, "put"))
    if hasattr(main, "preview_of"):
        replaced(main, "preview_of", functools.partial(clock.timed, "preview"))

    class Default(main.Default):  # type: ignore[misc, name-defined]
        async def fetch(self, request: Any) -> Any:
            clock.reset()
            with clock.stage("rest"):
                response = await super().fetch(request)
            response.js_object.headers.set("x-bench-stages", json.dumps(clock.milliseconds()))
            return response

    return Default
