"""Times: the text that is recorded, deadlines by an injected clock, and the stages of one request."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?")
_MILLISECONDS_FROM = 1e11  # as seconds, this would be the year 5138


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC with milliseconds; such texts sort as their times do."""
    return moment(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_of(value: object) -> str | None:
    """A recorded time in the form of `iso`, None for what is no time.

    Read are ISO 8601, SQLite's own form, and seconds or milliseconds since 1970. A time without a zone is
    UTC.
    """
    text = str(value or "").strip()
    try:
        if _NUMBER.fullmatch(text):
            number = float(text)
            return iso(number if number < _MILLISECONDS_FROM else number / 1000)
        found = datetime.fromisoformat(text)
        return iso((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError, OSError):
        return None


async def wait_for(work: Awaitable[T], seconds: float, sleep: Sleep) -> T:
    """The result of `work`, which is cancelled after `seconds` by the clock of `sleep`.

    Raises TimeoutError.
    """
    task, timer = asyncio.ensure_future(work), asyncio.ensure_future(sleep(seconds))
    try:
        await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise TimeoutError(f"no answer within {seconds:g} s")
        return task.result()
    finally:
        task.cancel()
        timer.cancel()


async def wait_for_all(tasks: Collection[asyncio.Future[Any]], seconds: float, sleep: Sleep) -> None:
    """Wait until all tasks are done, at most `seconds`; tasks that are not done by then go on."""
    with suppress(TimeoutError):
        await wait_for(asyncio.wait(tasks), seconds, sleep)


class Stopwatch:
    """How long each stage of a request took, in milliseconds, in the order they ended."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._start = self._last = ticks()
        self.stages: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """End a stage, which began with the end of the one before."""
        now = self._ticks()
        self.stages[stage] = round((now - self._last) * 1000, 1)
        self._last = now

    @property
    def total(self) -> float:
        return round((self._ticks() - self._start) * 1000, 1)

    def server_timing(self) -> str:
        """The value of a Server-Timing header."""
        stages = self.stages | {"total": self.total}
        return ", ".join(f"{stage};dur={ms}" for stage, ms in stages.items())
