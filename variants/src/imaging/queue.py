"""The queue of one isolate: one render at a time, the others wait for a short while.

The platform may cancel a request without running its `finally`; a lock it held would stay locked for the
life of the isolate. So the right to render is a lease, renewed by work and by waiting, which expires. All
isolates share a thread: while another one computes, nobody here can renew. Stalled time therefore does not
expire leases.

Waiting polls a timer, because a request must not be resumed by a future that belongs to another request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from imaging.errors import Overloaded

STALL = 0.5  # seconds without a poll, though there are many a second: the thread was busy elsewhere
_BUSY = "The renderer is busy. Please try again in a moment."


class Lease:
    """A place in the queue; the first place is the right to render."""

    def __init__(self, now: float) -> None:
        self.renewed_at = now
        self.task: asyncio.Task[Any] | None = asyncio.current_task()


class Queue:
    """The first in the queue renders, and at most `waiting` others wait, each for `patience` seconds.

    A lease expires `lease` seconds after it was last renewed. Waiting requests poll every `poll` seconds.
    """

    def __init__(
        self,
        waiting: int = 64,
        patience: float = 6.0,
        lease: float = 4.0,
        poll: float = 0.01,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._waiting = waiting
        self._patience = patience
        self._lease = lease
        self._poll = poll
        self._clock = clock
        self._sleep = sleep
        self._leases: list[Lease] = []
        self._polled_at = float("-inf")

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[Lease]:
        """Wait for the right to render, and hold it inside the block.

        Raises:
            Overloaded: The queue is full, or the wait took longer than `patience`.
        """
        now = self._now()
        self._remove_expired(now)
        if len(self._leases) > self._waiting:
            raise Overloaded(_BUSY)
        lease = Lease(now)
        self._leases.append(lease)
        try:
            await self._wait(lease)
            yield lease
        finally:
            if lease in self._leases:
                self._leases.remove(lease)

    def renew(self, lease: Lease) -> None:
        """Renew a lease.

        Raises:
            Overloaded: It has expired.
        """
        if lease not in self._leases:
            raise Overloaded(_BUSY)
        lease.renewed_at = self._now()

    async def _wait(self, lease: Lease) -> None:
        deadline = self._clock() + self._patience
        while self._leases[0] is not lease:
            if self._clock() > deadline:
                raise Overloaded(_BUSY)
            await self._sleep(self._poll)
            self.renew(lease)
            self._remove_expired(lease.renewed_at)
        self.renew(lease)

    def _now(self) -> float:
        """The time; if nobody has polled for a while, all leases are extended by that while."""
        now = self._clock()
        if (stalled := now - self._polled_at) > STALL:
            for lease in self._leases:
                lease.renewed_at = min(now, lease.renewed_at + stalled)
        self._polled_at = now
        return now

    def _remove_expired(self, now: float) -> None:
        oldest = now - self._lease
        for lease in [lease for lease in self._leases if lease.renewed_at < oldest]:
            self._leases.remove(lease)
            if lease.task is not None:
                lease.task.cancel()
