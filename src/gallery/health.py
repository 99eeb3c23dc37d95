"""Whether the gallery can do what it is for: the database answers, and each renderer does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from gallery.errors import StorageError
from gallery.ports import Platform
from gallery.store import users
from gallery.store.database import transact
from gallery.variants import Variant

PATH = "/health"
# A renderer at work answers between two parts of a picture.
DEADLINE_SECONDS = 5.0


async def check_health(platform: Platform, token: str) -> Mapping[Variant, bool]:
    """Whether each renderer answers, as of a few seconds ago at most. Raises DatabaseError."""
    await transact(platform, (users.PING, ()))
    return await platform.health.get(platform.ticks(), lambda: _ask_all(platform, token))


async def _ask_all(platform: Platform, token: str) -> dict[Variant, bool]:
    faults = await asyncio.gather(*(_fault_of(platform, variant, token) for variant in Variant))
    for variant, fault in zip(Variant, faults, strict=True):
        if fault is not None:
            platform.log({"event": "renderer_unavailable", "variant": variant, "reason": fault})
    return {variant: fault is None for variant, fault in zip(Variant, faults, strict=True)}


async def _fault_of(platform: Platform, variant: Variant, token: str) -> str | None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    asking = platform.siblings[variant].post(PATH, headers, "{}")
    try:
        answer = await asyncio.wait_for(asking, DEADLINE_SECONDS)
        said = json.loads(answer.body)
    except TimeoutError:
        return f"no answer within {DEADLINE_SECONDS:g} s"
    except (StorageError, ValueError, RecursionError) as error:
        return repr(error)
    if answer.status == 200 and isinstance(said, dict) and said.get("success") is True:
        return None
    code = said.get("code") if isinstance(said, dict) else None
    return f"status {answer.status}, code {code!r}"
