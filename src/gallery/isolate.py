"""What an isolate remembers between requests: refused users and the last health check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from gallery.variants import Variant

PERIOD = 60.0  # seconds, that of the rate limit which says so


class Refused:
    """Users, each until a time of the given clock."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def refuse(self, user_id: str, now: float) -> None:
        """Refuse a user for PERIOD seconds from now on."""
        self._until = {user: until for user, until in self._until.items() if until > now}
        self._until[user_id] = now + PERIOD

    def seconds_left(self, user_id: str, now: float) -> float:
        """How long the user is refused still; not at all when it is 0 or less."""
        return self._until.get(user_id, now) - now


T = TypeVar("T")


class Recent(Generic[T]):
    """The last answer to one question; it is asked again when that is `seconds` old."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked: float | None = None
        self._answer: T | None = None

    async def get(self, now: float, ask: Callable[[], Awaitable[T]]) -> T:
        """The last answer, or a new one at `now`, in seconds of any steady clock.

        While one caller asks, the others get the answer before: on Workers, one request must not wait for
        another.
        """
        if self._answer is not None and self._asked is not None and now - self._asked < self._seconds:
            return self._answer
        self._asked = now
        self._answer = await ask()
        return self._answer


Health = Recent[Mapping[Variant, bool]]

HEALTH_SECONDS = 2.0
