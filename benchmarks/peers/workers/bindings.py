"""The gateway's entrypoint, whose answers carry `x-bench-bindings`: milliseconds by binding, as JSON.

One request at a time. Where calls overlap the time is the siblings' first, then D1's, R2's and KV's; what no
call covers is the gateway's own.
"""

from __future__ import annotations

import functools
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from spans import Span, shares

import entry
from gallery import cloudflare

CALLS = {
    "siblings": (cloudflare.Service, ["post"]),
    "D1": (cloudflare.D1, ["batch"]),
    "R2": (cloudflare.R2, ["head", "read", "delete"]),
    "KV": (cloudflare.KV, ["get", "put", "delete"]),
    "limits": (cloudflare.RateLimit, ["allows"]),
}
_spans: defaultdict[str, list[Span]] = defaultdict(list)


def _watched(owner: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(call)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return await call(*args, **kwargs)
        finally:
            _spans[owner].append((started, time.perf_counter()))

    return wrapper


for _owner, (_class, _methods) in CALLS.items():
    for _method in _methods:
        setattr(_class, _method, _watched(_owner, getattr(_class, _method)))


class Default(entry.Default):
    async def fetch(self, request: Any) -> Any:
        _spans.clear()
        started = time.perf_counter()
        response = await super().fetch(request)
        total = time.perf_counter() - started
        found = shares(_spans, list(CALLS))
        found["gateway"] = total - sum(found.values())
        report = {name: round(seconds * 1000, 2) for name, seconds in found.items()}
        response.js_object.headers.set("x-bench-bindings", json.dumps(report | {"total": total * 1000}))
        return response
