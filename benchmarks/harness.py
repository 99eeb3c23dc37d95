"""Rounds, medians and spreads: how everything here is timed."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)

ROUNDS = 7
QUICK_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one subject: milliseconds on the wall's clock, and what else it has to say."""

    ms: float
    facts: Mapping[str, Any]


class Failed(Exception):
    """A subject could not do what it was asked; the text says why. It is a result, not an accident."""


def timed(work: Callable[[], Mapping[str, Any]]) -> Sample:
    started = time.perf_counter()
    facts = work()
    return Sample((time.perf_counter() - started) * 1000, facts)


def interleaved(
    subjects: Mapping[K, Callable[[], Sample]],
    rounds: int,
    *,
    warm: int = 1,
    budget: float = math.inf,
    least: int = 3,
) -> dict[K, list[Sample] | str]:
    """Run every subject once a round, so that a slow minute of the machine falls on all alike.

    The order turns by one from round to round. `warm` rounds come first and are not kept. A subject that has
    used up `budget` seconds is done after its `least` rounds; one that raises Failed is left out from then
    on, and its reason stands in place of its samples.
    """
    names = list(subjects)
    found: dict[K, list[Sample] | str] = {name: [] for name in names}
    spent = dict.fromkeys(names, 0.0)
    for number in range(-warm, rounds):
        turn = number % len(names) if names else 0
        for name in names[turn:] + names[:turn]:
            samples = found[name]
            if isinstance(samples, str) or (spent[name] > budget and len(samples) >= least):
                continue
            try:
                sample = subjects[name]()
            except Failed as failure:
                found[name] = str(failure)
                continue
            spent[name] += sample.ms / 1000
            if number >= 0:
                samples.append(sample)
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Median, spread (half the distance of the quartiles, as a share of the median), and the raw values."""
    middle = statistics.median(values)
    if len(values) > 1:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    else:
        low = high = middle
    return {
        "median": round(middle, 2),
        "spread": round((high - low) / 2 / middle, 3) if middle else 0.0,
        "least": round(min(values), 2),
        "raw": [round(value, 2) for value in values],
    }


def latencies(values: Sequence[float]) -> dict[str, Any]:
    return {
        **{f"p{share}": round(percentile(values, share / 100), 2) for share in (50, 95, 99)},
        "n": len(values),
        "raw": [round(value, 2) for value in values],
    }
