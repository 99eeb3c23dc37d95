"""The ratios that goals are set for, drawn from results: never an absolute time but where the goal is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Results = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached; `value` finds it in its section's results. Smaller is better unless `floor`."""

    title: str
    section: str
    bound: float
    value: Callable[[Results], float]
    unit: str = "×"
    floor: bool = False

    def met(self, value: float) -> bool:
        return value >= self.bound if self.floor else value <= self.bound


def ratio(original: str, engine: str, other: str) -> Callable[[Results], float]:
    """The median time of one engine as a multiple of another's."""

    def value(trio: Results) -> float:
        return float(trio[original][engine]["ms"]["median"] / trio[original][other]["ms"]["median"])

    return value


def _trio(title: str, original: str, other: str, bound: float) -> Goal:
    return Goal(title, "trio", bound, ratio(original, "ours", other))


def _of_empty(name: str) -> Callable[[Results], float]:
    return lambda reads: float(reads["latency"][name]["p50"] / reads["latency"]["empty"]["p50"])


def _agreement(creates: Results) -> float:
    """The largest distance of Server-Timing from the clock outside, as a share of it, with one client."""
    medians = [
        measured["serverTiming"]["ofOutside"]["median"]
        for name, measured in creates["load"].items()
        if name.endswith(", 1")
    ]
    return max(abs(1 - float(median)) for median in medians)


GOALS = (
    _trio("12 MP baseline JPEG against photon", "baseline-12", "photon", 0.20),
    _trio("12 MP baseline JPEG against sharp, a pipeline a rendition", "baseline-12", "sharp", 1.5),
    _trio("12 MP baseline JPEG against native Pillow, same code", "baseline-12", "native", 2.0),
    _trio("24 MP baseline JPEG against photon", "baseline-24", "photon", 0.12),
    _trio("24 MP baseline JPEG against sharp, a pipeline a rendition", "baseline-24", "sharp", 1.0),
    _trio("12 MP PNG against photon", "png-rgb-12", "photon", 0.35),
    _trio("12 MP PNG against sharp, a pipeline a rendition", "png-rgb-12", "sharp", 1.1),
    Goal(
        "12 MP trios a second and core",
        "trio",
        2.0,
        lambda trio: 1000 / float(trio["baseline-12"]["ours"]["ms"]["median"]),
        unit="/s",
        floor=True,
    ),
    Goal(
        "100 MP baseline JPEG, trio",
        "trio",
        3000.0,
        lambda trio: float(trio["baseline-100"]["ours"]["ms"]["median"]),
        unit=" ms",
    ),
    Goal(
        "gateway's part of a create, over an empty Worker",
        "creates",
        60.0,
        lambda creates: max(float(share["overheadMs"]) for share in creates["shares"].values()),
        unit=" ms",
    ),
    Goal("Server-Timing off the clock outside", "creates", 0.10, _agreement, unit=" of it"),
    Goal("GET an artwork, p50 over an empty Worker's", "reads", 2.0, _of_empty("artwork")),
    Goal("GET a list of 100, p50 over an empty Worker's", "reads", 4.0, _of_empty("list")),
    Goal(
        "`make dev` ready, warm caches",
        "starts",
        6.0,
        lambda starts: float(starts["makeDev"]["median"]) / 1000,
        unit=" s",
    ),
)
