"""Checks that an isolate which has seen every kind of picture still renders the largest ones it accepts.

What a picture leaves behind fragments the heap for the next one, which fresh isolates do not show.
Every kind at its limit, and at a good half of it, goes through the renderers in workerd under their cap,
several times over in one order drawn by lot.

    python benchmarks/imaging_mixed.py [--variants thumbnail,watermark] [--times 4] [--seed 3]
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "variants/src")]

from benchmarks.imaging_memory import KINDS, largest_accepted, sized  # noqa: E402
from imaging.variants import Variant  # noqa: E402

SHAPE = "4:3"
BOUNDED = (
    *("jpeg-progressive", "jpeg-progressive-444", "jpeg-progressive-cmyk", "jpeg", "png-rgba-interlaced"),
    *("webp", "webp-lossless", "gif", "tiff", "tiff-lzw"),
)
SMALLER = 0.6
LEAST_MEGAPIXELS = 12.0


def originals(folder: Path) -> list[Path]:
    """Each kind at its limit, and smaller."""
    files = []
    for kind in BOUNDED:
        megapixels, data = largest_accepted(kind, SHAPE, Variant.WATERMARK)
        smaller = min(megapixels, LEAST_MEGAPIXELS) * SMALLER
        for size, content in ((megapixels, data), (smaller, KINDS[kind](sized(SHAPE, smaller)))):
            files.append(folder / f"{kind}, {size:.1f} MP")
            files[-1].write_bytes(content)
    return files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--variants", default="thumbnail,watermark")
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    failed: Counter[str] = Counter()
    renders, heap = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        files = originals(Path(folder))
        random.Random(options.seed).shuffle(files)  # noqa: S311
        command = ["node", "tests/support/imaging/in_workerd.mjs", "--variants", options.variants]
        command += ["--times", str(options.times), *map(str, files)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            run = json.loads(line)
            renders, heap = renders + 1, max(heap, run["heapMiB"])
            if run["status"] != 200:
                failed[f"{run['variant']} of {Path(run['file']).name}: {run['error']}"] += 1
    print(
        json.dumps({"renders": renders, "heapMiB": heap, "failed": failed, "kinds": [f.name for f in files]})
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
