"""Slowing down a user whose originals fail again and again, which costs no quota but as much work as success.

The platform's rate limit counts failures. It cannot be asked without counting, so whoever has reached it is
remembered here, in the isolate that learned of it, and refused until the period is over.
"""

from __future__ import annotations

from math import ceil

from gallery.creation import Created, Order, create_artwork
from gallery.errors import RateLimited, StorageError, TooLarge, UnreadableImage, UnsupportedType
from gallery.ports import Platform
from gallery.settings import Settings
from gallery.times import Stopwatch


async def create_unless_failing(
    platform: Platform, settings: Settings, order: Order, watch: Stopwatch
) -> Created:
    """Create an artwork. Raises RateLimited when too many originals of this user were refused lately."""
    seconds = platform.refused.seconds_left(order.user_id, platform.ticks())
    if seconds > 0:
        raise RateLimited(ceil(seconds))
    try:
        return await create_artwork(platform, settings, order, watch)
    except (TooLarge, UnsupportedType, UnreadableImage):
        await _count(platform, order.user_id)
        raise


async def _count(platform: Platform, user_id: str) -> None:
    try:
        allowed = await platform.failures.allows(user_id)
    except StorageError as error:
        platform.log({"event": "limiter_failed", "reason": str(error)})
        return
    if not allowed:
        platform.refused.refuse(user_id, platform.ticks())
