"""Measure each kernel of vfa_kernels beside Pillow, in Pyodide under Node: `python -m benchmarks.kernels`."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.inputs import Input, Kind
from benchmarks.places import COMMITTED, NODE, ROOT

PROGRAM = ROOT / "benchmarks/kernels_pyodide.py"
RUNNER = ROOT / "tests/support/imaging/in_pyodide.mjs"
MEGAPIXELS = 12


def measured(rounds: int, only: str) -> list[dict[str, Any]]:
    """By kernel: its name, and CPU milliseconds of each round, the kernel's and Pillow's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "picture.jpg").write_bytes(Input(Kind.BASELINE, MEGAPIXELS).path.read_bytes())
        Path(folder, "settings.json").write_text(json.dumps([rounds, only]))
        command = [str(NODE), str(RUNNER), str(PROGRAM), folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def table(kernels: list[dict[str, Any]]) -> str:
    """A Markdown table: minimum and median of both, and how many times less the kernel takes."""
    lines = ["| 12 MP | kernel | Pillow | ratio |", "|---|---:|---:|---:|"]
    for each in kernels:
        mine, theirs = each["kernel"], each["pillow"]
        cells = [f"{min(taken):.0f} / {statistics.median(taken):.0f}" for taken in (mine, theirs)]
        ratio = statistics.median(theirs) / statistics.median(mine)
        lines.append(f"| {each['name']} | {cells[0]} | {cells[1]} | {ratio:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="those kernels whose name has this in it")
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/kernels.json")
    arguments = parser.parse_args()
    kernels = measured(arguments.rounds, arguments.only)
    print(table(kernels))
    if arguments.keep:
        result = {
            "taken": machine.now(),
            "load": machine.load(),
            "machine": machine.machine(),
            "kernels": kernels,
        }
        (COMMITTED / "kernels.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
