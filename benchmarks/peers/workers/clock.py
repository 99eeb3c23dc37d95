"""Exclusive times by stage: what a stage calls under another name counts for that name alone."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class StageClock:
    """Seconds by stage. One render at a time: the stages nest, they do not overlap."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._since = 0.0
        self._running: list[str] = []
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def reset(self) -> None:
        self.seconds.clear()

    def milliseconds(self) -> dict[str, float]:
        return {name: round(seconds * 1000, 2) for name, seconds in self.seconds.items()}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._book()
        self._running.append(name)
        try:
            yield
        finally:
            self._book()
            self._running.pop()

    def _book(self) -> None:
        now = self._now()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
        self._since = now

    def timed(self, name: str, work: Callable[P, R]) -> Callable[P, R]:
        """The same function, its time booked under `name`."""

        @functools.wraps(work)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            with self.stage(name):
                return work(*args, **kwargs)

        return wrapper

    def awaited(self, name: str, work: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        @functools.wraps(work)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            with self.stage(name):
                return await work(*args, **kwargs)

        return wrapper

    def iterated(
        self, name: str, work: Callable[P, AsyncGenerator[R, None]]
    ) -> Callable[P, AsyncIterator[R]]:
        """An asynchronous generator, the time it takes to its next value booked under `name`."""

        @functools.wraps(work)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[R, None]:
            values = work(*args, **kwargs)
            try:
                while True:
                    with self.stage(name):
                        try:
                            value = await anext(values)
                        except StopAsyncIteration:
                            return
                    yield value
            finally:
                await values.aclose()

        return wrapper


def replaced(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Put a wrapper around what `owner` calls `name`; AttributeError when there is no such thing."""
    setattr(owner, name, wrap(getattr(owner, name)))


class TimedMethods:
    """An object some of whose methods are wrapped; everything else is its own."""

    def __init__(self, subject: Any, **wrappers: Callable[[Any], Any]) -> None:
        self._subject = subject
        for name, wrap in wrappers.items():
            setattr(self, name, wrap(getattr(subject, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subject, name)
