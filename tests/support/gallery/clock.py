"""Virtual time: an event loop that never waits, and a clock that reads it."""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time goes on to the next timer when nothing else is left to do.

    Whatever sleeps or has a deadline takes no time, and its order does not depend on the machine.
    """

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Selector(self._advance))

    def time(self) -> float:
        return self._now

    def _advance(self, seconds: float) -> None:
        self._now += seconds


class _Selector(selectors.DefaultSelector):
    def __init__(self, advance: Callable[[float], None]) -> None:
        super().__init__()
        self._advance = advance

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everything waits for something that never happens")
        if not ready and timeout is not None:
            self._advance(max(0.0, timeout))
        return ready


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A coroutine test as a plain function."""

    @functools.wraps(test)
    def plain(*args: Any, **kwargs: Any) -> None:
        run(test(*args, **kwargs))

    return plain


class Clock:
    """Seconds since 1970 that go on with the virtual time of the running loop, and can be set."""

    def __init__(self, start: float) -> None:
        self._offset = start
        self.pauses: list[float] = []  # every sleep, in seconds

    def now(self) -> float:
        return self._offset + self._elapsed()

    def set(self, seconds: float) -> None:
        self._offset = seconds - self._elapsed()

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if not isinstance(asyncio.get_running_loop(), VirtualLoop):
            raise RuntimeError("a World runs in virtual time: use tests.support.gallery.clock.run")
        await asyncio.sleep(seconds)

    def _elapsed(self) -> float:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return 0.0
        return loop.time() if isinstance(loop, VirtualLoop) else 0.0
