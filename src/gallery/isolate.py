"""What an isolate keeps between requests: queue, keys, refused users, last health check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gallery.access.jwks import KeyCache
from gallery.queue import Queue
from gallery.variants import Variant

T = TypeVar("T")

REFUSAL_SECONDS = 60.0  # the period of the rate limit that counts failures
HEALTH_SECONDS = 2.0


class RefusedUsers:
    """Users whose creates are refused for a while."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def refuse(self, user_id: str, now: float) -> None:
        """Refuse a user for REFUSAL_SECONDS; `now` is in seconds of any steady clock."""
        self._until = {user: until for user, until in self._until.items() if until > now}
        self._until[user_id] = now + REFUSAL_SECONDS

    def seconds_left(self, user_id: str, now: float) -> float:
        """How long the user is still refused, 0 or less for not at all."""
        return self._until.get(user_id, now) - now


class Recent(Generic[T]):
    """The result of a function, called anew when the last result is `seconds` old."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._called_at: float | None = None
        self._result: T | None = None

    async def get(self, now: float, call: Callable[[], Awaitable[T]]) -> T:
        """The last result, or that of a new call at `now`, in seconds of any steady clock.

        During a call, other requests get the result before: on Workers, a request must not wait for a promise
        of another.
        """
        is_fresh = self._called_at is not None and now - self._called_at < self._seconds
        if self._result is not None and is_fresh:
            return self._result
        self._called_at = now
        self._result = await call()
        return self._result


@dataclass(frozen=True, slots=True)
class Isolate:
    """The state of one isolate. Nothing in it is lost when the isolate ends."""

    queue: Queue = field(default_factory=Queue)
    keys: KeyCache = field(default_factory=KeyCache)
    refused: RefusedUsers = field(default_factory=RefusedUsers)
    health: Recent[Mapping[Variant, bool]] = field(default_factory=lambda: Recent(HEALTH_SECONDS))
