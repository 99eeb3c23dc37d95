"""Times: the text form that is recorded, and the stages of one request."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?")
_MILLISECONDS_FROM = 1e11  # as seconds, this would be the year 5138


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def iso(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds; texts of this form sort as their times do."""
    return moment(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_of(value: object) -> str | None:
    """A recorded time as `iso` writes it: ISO 8601, SQLite's own form, seconds or milliseconds since 1970.

    None for what is none of these. A time without a zone is UTC.
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
