"""Decode broken WebPs natively, under gcc's sanitizers: `python kernels/fuzz_webp.py [cases]`."""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kernels.build import KERNELS, LIBWEBP, MODULES, fetch, run

FLAGS = [
    "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
    "-fno-sanitize=pointer-overflow", "-fwrapv", "-fwrapv-pointer",
    "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-w",
    "-U__SSE2__",  # the plain functions, as in WebAssembly
]  # fmt: skip
SIZES = [(64, 48), (97, 61), (33, 130), (1, 1), (16, 17), (201, 3), (3, 201)]
LARGE = [(16000, 95), (90, 16000), (1300, 1200)]  # more pixels than a lossless picture's window has
Options = dict[str, int | bool]
OPTIONS: list[Options] = [
    {"quality": 80},
    {"quality": 10, "method": 6},
    {"lossless": True, "exact": True},
    {"lossless": True, "quality": 0, "method": 0},
    {"quality": 90, "alpha_quality": 50},
]
OPTIONS_LARGE: list[Options] = [
    {"quality": 30, "method": 0},
    {"lossless": True, "exact": True, "quality": 0, "method": 0},
]
SHARE = 50  # how many cases of small files for one of large ones


def picture(size: tuple[int, int], channels: int, colours: int = 0) -> Image.Image:
    width, height = size
    rng = np.random.default_rng(width * height)
    levels = rng.integers(0, 256, (max(2, height // 6), max(2, width // 6), channels), np.uint8)
    smooth = Image.fromarray(levels).resize(size, Image.Resampling.BICUBIC)
    return smooth.quantize(colours).convert("RGB") if colours else smooth


def sample(image: Image.Image, **options: int | bool) -> bytes:
    """What fuzz.c reads: five words, then the chunks of pixels and alpha."""
    file = BytesIO()
    image.save(file, "WEBP", **options)
    data = file.getvalue()
    chunks, at = {}, 12
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks[data[at : at + 4]] = data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    lossless = b"VP8L" in chunks
    pixels, alpha = chunks[b"VP8L" if lossless else b"VP8 "], chunks.get(b"ALPH", b"")
    words = (int(lossless), *image.size, len(pixels), len(alpha))
    return b"".join(word.to_bytes(4, "little") for word in words) + pixels + alpha


def samples(sizes: list[tuple[int, int]], choices: list[Options], folder: Path) -> list[Path]:
    folder.mkdir()
    made = [
        sample(picture(size, channels), **options)
        for size in sizes
        for channels in (3, 4)
        for options in choices
    ]
    made += [
        sample(picture(size, 3, colours), lossless=True, method=0) for size in sizes for colours in (4, 200)
    ]
    for number, data in enumerate(made):
        (folder / str(number)).write_bytes(data)
    return sorted(folder.iterdir())


def main() -> int:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    [module] = [module for module in MODULES if module.library is LIBWEBP]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        library = fetch(LIBWEBP, folder)
        ours = KERNELS / module.folder
        sources = [ours / "rows.c", ours / "fuzz.c", *(library / name for name in module.library_sources)]
        run("gcc", *FLAGS, f"-I{library}", f"-I{ours}", *sources, "-o", folder / "fuzz")
        run(folder / "fuzz", str(cases), "1", *samples(SIZES, OPTIONS, folder / "small"))
        run(folder / "fuzz", str(cases // SHARE), "2", *samples(LARGE, OPTIONS_LARGE, folder / "large"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
