"""A run of sections: each leaves a file, and a run that was interrupted goes on with what is missing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.places import CACHE, Effort
from benchmarks.sections import cost, creates, largest, memory, reads, stages, starts, trio, trust

SECTIONS: dict[str, Callable[[Effort], dict[str, Any]]] = {
    "trio": trio.run,
    "stages": stages.run,
    "creates": creates.run,
    "reads": reads.run,
    "cost": cost.run,
    "starts": starts.run,
    "memory": memory.run,
    "largest": largest.run,
    "trust": trust.run,
}


def read(folder: Path, section: str) -> dict[str, Any] | None:
    """What a section measured, if it has been."""
    path = folder / f"{section}.json"
    return dict(json.loads(path.read_text())) if path.exists() else None


def run(effort: Effort, wanted: Iterable[str], *, fresh: bool = False) -> None:
    """Measure what is wanted and not yet part of the unfinished run."""
    progress = CACHE / ("unfinished-quick.json" if effort.quick else "unfinished.json")
    done: list[str] = [] if fresh or not progress.exists() else json.loads(progress.read_text())
    names = list(wanted)
    for name in names:
        if name in done:
            print(f"{name:8} was measured before the run was interrupted", flush=True)
            continue
        _measure(effort, name)
        done.append(name)
        progress.parent.mkdir(parents=True, exist_ok=True)
        progress.write_text(json.dumps(done))
    progress.unlink(missing_ok=True)


def _measure(effort: Effort, name: str) -> None:
    print(f"{name:8} … (load {machine.load()})", flush=True)
    load, started, at = machine.load(), time.monotonic(), machine.now()
    measured = SECTIONS[name](effort)
    about = {
        "at": at,
        "seconds": round(time.monotonic() - started),
        "loadBefore": load,
        "quick": effort.quick,
        "machine": machine.machine(),
    }
    effort.results.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"about": about, "measured": measured}, indent=1, ensure_ascii=False)
    (effort.results / f"{name}.json").write_text(text + "\n")
    print(f"{name:8} {about['seconds']} s", flush=True)
