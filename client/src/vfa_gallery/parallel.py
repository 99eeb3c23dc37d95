"""Work spread over threads, taken as it is needed and handed back as it is done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def usual_workers(platform: str = sys.platform) -> int:
    """How many at a time where nobody says; browsers give Python no threads.

    >>> usual_workers("linux"), usual_workers("emscripten")
    (4, 1)
    """
    return 1 if platform == "emscripten" else 4


def spread(work: Callable[[T], R], items: Iterable[T], workers: int, stop: Callable[[], None]) -> Iterator[R]:
    """Results in the order in which they are done; `stop` is called when the caller leaves early.

    With one worker no thread is started.

    >>> sorted(spread(abs, [-1, 2, -3], 2, stop=lambda: None))
    [1, 2, 3]
    """
    if workers == 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="vfa")
    try:
        pending: set[Future[R]] = set()
        for item in items:
            pending.add(pool.submit(work, item))
            while len(pending) >= 2 * workers:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (each.result() for each in done)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (each.result() for each in done)
    except BaseException:
        stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
