"""Calls the Worker's entrypoint the way Cloudflare's runtime does; runs inside the local runtime only."""

import asyncio
import importlib
import sys
from typing import Any

# MiB in use before the first request: 26 on a genuine runtime with Python 3.13, and a few to spare. Here
# Python 3.13 takes 23 and Python 3.14 takes 30, which was not measured there.
AT_REST = 38 if sys.version_info >= (3, 14) else 31
_padding = b""


def load(main: str) -> list[Any]:
    """Import the Worker's main module; return its fetch and scheduled handlers, and `ping`."""
    from workers import Request

    entrypoint = importlib.import_module(main).Default

    async def fetch(ctx: Any, env: Any, request: Any) -> Any:
        response = await entrypoint(ctx, env).fetch(Request(request))
        return response.js_object

    async def scheduled(ctx: Any, env: Any, controller: Any) -> None:
        await entrypoint(ctx, env).scheduled(controller)

    _pad()
    return [fetch, scheduled, ping]


async def ping() -> None:
    """Return as soon as the event loop has turned once."""
    await asyncio.sleep(0)


def freeze() -> None:
    """Break the event loop: what is scheduled from now on never runs."""
    loop = asyncio.get_event_loop()

    def forget(_: float, callback: Any, *arguments: Any, context: Any = None) -> asyncio.Handle:
        return asyncio.Handle(callback, arguments, loop, context=context)

    loop.call_later = forget  # type: ignore[method-assign,assignment]


def _pad() -> None:
    """Take up memory, so that the cap refuses here what would not fit in production."""
    global _padding
    end = id(bytes(4 << 20))  # large enough to lie above everything: addresses count from 0
    _padding = bytes(max(0, (AT_REST << 20) - end))
