"""Where the suite keeps things, and how much of everything it does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks"
CACHE = ROOT / ".cache/bench"
INPUTS = CACHE / "inputs"
COMMITTED = HERE / "results"
NODE = ROOT / ".venv/bin/node"


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly a run measures: `quick` is for trying the suite out, its numbers are worth little."""

    quick: bool = False

    @property
    def results(self) -> Path:
        return CACHE / "quick" if self.quick else COMMITTED

    def times(self, full: int, quick: int) -> int:
        return quick if self.quick else full
