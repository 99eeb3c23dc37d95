"""Checks the memory model of variants/src/imaging against Pyodide: capped at 96 MiB, padded to 31 at rest.

For every kind and shape: the largest picture that the model accepts must render under the cap, as thumbnail
and as display; one half as large again, let through, must not fit, or the model refuses too much. Kinds that
are bounded by their number of pixels or by the size of their file are checked at the size given in STARTS.

    python benchmarks/imaging_memory.py [--kinds jpeg,png-rgb,…] [--output results.jsonl]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "variants/src")]

from tests.support.imaging.originals import JPEG_KINDS, encoded, png_file, sixteen_bits  # noqa: E402
from tools import vendor  # noqa: E402

from imaging import heap  # noqa: E402
from imaging.color.convert import Colours  # noqa: E402
from imaging.errors import TooLarge  # noqa: E402
from imaging.formats import webp  # noqa: E402
from imaging.formats.original import open_original  # noqa: E402
from imaging.geometry import Size  # noqa: E402
from imaging.render import Options, target_of  # noqa: E402
from imaging.source import BytesSource, Feed  # noqa: E402
from imaging.variants import Variant  # noqa: E402

SHAPES = {"4:3": 4 / 3, "1:1": 1.0, "1:12": 1 / 12}
OPTIONS = {
    Variant.THUMBNAIL: Options(size=Size(300, 300)),
    Variant.ICON: Options(size=Size(128, 128)),
    Variant.WATERMARK: Options(text="@painter"),
}


def textured(mode: str, size: Size) -> Image.Image:
    """A picture that is neither flat nor noise, made quickly however large."""
    tile = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    tiles = Image.fromarray(tile).resize((512, 512), Image.Resampling.BICUBIC)
    picture = Image.new("RGB", size)
    for top in range(0, size.height, 512):
        for left in range(0, size.width, 512):
            picture.paste(tiles, (left, top))
    return picture.convert(mode)


def _png(mode: str, bits: int = 8, interlaced: bool = False) -> Callable[[Size], bytes]:
    def make(size: Size) -> bytes:
        picture = textured(mode, size)
        if bits == 8 and not interlaced:
            return encoded(picture, "PNG", compress_level=1)
        levels = sixteen_bits(picture) if bits == 16 else np.asarray(picture)
        return png_file(levels if levels.ndim == 3 else levels[..., None], interlaced=interlaced)

    return make


def _saved(kind: str, mode: str, **options: Any) -> Callable[[Size], bytes]:
    return lambda size: encoded(textured(mode, size), kind, **options)


KINDS: dict[str, Callable[[Size], bytes]] = {
    **{name: _saved("JPEG", "RGB", **options) for name, options in JPEG_KINDS.items()},
    "jpeg-grey": _saved("JPEG", "L", quality=90),
    "jpeg-cmyk": _saved("JPEG", "CMYK", quality=90),
    "jpeg-progressive-grey": _saved("JPEG", "L", quality=90, progressive=True),
    "jpeg-progressive-cmyk": _saved("JPEG", "CMYK", quality=90, progressive=True),
    "png-rgb": _png("RGB"),
    "png-rgba": _png("RGBA"),
    "png-grey": _png("L"),
    "png-palette": _saved("PNG", "P", compress_level=1),
    "png-rgb-16": _png("RGB", bits=16),
    "png-rgba-interlaced": _png("RGBA", interlaced=True),
    "png-grey-interlaced": _png("L", interlaced=True),
    "webp": _saved("WEBP", "RGB", quality=85, method=0),
    "webp-lossless": _saved("WEBP", "RGB", lossless=True, quality=0, method=0),
    "webp-alpha": _saved("WEBP", "RGBA", quality=85, method=0),
    "gif": _saved("GIF", "P"),
    "tiff": _saved("TIFF", "RGB"),
    "tiff-lzw": _saved("TIFF", "RGB", compression="tiff_lzw"),
    "tiff-deflate": _saved("TIFF", "RGB", compression="tiff_adobe_deflate"),
    "tiff-cmyk": _saved("TIFF", "CMYK", compression="tiff_lzw"),
}


# Megapixels at which a kind is tried first; what is accepted there is not bounded by memory.
STARTS = {
    "jpeg": 110,
    "jpeg-444": 110,
    "jpeg-grey": 110,
    "png-rgb": 59,
    "png-rgba": 49,
    "png-grey": 95,
    "png-palette": 59,
    "gif": 60,
    "webp": 22,  # no side may be longer than 16383 pixels
    "webp-lossless": 22,
    "webp-alpha": 22,
    "tiff": 16,
    "tiff-lzw": 16,
    "tiff-deflate": 16,
    "tiff-cmyk": 12,
}
START = 30
# The model is to judge as where there is the module.
if vendor.PROJECTS[1].python >= "3.14":
    heap.BUDGET = heap.CEILING - heap.AT_REST_314
webp.vfa_webp = object()  # type: ignore[assignment, attr-defined]
TOLERATED = 1.5
_LIMIT = re.compile(r"of this shape is ([\d.]+) megapixels")


def sized(shape: str, megapixels: float) -> Size:
    height = math.sqrt(megapixels * 1e6 / SHAPES[shape])
    return Size(max(1, round(height * SHAPES[shape])), max(1, round(height)))


class _Begun(Exception):
    """Raised where decoding would begin."""


def refusal(variant: Variant, data: bytes) -> str | None:
    """Why the model refuses the file, or None."""

    async def judge() -> None:
        source = BytesSource(data)
        async with Feed(source) as feed:
            original = await open_original(source, feed)
            targets = [target_of(variant, original, OPTIONS[variant])]
            await original.resampled(targets, Colours(None, "#ffffff"))

    def fits(peak: int) -> bool:
        if peak <= heap.BUDGET:
            raise _Begun
        return False

    try:
        with mock.patch.object(heap, "fits", fits):
            asyncio.run(judge())
    except _Begun:
        return None
    except TooLarge as error:
        return str(error)
    raise AssertionError("the picture was neither refused nor begun")


def rendered(variant: Variant, data: bytes, *, unlimited: bool = False) -> dict[str, Any]:
    """What became of it in Pyodide."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        command = ["node", str(ROOT / "benchmarks/imaging_memory.mjs"), variant, file.name]
        done = subprocess.run(
            [*command, *(["--unlimited"] if unlimited else [])],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def largest_accepted(kind: str, shape: str, variant: Variant) -> tuple[float, bytes]:
    """Megapixels and bytes of the largest picture that the model accepts, up to its entry in STARTS."""
    limit = float(STARTS.get(kind, START))
    data = KINDS[kind](sized(shape, limit))
    # How well a smaller picture packs is not known beforehand, so the limit is closed in on.
    while why := refusal(variant, data):
        found = _LIMIT.search(why)
        assert found, why
        limit = float(found[1]) * 0.98
        data = KINDS[kind](sized(shape, limit))
    return limit, data


def checked(kind: str, shape: str, variant: Variant) -> dict[str, Any]:
    """One case: how much is accepted, what the largest of it takes, and whether half as much again fits."""
    limit, data = largest_accepted(kind, shape, variant)
    bounded = limit < STARTS.get(kind, START)
    case = {"kind": kind, "shape": shape, "variant": variant, "megapixels": limit, "bounded": bounded}
    largest = rendered(variant, data)
    case |= {
        "fits": largest["ok"],
        "heapMiB": largest["heapMiB"],
        "ms": largest["ms"],
        "error": largest.get("error"),
    }
    if bounded:
        beyond = KINDS[kind](sized(shape, limit * TOLERATED))
        case["refusedTooMuch"] = rendered(variant, beyond, unlimited=True)["ok"]
    return case


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--variants", default="thumbnail,watermark")
    parser.add_argument("--output", type=argparse.FileType("a"), default=sys.stdout)
    options = parser.parse_args()
    wrong = 0
    for kind in options.kinds.split(","):
        for shape in options.shapes.split(","):
            for variant in map(Variant, options.variants.split(",")):
                case = checked(kind, shape, variant)
                wrong += not case["fits"] or case.get("refusedTooMuch", False)
                print(json.dumps(case), file=options.output, flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
