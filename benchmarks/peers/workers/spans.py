"""Spans of time that overlap, and how much of the whole is whose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Span = tuple[float, float]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same stretches of time without overlaps, in order."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif end > start:
            found.append((start, end))
    return found


def length(spans: Iterable[Span]) -> float:
    return sum(end - start for start, end in merged(spans))


def shares(spans: Mapping[str, Sequence[Span]], ranks: Sequence[str]) -> dict[str, float]:
    """Time by owner. Where several overlap it belongs to the first of them in `ranks`."""
    found, covered = {}, list[Span]()
    for owner in ranks:
        before = length(covered)
        covered += spans.get(owner, ())
        found[owner] = length(covered) - before
    return found
