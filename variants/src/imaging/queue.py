"""One render at a time in an isolate, and a short queue behind it.

A request that the platform cancels never resumes, so its `finally` never runs: a lock it held would stay
locked for the isolate's life. A turn is therefore a lease, kept alive by work and by waiting, and lost by
silence. All isolates share a thread, so while one computes nobody else can show life: time in which nobody in
the queue was awake counts against nobody, and only a store that does not answer is silent.

Waiting is by timer and not by a shared future, because a request must not be woken from inside another one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from imaging.errors import Overloaded

STALL = 0.5  # seconds without a look at the queue, which many looks a second prove to be no one's own silence
_BUSY = "The renderer is busy. Please try again in a moment."


class Turn:
    """A place in the queue; at its head, the right to render."""

    def __init__(self, now: float) -> None:
        self.alive_at = now
        self.task: asyncio.Task[Any] | None = asyncio.current_task()


class Turns:
    """The queue of an isolate: the first in it renders, at most `waiting` others stand behind it."""

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
        self._queue: list[Turn] = []
        self._looked_at = float("-inf")

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Turn]:
        """Wait for the turn and hold it; raises Overloaded when the queue is full or too slow."""
        now = self._look()
        self._drop_the_silent(now)
        if len(self._queue) > self._waiting:
            raise Overloaded(_BUSY)
        turn = Turn(now)
        self._queue.append(turn)
        try:
            await self._wait(turn)
            yield turn
        finally:
            if turn in self._queue:
                self._queue.remove(turn)

    def touch(self, turn: Turn) -> None:
        """Say that the holder of the turn still works; raises Overloaded when it was given to another."""
        if turn not in self._queue:
            raise Overloaded(_BUSY)
        turn.alive_at = self._look()

    async def _wait(self, turn: Turn) -> None:
        deadline = self._clock() + self._patience
        while self._queue[0] is not turn:
            if self._clock() > deadline:
                raise Overloaded(_BUSY)
            await self._sleep(self._poll)
            self.touch(turn)
            self._drop_the_silent(turn.alive_at)
        self.touch(turn)

    def _look(self) -> float:
        """The time; what passed without anybody awake is added to everybody's life."""
        now = self._clock()
        if (stalled := now - self._looked_at) > STALL:
            for turn in self._queue:
                turn.alive_at = min(now, turn.alive_at + stalled)
        self._looked_at = now
        return now

    def _drop_the_silent(self, now: float) -> None:
        oldest = now - self._lease
        for turn in [turn for turn in self._queue if turn.alive_at < oldest]:
            self._queue.remove(turn)
            if turn.task is not None:
                turn.task.cancel()
