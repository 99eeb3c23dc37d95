"""Waiting for a picture to be processed."""

from __future__ import annotations

from tests.support.gallery.clock import run

from gallery.pipeline import wait_for_processing


def wait(done_at: int | None, tries: int = 30) -> tuple[bool, list[float]]:
    """What waiting gives when the look numbered `done_at` from 0 is the first to find it done; the pauses."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def is_done() -> bool:
        return done_at is not None and len(pauses) >= done_at

    return run(wait_for_processing(is_done, sleep, tries=tries)), pauses


def test_what_is_done_needs_no_waiting() -> None:
    assert wait(0) == (True, [])


def test_what_is_never_done_is_looked_at_thirty_times() -> None:
    assert wait(None) == (False, [1.0] * 29)


def test_what_gets_done_is_noticed() -> None:
    assert wait(2) == (True, [1.0, 1.0])
    assert wait(2, tries=2) == (False, [1.0])
