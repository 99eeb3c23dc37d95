"""How many originals one isolate has rendered at a time; the rest wait their turn, but not for ever.

The platform may drop a request that then never resumes, so places and turns run out by themselves. Waiting is
by timer: on Workers, one request must not be woken from inside another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from gallery.errors import Overloaded

POLL = 0.05
SILENCE = 5.0


class Gate:
    """At most `places` inside and `waiting` before it; nobody waits longer than `patience` seconds."""

    def __init__(
        self, places: int = 4, waiting: int = 64, patience: float = 20.0, lease: float = 60.0
    ) -> None:
        self._places = places
        self._waiting = waiting
        self._patience = patience
        self._lease = lease
        self._inside: dict[object, float] = {}
        self._before: dict[object, float] = {}

    @asynccontextmanager
    async def place(
        self, ticks: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """A place inside, for the length of the block. Raises Overloaded."""
        me = object()
        try:
            await self._enter(me, ticks, sleep)
            yield
        finally:
            self._inside.pop(me, None)
            self._before.pop(me, None)

    async def _enter(
        self, me: object, ticks: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        arrived = ticks()
        self._forget(arrived)
        if len(self._before) >= self._waiting:
            raise Overloaded
        while True:
            now = ticks()
            self._before[me] = now
            self._forget(now)
            if len(self._inside) < self._places and next(iter(self._before)) is me:
                del self._before[me]
                self._inside[me] = now
                return
            if now - arrived >= self._patience:
                raise Overloaded
            await sleep(POLL)

    def _forget(self, now: float) -> None:
        for known, seconds in ((self._inside, self._lease), (self._before, SILENCE)):
            for one in [one for one, since in known.items() if now - since > seconds]:
                del known[one]
