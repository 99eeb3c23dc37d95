"""The watermark renderer."""

from typing import Any

from workers import Response, WorkerEntrypoint

from imaging.variants import Variant
from imaging.worker import serve


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Response:
        return await serve(Variant.WATERMARK, request, self.env)
