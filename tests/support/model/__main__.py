"""`python -m tests.support.model --seed 1 --operations 2000`: random operations against the local runtime."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.support.model.run import Run


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.model", description=__doc__)
    parser.add_argument("--seed", type=int, action="append", help="may be given several times; 1 by default")
    parser.add_argument("--operations", type=int, default=2000)
    chosen = parser.parse_args()
    for seed in chosen.seed or [1]:
        with tempfile.TemporaryDirectory() as folder:
            totals = Run(Path(folder) / "state", seed, chosen.operations, say).go()
        say(
            f"seed {seed}: {totals.operations} operations in {totals.seconds:.0f} s, {totals.rounds} rounds, "
            f"{totals.kills} kills, {totals.swept} uploads swept meanwhile; every invariant held"
        )
        for name, number in sorted(totals.seen.items()):
            say(f"  {name}: {number}")


main()
