"""TIFFs that cost a renderer the most for what they are: a function each, which gives the bytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image
from tests.support.imaging.jpegs import COMMENT, segment
from tests.support.imaging.originals import empty_blocks, encoded
from tests.support.imaging.tiffs import DEFLATE, LZW, PACKBITS, PLAIN, Tags, file_of, packbits

from benchmarks.worst_jpegs import MOST, arithmetic, noise, scans_again

Make = Callable[[], bytes]
Options = dict[str, Any]
JPEG = 7
PHOTOMETRIC, TABLE_OF_EXTRAS, PREDICTOR = 262, 338, 317
_COLOURS = {1: 1, 3: 2, 4: 5}
_STEP = 1 << 20
_QUALITIES = (97, 90, 80, 65, 50, 35, 25, 15, 8, 4, 2, 1)


def deflated(length: int) -> bytes:
    """So many zeros."""
    packing = zlib.compressobj(9)
    parts = [packing.compress(bytes(min(_STEP, length - at))) for at in range(0, length, _STEP)]
    return b"".join(parts) + packing.flush()


def lzw(length: int) -> bytes:
    """So many zeros, as libtiff packs them."""
    width = next(each for each in range(min(length, 10_000), 0, -1) if length % each == 0)
    data = encoded(
        Image.new("L", (width, length // width)), "TIFF", compression="tiff_lzw", strip_size=1 << 30
    )
    with Image.open(BytesIO(data), formats=["TIFF"]) as picture:
        tags = dict(picture.getexif())
    return data[tags[273] : tags[273] + tags[279]]


def tiff(
    size: tuple[int, int],
    block: bytes = b"",
    *,
    rows: int = 0,
    tile: tuple[int, int] | None = None,
    samples: int = 3,
    bits: int = 8,
    planes: int = 1,
    compression: int = DEFLATE,
    padding: int = 0,
    more: Tags | None = None,
) -> bytes:
    """A TIFF whose strips or tiles all lie in one place, and `padding` bytes that mean nothing."""
    width, height = size
    wide, high = tile or (width, rows or height)
    count = -(-width // wide) * -(-height // high) * planes
    block = block or deflated(wide * high * samples // planes * bits // 8)
    found: Tags = {
        256: width,
        257: height,
        258: (bits,) * samples,
        259: compression,
        PHOTOMETRIC: _COLOURS.get(samples, 2),
        277: samples,
        284: 2 if planes > 1 else 1,
        **({322: wide, 323: high} if tile else {278: high}),
        (324 if tile else 273): (8,) * count,
        (325 if tile else 279): (len(block),) * count,
        **({TABLE_OF_EXTRAS: (0,) * (samples - 3)} if samples > 4 else {}),
    }
    return file_of({**found, **(more or {})}, [block, bytes(padding)])


def strips(size: tuple[int, int], rows: int, block: bytes, samples: int = 3) -> bytes:
    """Strips of JPEG; the file is as long as they would be apart."""
    count = -(-size[1] // rows)
    return tiff(
        size,
        block,
        rows=rows,
        samples=samples,
        compression=JPEG,
        padding=max(0, min(MOST - 100_000, count * len(block)) - len(block)),
        more={PHOTOMETRIC: {1: 1, 3: 6, 4: 5}[samples]},
    )


def strip(width: int, rows: int, most: int, mode: str = "RGB", **options: Any) -> bytes:
    """A JPEG of noise, of at most so many bytes."""
    picture = noise(width, rows, mode)
    made = (encoded(picture, "JPEG", quality=quality, **options) for quality in _QUALITIES)
    return next(data for data in made if len(data) <= most)


def with_segments(data: bytes, count: int) -> bytes:
    return data[:2] + segment(COMMENT, b"") * count + data[2:]


FULL: Options = {"subsampling": 0}
HALVED: Options = {"subsampling": 2}
MANY: Options = {"subsampling": 0, "progressive": True}
SUMS: Tags = {PREDICTOR: 2}
ACCEPTED: dict[str, Make] = {
    "TIFF, deflate, 66 MP": lambda: tiff((8_100, 8_100)),
    "TIFF, deflate, 66 MP, predictor": lambda: tiff((8_100, 8_100), more=SUMS),
    "TIFF, deflate, 66 MP, and empty deflate blocks": lambda: tiff(
        (8_100, 8_100), empty_blocks(28_000_000) + deflated(8_100 * 8_100 * 3)[2:]
    ),
    "TIFF, deflate, 66 MP in planes": lambda: tiff((8_100, 8_100), planes=3),
    "TIFF, deflate, 66 MP, a row a strip": lambda: tiff((8_100, 8_100), rows=1),
    "TIFF, deflate, 33 MP of 16 bits, predictor": lambda: tiff((5_750, 5_750), bits=16, more=SUMS),
    "TIFF, deflate, 49 MP of inks, predictor": lambda: tiff((7_000, 7_000), samples=4, more=SUMS),
    "TIFF, deflate, 6 MP of 32 samples, predictor": lambda: tiff((2_480, 2_480), samples=32, more=SUMS),
    "TIFF, deflate, 3 MP of 32 samples of 16 bits, predictor": lambda: tiff(
        (1_750, 1_750), samples=32, bits=16, more=SUMS
    ),
    "TIFF, deflate, 100 MP of grey": lambda: tiff((10_000, 10_000), samples=1),
    "TIFF, deflate, 100,000 strips of a row": lambda: tiff((660, 100_000), rows=1, more=SUMS),
    "TIFF, deflate, 66 × 1,000,000": lambda: tiff((66, 1_000_000), rows=10),
    "TIFF, deflate, 99,856 tiles": lambda: tiff((5_056, 5_056), tile=(16, 16), more=SUMS),
    "TIFF, plain, 100,000 strips": lambda: tiff(
        (33, 300_000), bytes(300), rows=3, compression=PLAIN, padding=30_000_000
    ),
    "TIFF, LZW, one strip of 9 MP": lambda: tiff((3_500, 2_700), lzw(3_500 * 2_700 * 3), compression=LZW),
    "TIFF, LZW, 66 MP, 16 rows a strip, predictor": lambda: tiff(
        (8_100, 8_100), lzw(16 * 8_100 * 3), rows=16, compression=LZW, more=SUMS
    ),
    "TIFF, LZW, 7 MP of noise": lambda: encoded(noise(3_600, 1_900), "TIFF", compression="tiff_lzw"),
    "TIFF, LZW, 100,000 strips": lambda: tiff(
        (660, 100_000), lzw(1_980), rows=1, compression=LZW, padding=8_000_000
    ),
    "TIFF, PackBits, 66 MP, a row a strip": lambda: tiff(
        (8_100, 8_100), packbits(bytes(24_300)), rows=1, compression=PACKBITS
    ),
    "TIFF, fax, one strip of 30 MP": lambda: encoded(
        Image.new("1", (6_000, 5_000), 1), "TIFF", compression="group4", strip_size=1 << 30
    ),
    "TIFF, JPEG, 5,000 strips of 8 rows, 64 MP": lambda: strips(
        (1_600, 40_000), 8, strip(1_600, 8, 6_000, **FULL)
    ),
    "TIFF, JPEG, the same with 45 comments each": lambda: strips(
        (1_600, 40_000), 8, with_segments(strip(1_600, 8, 5_800, **FULL), 45)
    ),
    "TIFF, JPEG, 5,000 strips of 1 × 1": lambda: strips((1, 5_000), 1, strip(1, 1, 1_000)),
    "TIFF, JPEG, 4,900 tiles": lambda: tiff(
        (1_120, 1_120),
        strip(16, 16, 1_000),
        tile=(16, 16),
        compression=JPEG,
        padding=3_000_000,
        more={PHOTOMETRIC: 6},
    ),
    "TIFF, JPEG, 66 MP, strips of 16 rows": lambda: strips(
        (8_100, 8_100), 16, strip(8_100, 16, 60_000, **HALVED)
    ),
    "TIFF, JPEG, 66 MP, strips of 16 rows, colour in full": lambda: strips(
        (8_100, 8_100), 16, strip(8_100, 16, 60_000, **FULL)
    ),
    "TIFF, JPEG, 24 MP of 30 MB": lambda: strips((6_000, 4_000), 16, strip(6_000, 16, 120_000, **FULL)),
    "TIFF, JPEG, one strip of 24 MP": lambda: strips((6_000, 4_000), 4_000, strip(6_000, 4_000, 28_000_000)),
    "TIFF, JPEG, 9 MP of inks": lambda: strips((3_000, 3_000), 16, strip(3_000, 16, 150_000, "CMYK"), 4),
    "TIFF, progressive JPEG, 12 MP, strips of 16 rows": lambda: strips(
        (4_000, 3_000), 16, strip(4_000, 16, 150_000, **MANY)
    ),
    "TIFF, progressive JPEG, 24 MP, 20 scans": lambda: strips(
        (6_000, 4_000), 80, scans_again(strip(6_000, 80, 300_000, **MANY), 500_000, 20)
    ),
    "TIFF, arithmetic JPEG, 48 MP, strips of 16 rows": lambda: strips(
        (7_000, 7_000), 16, arithmetic(7_000, 16, b"\x11\x11\x11", 68_000)
    ),
}
REFUSED: dict[str, Make] = {
    "TIFF, 1 × 2,000,000": lambda: tiff((1, 2_000_000), rows=100),
    "TIFF, deflate, 100 MP": lambda: tiff((10_000, 10_000)),
    "TIFF, JPEG, strips that share 120 MB": lambda: tiff(
        (1_600, 40_000),
        strip(1_600, 8, 24_000, **FULL),
        rows=8,
        compression=JPEG,
        padding=31_000_000,
        more={PHOTOMETRIC: 6},
    ),
    "TIFF, progressive JPEG, 64 MP, strips of 8 rows": lambda: strips(
        (1_600, 40_000), 8, strip(1_600, 8, 6_000, **MANY)
    ),
    "TIFF, arithmetic JPEG, 64 MP, strips of 16 rows": lambda: strips(
        (8_000, 8_000), 16, arithmetic(8_000, 16, b"\x11\x11\x11", 50_000)
    ),
}
