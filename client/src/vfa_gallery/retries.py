"""When to try again, and how long to wait before."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from vfa_gallery.errors import GalleryError, Passing, Refused

log = logging.getLogger("vfa_gallery")

T = TypeVar("T")
Pause = Callable[[float], None]
Worth = Callable[[GalleryError], bool]


def passing(error: GalleryError) -> bool:
    """For calls that may be repeated whether or not they took effect."""
    return isinstance(error, Passing)


def refused(error: GalleryError) -> bool:
    """For calls that must not take effect twice."""
    return isinstance(error, Refused)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `attempts` tries and `patience` seconds of waiting for one call.

    Waits double from `first` to `longest` seconds, each multiplied by a random factor from 0.5 to 1; the time
    in Retry-After is waited in full. A refusal before anything was done (429, 503) does not count as a try.

    >>> [RetryPolicy(chance=lambda: 1.0).delay(tries, None) for tries in (1, 2, 3, 9)]
    [0.5, 1.0, 2.0, 15.0]
    >>> RetryPolicy(chance=lambda: 0.0).delay(1, retry_after=3)
    3.0
    """

    attempts: int = 5
    patience: float = 300.0
    first: float = 0.5
    longest: float = 15.0
    sleep: Pause = field(default=time.sleep, repr=False)
    chance: Callable[[], float] = field(default=random.random, repr=False)

    def delay(self, tries: int, retry_after: float | None) -> float:
        """Seconds to wait after `tries` tries; `retry_after` is what the gallery asked for, if it did."""
        if retry_after is not None:
            return retry_after + self.first * self.chance()
        return float(min(self.longest, self.first * 2 ** (tries - 1)) * (0.5 + self.chance() / 2))


def persist(call: Callable[[], T], policy: RetryPolicy, worth: Worth, pause: Pause) -> T:
    """Call until it succeeds, fails for good, or the policy's tries or patience are used up.

    Raises:
        GalleryError: that of the last try.
    """
    failures, rounds, waited = 0, 0, 0.0
    while True:
        try:
            return call()
        except GalleryError as error:
            rounds += 1
            failures += not refused(error)
            delay = policy.delay(rounds, error.retry_after)
            waited += delay
            if not worth(error) or failures >= policy.attempts or waited > policy.patience:
                raise
            log.info("try %d failed: %s", rounds, error)
        pause(delay)
