"""The queue of an isolate: how many originals are rendered at a time, and who is next.

The platform may drop a request that then never resumes, so visits expire by themselves. Waiting is by timer:
on Workers, a request must not wait for a promise of another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gallery.errors import Overloaded

POLL = 0.05  # seconds between two looks at the queue
SILENCE = 5.0  # seconds after which a waiting request is taken for dropped
_TOO_MANY_OF_USER = "Too many of your pictures are being processed. Please try again in a moment."


@dataclass(slots=True, eq=False)
class _Visit:
    user_id: str
    seen_at: float


class Queue:
    """At most `places` requests at work and `waiting` in the queue; of a user `places_each`, `waiting_each`.

    A free place goes to the user who was given one longest ago. No request waits longer than `patience`
    seconds, and a place expires `lease` seconds after it was given.
    """

    def __init__(
        self,
        places: int = 4,
        waiting: int = 64,
        patience: float = 20.0,
        lease: float = 60.0,
        places_each: int = 2,
        waiting_each: int = 12,
    ) -> None:
        self._places = places
        self._waiting = waiting
        self._patience = patience
        self._lease = lease
        self._places_each = places_each
        self._waiting_each = waiting_each
        self._inside: list[_Visit] = []
        self._queue: list[_Visit] = []
        self._served: dict[str, int] = {}  # by user, the number of the last place that was given
        self._given = 0

    @asynccontextmanager
    async def place(
        self, user_id: str, ticks: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """A place for the length of the block.

        `ticks` is in seconds of a steady clock, by which `sleep` waits. Raises Overloaded when the queue is
        full and when waiting takes too long.
        """
        visit = _Visit(user_id, ticks())
        try:
            await self._enter(visit, ticks, sleep)
            yield
        finally:
            self._leave(visit)

    async def _enter(
        self, visit: _Visit, ticks: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        arrived = visit.seen_at
        self._forget(arrived)
        if len(self._queue) >= self._waiting:
            raise Overloaded
        if sum(other.user_id == visit.user_id for other in self._queue) >= self._waiting_each:
            raise Overloaded(_TOO_MANY_OF_USER)
        self._queue.append(visit)
        while True:
            visit.seen_at = ticks()
            self._forget(visit.seen_at)
            if visit not in self._queue:  # it did not look for longer than SILENCE
                self._queue.append(visit)
            if self._next() is visit:
                self._queue.remove(visit)
                self._inside.append(visit)
                self._given += 1
                self._served[visit.user_id] = self._given
                return
            if visit.seen_at - arrived >= self._patience:
                raise Overloaded
            await sleep(POLL)

    def _next(self) -> _Visit | None:
        """The request that may have a free place now."""
        if len(self._inside) >= self._places:
            return None
        at_work = Counter(visit.user_id for visit in self._inside)
        ready = [visit for visit in self._queue if at_work[visit.user_id] < self._places_each]
        return min(ready, key=lambda visit: self._served.get(visit.user_id, 0), default=None)

    def _leave(self, visit: _Visit) -> None:
        for visits in (self._inside, self._queue):
            if visit in visits:
                visits.remove(visit)
        present = {visit.user_id for visit in (*self._inside, *self._queue)}
        self._served = {user: number for user, number in self._served.items() if user in present}

    def _forget(self, now: float) -> None:
        self._inside = [visit for visit in self._inside if now - visit.seen_at <= self._lease]
        self._queue = [visit for visit in self._queue if now - visit.seen_at <= SILENCE]
