"""Compare ratios with those of the committed results, and name what got worse by more than 15 %.

Ratios of things measured in one run, never absolute times: another machine, or a busy one, changes both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.problem import Problem

from benchmarks import runs
from benchmarks.engines import side_by_side, workerd
from benchmarks.gallery import gallery
from benchmarks.goals import ratio
from benchmarks.harness import ROUNDS
from benchmarks.inputs import Input, Kind
from benchmarks.places import COMMITTED
from benchmarks.sections import reads, trio

TOLERANCE = 0.15
INPUTS = (
    Input(Kind.BASELINE, 2),
    Input(Kind.BASELINE, 12),
    Input(Kind.BASELINE, 24),
    Input(Kind.PROGRESSIVE, 12),
    Input(Kind.PNG_RGB, 12),
    Input(Kind.WEBP, 4),
)
# The steadiest of the peers: photon's many seconds would triple the time this takes.
PEERS = ("native", "sharp")
READ_ROUNDS = 300


@dataclass(frozen=True, slots=True)
class Compared:
    title: str
    committed: float
    now: float

    @property
    def change(self) -> float:
        return self.now / self.committed - 1

    @property
    def worse(self) -> bool:
        return self.change > TOLERANCE


def trio_ratios(measured: Mapping[str, Any]) -> dict[str, float]:
    """Our time over each peer's, for every input of the check that both finished."""
    found = {}
    for original in INPUTS:
        engines = measured.get(original.name, {})
        for peer in PEERS:
            if all("ms" in engines.get(name, {}) for name in ("ours", peer)):
                found[f"{original.title}: time over {peer}'s"] = ratio(original.name, "ours", peer)(measured)
    return found


def read_ratios(latency: Mapping[str, Any]) -> dict[str, float]:
    empty = latency["empty"]["p50"]
    return {
        f"GET {name}: p50 over an empty Worker's": latency[name]["p50"] / empty
        for name in ("artwork", "list")
    }


def compared(committed: Mapping[str, float], now: Mapping[str, float]) -> list[Compared]:
    """What both have. A ratio that is gone is as bad as one that got worse, so it raises Problem."""
    missing = sorted(set(committed) - set(now))
    if missing:
        raise Problem(f"measured before, and not any more: {', '.join(missing)}")
    return [Compared(title, before, now[title]) for title, before in committed.items()]


def _measured_now() -> dict[str, float]:
    with side_by_side(("ours", *PEERS)) as engines:
        found = {original.name: trio.measured(engines, original, ROUNDS) for original in INPUTS}
    with gallery() as running, workerd("empty") as empty:
        latency = reads.latency(running, reads.addresses(running, empty), READ_ROUNDS)
    return trio_ratios(found) | read_ratios(latency)


def _committed() -> dict[str, float]:
    measured = {name: runs.read(COMMITTED, name) for name in ("trio", "reads")}
    if any(found is None for found in measured.values()):
        raise Problem("there are no committed results to compare with; run `make bench`")
    trios, latency = (found["measured"] for found in measured.values() if found)
    return trio_ratios(trios) | read_ratios(latency["latency"])


def check() -> list[Compared]:
    """Measure, print the comparison, and answer with what got worse."""
    rows = compared(_committed(), _measured_now())
    for row in rows:
        mark = "WORSE" if row.worse else "ok"
        print(f"{mark:6} {row.title}: {row.committed:.2f} → {row.now:.2f} ({row.change:+.0%})")
    worse = [row for row in rows if row.worse]
    if worse:
        print(f"\n{len(worse)} of {len(rows)} ratios got worse by more than {TOLERANCE:.0%}")
    return worse
