"""JPEGs that cost a renderer the most for what they are: a function each, which gives the bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageFile
from tests.support.imaging.jpegs import COMMENT, DHT, DQT, SOS, segment
from tests.support.imaging.originals import encoded

Make = Callable[[], bytes]
MOST = 30 << 20  # bytes of an original
PIECE = 128  # rows: eight intervals of any sampling, for whose restarts there are eight markers
FRAMES = (0xC0, 0xC1, 0xC2)
ImageFile.MAXBLOCK = MOST  # what Pillow gives an encoder for a whole progressive picture
_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]")


def noise(width: int, height: int, mode: str = "RGB", contrast: int = 255) -> Image.Image:
    channels = len(mode)
    levels = np.random.default_rng(1).integers(0, contrast + 1, (height, width, channels), np.uint8)
    return Image.frombytes(mode, (width, height), levels.tobytes())


def tall(width: int, pieces: int, mode: str = "RGB", contrast: int = 255, **options: Any) -> bytes:
    """A JPEG whose PIECE rows come again and again, made without ever being in memory as a picture."""
    data = encoded(noise(width, PIECE, mode, contrast), "JPEG", restart_marker_rows=1, **options)
    return b"".join(_repeated(data, pieces))


def _repeated(data: bytes, pieces: int) -> Iterator[bytes]:
    yield data[:2]
    at = 2
    while data[at + 1] != 0xD9:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] in FRAMES:
            yield data[at : at + 5] + (PIECE * pieces).to_bytes(2, "big") + data[at + 7 : end]
        else:
            yield data[at:end]
        if data[at + 1] == SOS:
            found = _SCAN.search(data, end)
            assert found
            yield b"\xff\xd7".join([data[end : found.start()]] * pieces)
            end = found.start()
        at = end
    yield data[at:]


def full(make: Callable[[int], bytes]) -> bytes:
    """Of the qualities, the one that comes closest to the largest file that may be uploaded."""
    made: bytes | None = None
    for quality in (100, 97, 94, 90, 80, 65, 50, 35, 25, 15, 8, 4, 2, 1):
        made = make(quality)
        if len(made) <= MOST:
            return made
    raise AssertionError("no quality is low enough")


def scans_again(data: bytes, length: int = MOST, most: int = 100) -> bytes:
    """With its last scan again and again, up to a length or a number of scans."""
    last = data[data.rindex(b"\xff\xda") : -2]
    count = min((length - len(data)) // len(last), most - data.count(b"\xff\xda"))
    return data[:-2] + last * count + b"\xff\xd9"


def arithmetic(width: int, height: int, samplings: bytes, length: int, *, progressive: bool = False) -> bytes:
    """Arithmetic coding, for which any bytes are data: here, so many random ones."""
    names = range(1, len(samplings) + 1)
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    parts = b"".join(bytes([name, sampling, 0]) for name, sampling in zip(names, samplings, strict=True))
    frame = segment(0xCA if progressive else 0xC9, b"\x08" + size + bytes([len(samplings)]) + parts)
    rest = np.random.default_rng(2).integers(0, 255, length, np.uint8).tobytes()
    start = b"\xff\xd8" + segment(DQT, b"\0" + bytes([9] * 64)) + frame
    if not progressive:
        scans = (
            segment(SOS, bytes([len(names), *(each for name in names for each in (name, 0)), 0, 63, 0]))
            + rest
        )
        return start + scans + b"\xff\xd9"
    each = len(rest) // (2 * len(names))
    scans = segment(SOS, bytes([len(names), *(each for name in names for each in (name, 0)), 0, 0, 0]))
    scans += rest[:each]
    for number in range(2 * len(names) - 1):
        bits = 1 if number < len(names) else 0x10
        scans += segment(SOS, bytes([1, number % len(names) + 1, 0, 1, 63, bits])) + rest[:each]
    return start + scans + b"\xff\xd9"


def segments(count: int, length: int) -> bytes:
    data = encoded(noise(64, 64), "JPEG")
    return data[:2] + segment(COMMENT, bytes(length)) * count + data[2:]


def tables(count: int) -> bytes:
    data = encoded(noise(64, 64), "JPEG")
    at = data.index(bytes([0xFF, DHT]))
    table = data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
    return data[:2] + table * count + data[2:]


def _full(width: int, pieces: int, mode: str = "RGB", **options: Any) -> Make:
    return lambda: full(lambda quality: tall(width, pieces, mode, quality=quality, **options))


def _again(width: int, pieces: int, mode: str = "RGB", **options: Any) -> Make:
    return lambda: scans_again(tall(width, pieces, mode, progressive=True, **{"quality": 75, **options}))


HALVED = b"\x22\x11\x11"
ACCEPTED: dict[str, Make] = {
    "JPEG, 209 MP": _full(16_500, 99, subsampling=2),
    "JPEG, 209 MP, colour in full": _full(16_500, 99, subsampling=0),
    "JPEG, 209 MP, grey": _full(16_500, 99, "L"),
    "JPEG, 38 MP, CMYK": _full(7_000, 42, "CMYK"),
    "JPEG, 24 MP of 30 MB": _full(5_600, 33, subsampling=2),
    "JPEG, 12 MP of 30 MB, colour in full": _full(4_000, 23, subsampling=0),
    "JPEG, 209 MP, a restart each unit": lambda: _every_unit(16_500, 99),
    "JPEG, progressive, 22 MP": _full(5_300, 32, progressive=True, subsampling=2),
    "JPEG, progressive, 21 MP, colour in full": _full(5_200, 31, progressive=True, subsampling=0),
    "JPEG, progressive, 25 MP, grey": _full(5_800, 33, "L", progressive=True),
    "JPEG, progressive, 22 MP, dense scans": _again(5_300, 32, subsampling=2),
    "JPEG, progressive, 12 MP, dense scans": _again(4_000, 23, subsampling=2),
    "JPEG, progressive, 6 MP, dense scans": _again(2_800, 16, subsampling=2, quality=95),
    "JPEG, progressive, 2 MP, dense scans": _again(1_600, 9, subsampling=0, quality=98),
    "JPEG, progressive, 25 MP, grey, dense scans": _again(5_800, 33, "L"),
    "JPEG, arithmetic, 48 MP, grey": partial(arithmetic, 7_000, 7_000, b"\x11", 28 << 20),
    "JPEG, arithmetic, 48 MP": partial(arithmetic, 7_000, 7_000, HALVED, 14 << 20),
    "JPEG, arithmetic, 12 MP": partial(arithmetic, 4_000, 3_000, HALVED, 29 << 20),
    "JPEG, arithmetic and progressive, 12 MP": partial(
        arithmetic, 4_000, 3_000, HALVED, 16 << 20, progressive=True
    ),
    "JPEG, 400 segments of 64 KiB": lambda: segments(400, 65_000),
    "JPEG, 1,900 segments": lambda: segments(1_900, 0),
    "JPEG, 1,900 segments of tables": lambda: tables(1_900),
}
REFUSED: dict[str, Make] = {
    "JPEG, progressive, 25 MP, 100 more scans": lambda: scans_again(
        tall(5_000, 39, "L", 0, progressive=True), MOST, 110
    ),
    "JPEG, 100,000 segments": lambda: segments(100_000, 0),
}


def _every_unit(width: int, pieces: int) -> bytes:
    return tall(width, pieces, contrast=0, restart_marker_blocks=1, subsampling=2)
