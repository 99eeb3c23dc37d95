"""The least that a Python Worker can do: what a request costs before any of ours."""

from typing import Any

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, _request: Any) -> Response:
        return Response("ok")
