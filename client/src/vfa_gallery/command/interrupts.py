"""Ctrl-C: the first ends the work in order, a second one the process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from vfa_gallery.command.problem import INTERRUPTED


@contextmanager
def interruptible(stop: Callable[[], None], say: Callable[[str], None]) -> Iterator[None]:
    """Have Ctrl-C call `stop` and go on, so that what is under way comes to its end."""

    def first(*_: int | FrameType | None) -> None:
        # Before it is said: who reads it may be quick.
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
        stop()
        say("stopping; press Ctrl-C again to stop at once")

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
