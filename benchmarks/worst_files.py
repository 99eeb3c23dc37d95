"""Files that cost a renderer the most for what they are: a function each, which gives the bytes.

Those of ACCEPTED are at the edge of what is accepted; those of REFUSED are beyond it. JPEGs and TIFFs are
made in modules of their own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image
from tests.support.imaging.originals import PASSES, empty_blocks, encoded, png_chunk
from tests.support.imaging.profiles import table_profile

from benchmarks import worst_jpegs, worst_tiffs

Make = Callable[[], bytes]
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PAETH = 4
PALETTE = png_chunk(b"PLTE", bytes(range(256)) * 3)
EXIF = png_chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0")
PROFILE = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(4 << 20), 9))


def flat_png(
    width: int, height: int, depth: int, colour: int, extra: bytes = b"", *, interlaced: bool = False
) -> bytes:
    """A PNG of one colour, which packs into next to nothing, its rows filtered in the slowest way."""
    packing = zlib.compressobj(1)
    parts = [packing.compress(rows) for rows in _rows(width, height, depth * _CHANNELS[colour], interlaced)]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    pixels = b"".join([*parts, packing.flush()])
    return png_of(png_chunk(b"IHDR", header), extra, png_chunk(b"IDAT", pixels))


def _rows(width: int, height: int, bits: int, interlaced: bool) -> Iterator[bytes]:
    for x, y, dx, dy in PASSES if interlaced else [(0, 0, 1, 1)]:
        across, down = -(-(width - x) // dx), -(-(height - y) // dy)
        if across > 0 and down > 0:
            row = bytes([_PAETH]) + bytes((across * bits + 7) // 8)
            step = max(1, (1 << 20) // len(row))
            for top in range(0, down, step):
                yield row * min(step, down - top)


def png_of(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + png_chunk(b"IEND", b"")


def small_png(extra: bytes = b"", pixels: bytes | None = None) -> bytes:
    """64 × 64 grey pixels, with more chunks."""
    rows = zlib.compress(bytes(65 * 64)) if pixels is None else pixels
    header = struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)
    idat = png_chunk(b"IDAT", rows) if pixels is None else rows
    return png_of(png_chunk(b"IHDR", header), extra, idat)


def padded_png(width: int, height: int, megabytes: int) -> bytes:
    """A PNG in colour whose flat rows are followed, half-way, by deflate blocks that come to nothing."""
    packing = zlib.compressobj(1)
    parts = [packing.compress(rows) for rows in _rows(width, height // 2, 24, interlaced=False)]
    parts += [packing.flush(zlib.Z_FULL_FLUSH), empty_blocks(megabytes * 1_000_000)[2:]]
    parts += [packing.compress(rows) for rows in _rows(width, height - height // 2, 24, interlaced=False)]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = b"".join([*parts, packing.flush()])
    return png_of(png_chunk(b"IHDR", header), png_chunk(b"IDAT", pixels))


def gif_with(blocks: bytes) -> bytes:
    """A small GIF with more blocks before its frame."""
    data = encoded(Image.new("P", (64, 64)), "GIF")
    at = 13 + (3 << (data[10] & 7) + 1)
    return data[:at] + blocks + data[at:]


def webp_with(chunks: bytes) -> bytes:
    """A small WebP with more chunks before its pixels."""
    pixels = encoded(Image.new("RGB", (64, 64)), "WEBP")[12:]
    head = b"VP8X" + struct.pack("<I", 10) + b"\x08\0\0\0" + (63).to_bytes(3, "little") * 2
    body = b"WEBP" + head + chunks + pixels
    return b"RIFF" + struct.pack("<I", len(body)) + body


def noise(width: int, height: int, channels: int = 3) -> Image.Image:
    levels = np.random.default_rng(1).integers(0, 256, (height, width, channels), np.uint8)
    return Image.fromarray(levels if channels > 1 else levels[..., 0])


def _lab(device: Sequence[float]) -> tuple[float, ...]:
    return device[0] * 100, device[1] * 50, device[2] * 50


def _saved(picture: Callable[[], Image.Image], kind: str, **options: Any) -> Make:
    return lambda: encoded(picture(), kind, **options)


COLOUR_KEY = png_chunk(b"tRNS", bytes(6))
ALPHAS = PALETTE + png_chunk(b"tRNS", bytes(256))
_LOSSLESS = {"lossless": True, "quality": 0, "method": 0}
ACCEPTED: dict[str, Make] = {
    "PNG, colour, 60 MP": lambda: flat_png(7740, 7740, 8, 2),
    "PNG, colour and alpha, 50 MP": lambda: flat_png(7071, 7071, 8, 6),
    "PNG, colour of 16 bits, 50 MP": lambda: flat_png(7071, 7071, 16, 2),
    "PNG, colour and alpha of 16 bits, 50 MP": lambda: flat_png(7071, 7071, 16, 6),
    "PNG, 16 bits with a transparent colour, 35 MP": lambda: flat_png(5916, 5916, 16, 2, COLOUR_KEY),
    "PNG, palette with alpha, 50 MP": lambda: flat_png(
        7071, 7071, 8, 3, PALETTE + png_chunk(b"tRNS", bytes(256))
    ),
    "PNG, grey, 100 MP": lambda: flat_png(10_000, 10_000, 8, 0),
    "PNG, 16 bits, 1 × 1,000,000": lambda: flat_png(1, 1_000_000, 16, 2),
    "PNG, 50 × 1,000,000 with alpha": lambda: flat_png(50, 1_000_000, 8, 6),
    "PNG, interlaced, 11 MP": lambda: flat_png(3800, 2850, 8, 6, interlaced=True),
    "PNG, colour, 60 MP, and empty deflate blocks": lambda: padded_png(7740, 7740, 28),
    "PNG, 39,000 texts": lambda: small_png(png_chunk(b"tEXt", b"a\0b") * 39_000),
    "PNG, 39,000 EXIF blocks": lambda: small_png(EXIF * 39_000),
    "PNG, 200 profiles of 4 MiB": lambda: small_png(PROFILE * 200),
    "PNG, 4 MiB of EXIF prefixes": lambda: small_png(png_chunk(b"eXIf", b"Exif\0\0" * 700_000)),
    "PNG, profile of 33³ points": lambda: encoded(
        noise(64, 64), "PNG", icc_profile=table_profile(b"RGB ", _lab, grid=33)
    ),
    "GIF, 39 MP": _saved(lambda: Image.new("P", (6500, 6000)), "GIF", transparency=1),
    "GIF, 17 MP of noise": _saved(lambda: noise(5120, 3410, 1).convert("P"), "GIF"),
    "GIF, 19,000 comments": lambda: gif_with(b"!\xfe\x01a\0" * 19_000),
    "GIF, 200,000 empty frames": lambda: (
        encoded(Image.new("P", (64, 64)), "GIF")[:-1] + (b"," + bytes(9) + b"\x02\0") * 200_000
    ),
    "WebP, 50 MP": _saved(lambda: noise(1020, 765).resize((8160, 6120)), "WEBP", quality=85, method=0),
    "WebP with alpha, 35 MP": _saved(
        lambda: noise(854, 640, 4).resize((6832, 5120)), "WEBP", quality=85, method=0
    ),
    "WebP, lossless, 50 MP": _saved(
        lambda: noise(1020, 765).resize((8160, 6120), Image.Resampling.NEAREST),
        "WEBP",
        lossless=True,
        quality=0,
        method=0,
    ),
    "WebP, noise, 10 MP": _saved(lambda: noise(3600, 2700), "WEBP", quality=95, method=0),
    "WebP, noise with alpha, 12 MP": _saved(lambda: noise(4000, 3000, 4), "WEBP", quality=75, method=0),
    "WebP, lossless noise, 9 MP": _saved(
        lambda: noise(3500, 2700), "WEBP", lossless=True, quality=0, method=0
    ),
    "WebP, 39,000 chunks": lambda: webp_with(b"JUNK\0\0\0\0" * 39_000),
    **worst_jpegs.ACCEPTED,
    **worst_tiffs.ACCEPTED,
}
REFUSED: dict[str, Make] = {
    "PNG, 16 bits, 1 × 5,000,000": lambda: flat_png(1, 5_000_000, 16, 0),
    "PNG, 50,000 EXIF blocks": lambda: small_png(EXIF * 50_000),
    "PNG, 50,000 empty IDATs": lambda: small_png(pixels=png_chunk(b"IDAT", b"") * 50_000),
    "PNG, 20 MB of empty deflate blocks": lambda: small_png(
        pixels=png_chunk(b"IDAT", empty_blocks(20_000_000))
    ),
    "GIF, 500,000 comments": lambda: gif_with(b"!\xfe\x01a\0" * 500_000),
    "GIF, a comment of 500,000 blocks": lambda: gif_with(b"!\xfe" + b"\x01a" * 500_000 + b"\0"),
    "WebP, 500,000 chunks": lambda: webp_with(b"JUNK\0\0\0\0" * 500_000),
    **worst_jpegs.REFUSED,
    **worst_tiffs.REFUSED,
}
