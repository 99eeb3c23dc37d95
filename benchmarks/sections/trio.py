"""The three renditions of one original: this project beside its peers, in one run, on the same inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.engines import TITLES, Engine, side_by_side
from benchmarks.harness import ROUNDS, Sample, interleaved, summary
from benchmarks.inputs import MEASURED, Input, Kind
from benchmarks.places import Effort

# Rows that a goal is set for: every engine runs all rounds there.
GOALS = (Input(Kind.BASELINE, 12), Input(Kind.BASELINE, 24), Input(Kind.PNG_RGB, 12))
BUDGET_SECONDS = 12.0
QUICK = (Input(Kind.BASELINE, 2), Input(Kind.BASELINE, 12), Input(Kind.PNG_RGB, 12))
# WebAssembly that keeps whole pictures several times over: at these sizes it needs more than any Worker has.
HEAVY = ("photon", "photon-once", "jsquash")
HEAVY_MEGAPIXELS = 48


def run(effort: Effort) -> dict[str, Any]:
    inputs = QUICK if effort.quick else MEASURED
    with side_by_side(TITLES) as engines:
        return {original.name: measured(engines, original, effort.times(ROUNDS, 2)) for original in inputs}


def measured(
    engines: dict[str, Engine], original: Input, rounds: int, goals: Sequence[Input] = GOALS
) -> dict[str, Any]:
    """Every engine's samples on one input; engines that failed say why."""
    subjects = {
        name: lambda engine=engine: engine.render(original)
        for name, engine in engines.items()
        if name not in HEAVY or original.megapixels <= HEAVY_MEGAPIXELS
    }
    budget = float("inf") if original in goals else BUDGET_SECONDS
    found = interleaved(subjects, rounds, budget=budget)
    return {name: _result(samples) for name, samples in found.items()}


def _result(samples: list[Sample] | str) -> dict[str, Any]:
    if isinstance(samples, str):
        return {"failed": samples}
    return {
        "ms": summary([sample.ms for sample in samples]),
        "cpuMs": summary([sample.facts["cpuMs"] for sample in samples]),
        "outputs": samples[-1].facts["outputs"],
    }
