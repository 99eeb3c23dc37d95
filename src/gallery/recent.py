"""An answer that stands for a few seconds, so that a question which anybody may ask is not asked as often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

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
