"""When to try again, and how long to wait before."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from vfa_gallery.errors import GalleryError, Passing, Refused

T = TypeVar("T")
Pause = Callable[[float], None]
Worth = Callable[[GalleryError], bool]


def passing(error: GalleryError) -> bool:
    """For calls that may be repeated whether or not they had their effect."""
    return isinstance(error, Passing)


def refused(error: GalleryError) -> bool:
    """For calls that must not take effect twice."""
    return isinstance(error, Refused)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `attempts` tries and `patience` seconds of waiting for one call.

    Waits double from `first` to `longest` seconds, each shortened by chance to between half and whole; what
    the gallery asks for with Retry-After is waited in full. Being turned away does not count as a try.

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
        """Seconds to wait after so many tries."""
        if retry_after is not None:
            return retry_after + self.first * self.chance()
        return float(min(self.longest, self.first * 2 ** (tries - 1)) * (0.5 + self.chance() / 2))


def persist(call: Callable[[], T], policy: RetryPolicy, worth: Worth, pause: Pause) -> T:
    """Call until it succeeds, fails for good, or the policy's tries or patience are used up."""
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
        pause(delay)
