"""What a soak saw: answers by operation, faults, memory; and the verdict on it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MIB = 1 << 20
# V8 lets garbage lie until there is much of it: memory grows in the first third of a run, and must not later.
GROWTH_MIB = 96
SHORTEST_MINUTES = 10
MOST_FAULTS = 50


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory at a moment, in MiB: workerd's resident set, and the WebAssembly heap of each isolate."""

    minute: float
    rss: float
    heaps: dict[str, float]
    requests: int


@dataclass(slots=True)
class Ledger:
    """Written by all threads of a soak."""

    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def minute(self) -> float:
        return round((time.monotonic() - self.started) / 60, 2)

    def count(self, operation: str, status: object) -> None:
        with self._lock:
            self.answers[f"{operation} {status}"] += 1

    def fault(self, what: str) -> None:
        with self._lock:
            if len(self.faults) < MOST_FAULTS:
                self.faults.append(f"minute {self.minute}: {what}")

    def sample(self, pid: int, heaps: dict[str, int]) -> Sample:
        sizes = {name: round(size / MIB, 1) for name, size in heaps.items()}
        made = Sample(self.minute, rss_mib(pid), sizes, self.answers.total())
        self.samples.append(made)
        return made

    def check_memory(self) -> None:
        """Memory that still grew after a third of the run is a fault; a short run says nothing about it."""
        last = self.samples[-1]
        later = [sample for sample in self.samples if sample.minute >= last.minute / 3]
        if last.minute < SHORTEST_MINUTES:
            return
        if last.rss - later[0].rss > GROWTH_MIB:
            self.fault(f"workerd grew from {later[0].rss} to {last.rss} MiB")
        for name, size in last.heaps.items():
            if size > later[0].heaps[name]:
                self.fault(f"the heap of {name} grew from {later[0].heaps[name]} to {size} MiB")

    def report(self, **about: Any) -> dict[str, Any]:
        return {
            **about,
            "minutes": self.minute,
            "requests": self.answers.total(),
            "answers": dict(sorted(self.answers.items())),
            "kills": dict(self.kills),
            "memory": [asdict(sample) for sample in self.samples],
            "faults": self.faults,
        }


def rss_mib(pid: int) -> float:
    """Resident memory of a process in MiB. Raises OSError when it does not run."""
    found = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], check=False, capture_output=True, text=True)
    if found.returncode:
        raise ProcessLookupError(f"process {pid} does not run")
    return round(int(found.stdout) / 1024, 1)


def as_markdown(report: dict[str, Any]) -> str:
    """The report as Markdown tables."""
    heaps = list(report["memory"][0]["heaps"])
    lines = [
        f"{report['requests']} requests in {report['minutes']} minutes, seed {report['seed']}.",
        f"Faults: {len(report['faults'])}.",
        f"Interpreters that died: {report['died']}; replaced: {report['revived']}.",
        f"workerd started again: {report['restarts']} times.",
        "",
        f"| minute | workerd, MiB | {' | '.join(heaps)} | requests |",
        f"|---:|---:|{'---:|' * len(heaps)}---:|",
    ]
    for sample in report["memory"]:
        sizes = " | ".join(str(sample["heaps"][name]) for name in heaps)
        lines.append(f"| {sample['minute']} | {sample['rss']} | {sizes} | {sample['requests']} |")
    lines += ["", "| operation and answer | times |", "|---|---:|"]
    lines += [f"| {name} | {times} |" for name, times in report["answers"].items()]
    lines += ["", *(f"- {fault}" for fault in report["faults"])]
    return "\n".join(lines).rstrip() + "\n"


def write(report: dict[str, Any], folder: Path) -> Path:
    """Leave the report in a folder, as JSON and as Markdown; the path of the JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "soak.json"
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    (folder / "soak.md").write_text(as_markdown(report))
    return path
