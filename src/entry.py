"""The gateway Worker: gives each request, with its bindings, to the application."""

from typing import Any

from workers import WorkerEntrypoint

from gallery.app import handle
from gallery.cloudflare import finish_body, platform_of, request_of, response_of, settings_of
from gallery.sweep import sweep


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        platform = platform_of(self.env, self.ctx)
        response = await handle(request_of(request), platform, lambda: settings_of(self.env))
        await finish_body(request)
        return response_of(response)

    async def scheduled(self, *_: Any) -> None:
        await sweep(platform_of(self.env, self.ctx), settings_of(self.env))
