"""A Worker that holds the gateway's bindings to the port contract and answers with the outcomes as JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.support.gallery.adapters import Adapters
from tests.support.gallery.contract import outcomes
from workers import Response, WorkerEntrypoint

from gallery.cloudflare import platform_of


class Default(WorkerEntrypoint):
    async def fetch(self, _: Any) -> Any:
        platform = platform_of(self.env, self.ctx)
        adapters = Adapters(
            platform.database,
            platform.objects,
            platform.flags,
            platform.limits.creates,
            platform.verify,
            self._put,
            _bytes_of,
        )
        return Response(json.dumps(await outcomes(adapters)))

    async def _put(self, key: str, data: bytes, content_type: str | None) -> None:
        options: dict[str, Any] = {"httpMetadata": {"contentType": content_type}} if content_type else {}
        if not key.startswith("originals/"):
            options["sha256"] = hashlib.sha256(data).hexdigest()
        await self.env.BUCKET.put(key, data, options)


async def _bytes_of(stream: Any) -> bytes:
    return bytes(await Response(stream).bytes())
