"""Calls the Worker's entrypoint the way Cloudflare's runtime does; runs inside the local runtime only."""

import importlib
from typing import Any


def load(main: str) -> list[Any]:
    """Import the Worker's main module; return its fetch and scheduled handlers."""
    from workers import Request

    entrypoint = importlib.import_module(main).Default

    async def fetch(ctx: Any, env: Any, request: Any) -> Any:
        response = await entrypoint(ctx, env).fetch(Request(request))
        return response.js_object

    async def scheduled(ctx: Any, env: Any, controller: Any) -> None:
        await entrypoint(ctx, env).scheduled(controller)

    return [fetch, scheduled]
