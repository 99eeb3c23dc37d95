"""One action for many items, on several threads, which ends early when it is stopped or cannot succeed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from vfa_gallery.errors import (
    ArtworkLimitReached,
    GalleryError,
    JournalProblem,
    NotConfigured,
    Stopped,
    Unauthorized,
    Unreachable,
    UploadLimitReached,
    UploadRefused,
)

MOST_WORKERS = 10

T = TypeVar("T")
R = TypeVar("R")

_FATAL = (ArtworkLimitReached, JournalProblem, NotConfigured, Unauthorized, Unreachable, UploadLimitReached)
# A bucket that does not exist, or that accepts nothing under the gallery's signature.
_SHUT = {403, 404}


def fatal(error: GalleryError) -> bool:
    """Whether an error of one item would be that of every item.

    >>> fatal(Unreachable("no connection")), fatal(UploadRefused("no", status=400))
    (True, False)
    """
    return isinstance(error, _FATAL) or (isinstance(error, UploadRefused) and error.status in _SHUT)


def usual_workers(platform: str = sys.platform) -> int:
    """The number of threads where none is given; browsers give Python no threads.

    >>> usual_workers("linux"), usual_workers("emscripten")
    (4, 1)
    """
    return 1 if platform == "emscripten" else 4


@dataclass(frozen=True, slots=True)
class Done(Generic[T, R]):
    """What came of one item: a value, or an error; `left` says that it was not tried, or was broken off."""

    item: T
    value: R | None
    error: GalleryError | None
    left: bool
    seconds: float


class Run(Generic[T, R]):
    """Calls `work` for each item, in up to `workers` threads (1 to 10).

    A GalleryError fails its item, and ends the run if it is fatal. With one worker, everything happens in the
    caller's thread.

    Raises:
        ValueError: the number of workers is out of range.

    >>> sorted(done.value for done in Run(abs, 2).over([-1, 2, -3]))
    [1, 2, 3]
    """

    def __init__(self, work: Callable[[T], R], workers: int | None = None) -> None:
        self._workers = usual_workers() if workers is None else workers
        if not 1 <= self._workers <= MOST_WORKERS:
            raise ValueError(f"1 to {MOST_WORKERS} workers")
        self._work = work
        self.cause: GalleryError | None = None

    def stop(self) -> None:
        """Begin no further item; `checkpoint` raises from now on."""
        self.cause = self.cause or Stopped("stopped")

    @property
    def stopped(self) -> bool:
        """Whether the caller has stopped the run, in contrast to a fatal error."""
        return isinstance(self.cause, Stopped)

    def checkpoint(self, _: object = None) -> None:
        """Called by the work where it may be broken off. Raises Stopped when the run is to end."""
        if self.cause:
            raise Stopped("stopped")

    def over(self, items: Iterable[T]) -> Iterator[Done[T, R]]:
        """What came of every item, in the order in which they are done; items are taken as they are needed.

        Leaving the loop early stops the run. What ended an earlier run does not end this one.
        """
        self.cause = None
        if self._workers == 1:
            yield from map(self._one, items)
            return
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="vfa")
        try:
            pending: set[Future[Done[T, R]]] = set()
            for item in items:
                pending.add(pool.submit(self._one, item))
                while len(pending) >= 2 * self._workers:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    yield from (each.result() for each in done)
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (each.result() for each in done)
        except BaseException:
            self.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _one(self, item: T) -> Done[T, R]:
        started = time.monotonic()
        value, error, left = None, self.cause, self.cause is not None
        if not left:
            try:
                value = self._work(item)
            except Stopped as stopped:
                error, left = self.cause or stopped, True
            except GalleryError as problem:
                error = problem
                if fatal(problem):
                    self.cause = self.cause or problem
        return Done(item, value, error, left, time.monotonic() - started)
