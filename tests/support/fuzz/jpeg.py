"""Fuzzes the reader of JPEG headers: no decoder may find another size than the one that was computed.

    python -m tests.support.fuzz.jpeg --count 50000 [--first 0] [--decoder native|wasm|both]

Every case runs in a process of its decoder: natively with glibc's checks of the heap, and in Pyodide under
Node. A process that dies, or a wrong size, is a failure; the case's number is printed, which makes it anew.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[3]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "variants/src")]

from tests.support.fuzz.jpeg_cases import bases, case  # noqa: E402
from tests.support.fuzz.jpeg_guard import WrongSizeError, outcome  # noqa: E402

DECODERS = ("native", "wasm")
SCALES = (1, 2, 4, 8)


def run(
    first: int, count: int, originals: list[bytes], begun: Callable[[int], None] | None = None
) -> Iterator[tuple[int, str, int]]:
    """The outcome of each case; `begun` is told which comes next, in case it is the last."""
    for number in range(first, first + count):
        if begun:
            begun(number)
        kind, digest = outcome(case(number, originals), SCALES[number % len(SCALES)])
        yield number, kind, digest


def written(folder: Path) -> None:
    """Keep the undamaged pictures, so that both decoders get the same ones."""
    (folder / "bases.json").write_text(json.dumps([picture.hex() for picture in bases()]))


def main_of_process(folder: str, first: int, count: int) -> None:
    """Run in this process, native or Pyodide's, and write what came of each case."""
    originals = [bytes.fromhex(picture) for picture in json.loads((Path(folder) / "bases.json").read_text())]
    with (Path(folder) / "begun").open("w") as begun, (Path(folder) / "outcomes").open("w") as outcomes:

        def note(number: int) -> None:
            begun.seek(0)
            begun.write(f"{number:12}")
            begun.flush()

        try:
            for number, kind, digest in run(first, count, originals, note):
                outcomes.write(f"{number} {kind} {digest}\n")
        except WrongSizeError as error:
            outcomes.write(f"wrong: {error}\n")


def command(decoder: str, folder: Path, first: int, count: int) -> list[str]:
    if decoder == "native":
        return [
            sys.executable,
            "-m",
            "tests.support.fuzz.jpeg",
            "--process",
            str(folder),
            *map(str, (first, count)),
        ]
    return ["node", "tests/support/fuzz/pyodide.mjs", str(folder), *map(str, (first, count))]


def fuzz(decoder: str, first: int, count: int, folder: Path) -> list[str]:
    """What came of each case, a line each; raises AssertionError naming a bad case."""
    written(folder)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "variants/src")])
    # glibc looks for writes past a block's end whenever it takes or frees one.
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "GLIBC_TUNABLES": "glibc.malloc.check=3",
        "PYTHONMALLOC": "malloc",
    }
    environment["LD_PRELOAD"] = "libc_malloc_debug.so.0" if decoder == "native" else ""
    done = subprocess.run(
        command(decoder, folder, first, count),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (folder / "outcomes").read_text().splitlines()
    last = (folder / "begun").read_text().strip()
    problem = done.stderr[-2000:] if done.returncode else ""
    problem = lines[-1] if lines and lines[-1].startswith("wrong") else problem
    if problem or len(lines) != count:
        raise AssertionError(f"{decoder}, case {last}: {problem or 'the process ended early'}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--decoder", choices=(*DECODERS, "both"), default="both")
    parser.add_argument("--process", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.process:
        main_of_process(options.process[0], *map(int, options.process[1:]))
        return 0
    outcomes = []
    for decoder in DECODERS if options.decoder == "both" else (options.decoder,):
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(fuzz(decoder, options.first, options.count, Path(folder)))
        kinds = Counter(line.split()[1] for line in outcomes[-1])
        print(
            f"{decoder}: {options.count:,} cases, none of another size;",
            dict(kinds.most_common()),
            flush=True,
        )
    if len(outcomes) == 2:
        unlike = [one for one, other in zip(*outcomes, strict=True) if one.split()[1] != other.split()[1]]
        print(f"{len(unlike)} cases came out otherwise in the two decoders", *unlike[:5], sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
