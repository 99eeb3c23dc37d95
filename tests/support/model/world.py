"""What a run remembers of each original: what was acknowledged, what was refused, what is unknown."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum, auto


class State(StrEnum):
    """Of one original, by the answers that came."""

    WAITING = auto()  # uploaded, or about to be
    MADE = auto()  # an artwork was acknowledged
    DELETED = auto()  # its deletion was acknowledged
    UNKNOWN = auto()  # the answer to a create or a deletion did not come


@dataclass(slots=True)
class Work:
    """One original and its artwork; `titles` are those that it may have, in no certain order."""

    key: str
    state: State = State.WAITING
    artwork_id: str | None = None
    is_put: bool = False
    titles: set[str] = field(default_factory=set)


class Shelf:
    """The works of one user, which several threads of that user change."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.works: dict[str, Work] = {}
        self.seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, key: str) -> Work:
        with self._lock:
            return self.works.setdefault(key, Work(key))

    def note(self, operation: str, outcome: object) -> None:
        with self._lock:
            self.seen[f"{operation} {outcome}"] += 1

    def made(self, work: Work, artwork_id: str, title: str | None) -> None:
        """An artwork was acknowledged, with this title where it is the one that was asked for."""
        with self._lock:
            if work.artwork_id not in (None, artwork_id):
                raise AssertionError(f"{work.key} has two artworks: {work.artwork_id} and {artwork_id}")
            if work.state is State.DELETED:
                raise AssertionError(f"{work.key} was deleted and is there again")
            work.artwork_id, work.state = artwork_id, State.MADE
            if title is not None and not work.titles:
                work.titles = {title}

    def of(self, *states: State) -> list[Work]:
        with self._lock:
            return [work for work in self.works.values() if work.state in states]

    def __iter__(self) -> Iterator[Work]:
        with self._lock:
            return iter(list(self.works.values()))
