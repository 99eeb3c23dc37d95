"""Times: the text form that is recorded, and the stages of one request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def iso(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds; texts of this form sort as their times do."""
    return moment(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Stopwatch:
    """How long each stage of a request took, in milliseconds, in the order they ended."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._start = self._last = ticks()
        self.stages: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = self._ticks()
        self.stages[stage] = round((now - self._last) * 1000, 1)
        self._last = now

    @property
    def total(self) -> float:
        return round((self._ticks() - self._start) * 1000, 1)

    def server_timing(self) -> str:
        stages = self.stages | {"total": self.total}
        return ", ".join(f"{stage};dur={ms}" for stage, ms in stages.items())
