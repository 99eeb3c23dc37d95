"""Whether the gallery can work: the database answers, and each renderer does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from gallery.errors import StorageError
from gallery.ports import Platform
from gallery.store.database import PING, bind, only
from gallery.times import wait_for
from gallery.variants import Variant

PATH = "/health"
# A renderer at work answers between two parts of a picture.
DEADLINE_SECONDS = 5.0


async def check_health(platform: Platform, token: str) -> Mapping[Variant, bool]:
    """Whether each renderer answers, as of at most HEALTH_SECONDS ago. Raises DatabaseError.

    `token` authorizes the requests to the renderers.
    """
    await only(platform, bind(PING))
    return await platform.isolate.health.get(platform.ticks(), lambda: _ask_all(platform, token))


async def _ask_all(platform: Platform, token: str) -> dict[Variant, bool]:
    faults = await asyncio.gather(*(_fault_of(platform, variant, token) for variant in Variant))
    for variant, fault in zip(Variant, faults, strict=True):
        if fault is not None:
            platform.log({"event": "renderer_unavailable", "variant": variant, "reason": fault})
    return {variant: fault is None for variant, fault in zip(Variant, faults, strict=True)}


async def _fault_of(platform: Platform, variant: Variant, token: str) -> str | None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    asking = platform.renderers[variant].post(PATH, headers, "{}")
    try:
        response = await wait_for(asking, DEADLINE_SECONDS, platform.sleep)
        fields = json.loads(response.body)
    except TimeoutError as error:
        return str(error)
    except (StorageError, ValueError, RecursionError) as error:
        return repr(error)
    if response.status == 200 and isinstance(fields, dict) and fields.get("success") is True:
        return None
    code = fields.get("code") if isinstance(fields, dict) else None
    return f"status {response.status}, code {code!r}"
