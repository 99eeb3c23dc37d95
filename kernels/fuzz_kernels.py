"""Feed damaged pictures to the kernels under sanitizers: `python kernels/fuzz_kernels.py [cases] [seed]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kernels.build import KERNELS, KERNELS_ALONE, ROOT, run
from kernels.native import paths_of

CORPUS = ROOT / "tests/support/kernels/corpus"
FLAGS = ["-std=gnu11", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def fuzz(cases: int, seed: int) -> None:
    """Run so many cases; a finding ends with the sanitizer's report, and CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "fuzz")
        sources = paths_of([*KERNELS_ALONE, "fuzz.c"])
        run("gcc", *FLAGS, f"-I{KERNELS}", *sources, "-lm", "-o", program)
        run(program, str(cases), str(seed), *sorted(CORPUS.iterdir()))


def main() -> int:
    numbers = [int(word) for word in sys.argv[1:]]
    fuzz(*(numbers + [1_000_000, 1][len(numbers) :]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
