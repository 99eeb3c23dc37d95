"""Waiting for the readiness flags."""

from __future__ import annotations

import asyncio

from tests.gallery.fakes import DictFlags

from gallery.errors import StorageError
from gallery.pipeline import flag_of, wait_for_processing

KEYS = ["display/u/a.jpg", "thumbnails/u/a.jpg", "icons/u/a.jpg"]


class LateFlags(DictFlags):
    """Flags that come up one with each look, the store failing now and then."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.looks = 0
        self.failures = failures

    async def get(self, name: str) -> str | None:
        assert name.startswith("ready:")
        self.looks += 1
        if self.looks <= self.failures:
            raise StorageError("KV is down")
        return "1" if self.looks > self.failures + 2 else None


def wait(flags: DictFlags, tries: int = 30) -> tuple[bool, list[float]]:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    return asyncio.run(wait_for_processing(flags, KEYS, sleep, tries=tries)), pauses


def test_flags_that_are_up_need_no_waiting() -> None:
    flags = DictFlags()
    flags.stored = {flag_of(key): "1" for key in KEYS}
    assert wait(flags) == (True, [])


def test_flags_that_stay_down_are_asked_for_thirty_times() -> None:
    assert wait(DictFlags()) == (False, [1.0] * 29)


def test_flags_that_come_up_are_noticed() -> None:
    assert wait(LateFlags(failures=0)) == (True, [1.0])


def test_a_store_that_fails_is_asked_again() -> None:
    done, pauses = wait(LateFlags(failures=6))
    assert done
    assert pauses


def test_a_store_that_is_down_is_no_error() -> None:
    flags = DictFlags()
    flags.broken = True
    assert wait(flags, tries=3) == (False, [1.0, 1.0])
