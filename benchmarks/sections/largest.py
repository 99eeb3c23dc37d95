"""The largest picture whose three renditions fit into what a Worker has, by bisection over a ladder of sizes.

One budget for all: 88 MiB of WebAssembly memory and of the original held beside it; for engines outside
workerd, of growth of their process. For this project's renderers it is enforced, and refuse from the header.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.engines import alone
from benchmarks.harness import Failed, Sample
from benchmarks.inputs import Input, Kind
from benchmarks.places import Effort

BUDGET = 88 << 20
STEP = 1.15
LEAST, MOST = 1.0, 200.0
MOST_OF = {
    Kind.BASELINE: MOST,
    Kind.PROGRESSIVE: 60.0,
    Kind.PNG_RGB: 100.0,
    Kind.PNG_RGBA: 100.0,
    Kind.WEBP: 30.0,
}
ENGINES = ("ours", "photon-once", "jsquash", "sharp")


def ladder(most: float) -> list[float]:
    """Sizes in megapixels, each a seventh larger than the one before, the last one `most`."""
    sizes = [most]
    while sizes[-1] / STEP >= LEAST:
        sizes.append(sizes[-1] / STEP)
    return [round(size, 2 if size < 20 else 0) for size in reversed(sizes)]


def bisected(sizes: list[float], fits: Callable[[float], bool]) -> float | None:
    """The largest of the rising sizes that fits, supposing that all smaller ones do; None when none does."""
    low, high = -1, len(sizes)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(sizes[middle]) else (low, middle)
    return sizes[low] if low >= 0 else None


def run(effort: Effort) -> dict[str, Any]:
    kinds = [Kind.PROGRESSIVE] if effort.quick else list(MOST_OF)
    found = {name: {kind: _largest(kind, _in_fresh(name)) for kind in kinds} for name in ENGINES[1:]}
    # Refusals come from the header and leave the heap as it was, so one set of isolates does for all.
    with alone(ENGINES[0]) as engine:
        return {ENGINES[0]: {kind: _largest(kind, engine.render) for kind in kinds}, **found}


def _in_fresh(name: str) -> Callable[[Input], Sample]:
    """Renders each original in a fresh isolate or process: a heap would remember a larger one."""

    def render(original: Input) -> Sample:
        with alone(name) as engine:
            return engine.render(original)

    return render


def _largest(kind: Kind, render: Callable[[Input], Sample]) -> dict[str, Any]:
    tried: dict[str, Any] = {}

    def fits(megapixels: float) -> bool:
        try:
            sample = render(Input(kind, megapixels))
        except Failed as failure:
            tried[str(megapixels)] = str(failure)
            return False
        tried[str(megapixels)] = sample.facts["memoryBytes"]
        return bool(sample.facts["memoryBytes"] <= BUDGET)

    most = MOST_OF[kind]
    largest = bisected(ladder(most), fits)
    return {"megapixels": largest, "atLeast": largest == most, "tried": tried}
