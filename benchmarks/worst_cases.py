"""Prints what the worst files cost one renderer: seconds of CPU in WebAssembly, as rows of a Markdown table.

    python -m benchmarks.worst_cases [--only PNG] [--most 5]

Ends with status 1 when one costs more than `--most` seconds, or is accepted or refused against expectation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "variants/src")]

from benchmarks.worst_files import ACCEPTED, REFUSED, Make  # noqa: E402

VARIANTS = ("thumbnail", "watermark")
# wrangler.toml allows three times this: its machines are slower, and other work runs beside a render.
MOST_SECONDS = (
    tomllib.loads((ROOT / "variants/thumbnail/wrangler.toml").read_text())["limits"]["cpu_ms"] / 3000
)
ROUNDS = 2
TIMEOUT = 1800  # seconds for all files of one variant


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one file: its length in bytes, seconds by variant, and the error of the first."""

    name: str
    length: int
    seconds: list[float]
    error: str | None

    def row(self) -> str:
        outcome = "accepted" if self.error is None else self.error.split(":")[0]
        seconds = " | ".join(f"{value:.1f}" for value in self.seconds)
        return f"| {self.name} | {self.length / 1e6:.2f} | {outcome} | {seconds} |"


def measured(cases: Mapping[str, Make]) -> Iterator[Cost]:
    """Render every file, one after the other, in one interpreter for each variant."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, str(number)) for number, name in enumerate(cases)}
        for name, make in cases.items():
            files[name].write_bytes(make())
        runs = [_run(variant, list(files.values())) for variant in VARIANTS]
        for number, (name, file) in enumerate(files.items()):
            seconds = [run[number]["cpuMs"] / 1000 for run in runs]
            yield Cost(name, file.stat().st_size, seconds, runs[0][number].get("error"))


def _run(variant: str, files: list[Path]) -> list[dict[str, Any]]:
    command = ["node", str(ROOT / "benchmarks/imaging_memory.mjs"), "--times", str(ROUNDS), variant]
    done = subprocess.run(
        [*command, *map(str, files)], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=True
    )
    runs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    # What is more than the least is other processes' doing.
    rounds = [runs[at : at + len(files)] for at in range(0, len(runs), len(files))]
    return [min(each, key=lambda run: float(run["cpuMs"])) for each in zip(*rounds, strict=True)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="", help="measure files whose names begin so")
    parser.add_argument("--most", type=float, default=MOST_SECONDS, help="seconds")
    options = parser.parse_args()
    wrong = 0
    print("| file | MB | outcome | thumbnail, s | display, s |\n|---|---:|---|---:|---:|")
    for cases, refused in ((ACCEPTED, False), (REFUSED, True)):
        chosen = {name: make for name, make in cases.items() if name.startswith(options.only)}
        for cost in measured(chosen) if chosen else ():
            wrong += max(cost.seconds) > options.most or (cost.error is not None) != refused
            print(cost.row(), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
