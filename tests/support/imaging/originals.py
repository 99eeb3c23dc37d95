"""Originals that the tests make for themselves, in every coding that cameras and editors use."""

from __future__ import annotations

import zlib
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

Levels = np.ndarray[Any, Any]
JPEG_KINDS: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": 90},
    "jpeg-444": {"quality": 90, "subsampling": 0},
    "jpeg-progressive": {"quality": 90, "progressive": True},
    "jpeg-progressive-444": {"quality": 90, "progressive": True, "subsampling": 0},
}
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@lru_cache(maxsize=8)
def scene(width: int, height: int, seed: int = 1) -> Image.Image:
    """Something like a photograph: soft light, hard edges, fine texture, saturated colours."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / max(width, 2), y / max(height, 2)
    picture = np.empty((height, width, 3), np.float32)
    for channel in range(3):
        a, b, c = random.uniform(0.5, 3.0, 3)
        picture[..., channel] = 128 + 90 * np.sin(2 * np.pi * (a * x + b * y) + c)
    for _ in range(12):
        cx, cy, radius = random.uniform(0, 1), random.uniform(0, 1), random.uniform(0.03, 0.2)
        top, left = int((cy - radius) * max(height, 2)), int((cx - radius) * max(width, 2))
        near = np.s_[
            max(0, top) : int((cy + radius) * height) + 2, max(0, left) : int((cx + radius) * width) + 2
        ]
        inside = (x[near] - cx) ** 2 + (y[near] - cy) ** 2 < radius**2
        part = picture[near]
        part[inside] = 0.3 * part[inside] + 0.7 * random.uniform(0, 255, 3)
    grain = random.normal(0, 6, (height, width, 1)).astype(np.float32)
    stripes = (18 * np.sin(x * width / 2.5) * (y > 0.7))[..., None]
    return Image.fromarray(np.clip(picture + grain + stripes, 0, 255).astype(np.uint8))


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The picture as a file that Pillow writes."""
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def png_chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def empty_blocks(size: int) -> bytes:
    """A zlib stream of so many bytes that comes to nothing: each of its blocks brings Huffman codes."""
    fields = [(0, 1), (2, 2), (0, 5), (0, 5), (14, 4)]
    lengths = {18: 1, 0: 2, 1: 2}
    order = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1)
    fields += [(lengths.get(symbol, 0), 3) for symbol in order]
    fields += [(3, 2), (0, 1), (127, 7), (0, 1), (106, 7), (3, 2), (1, 2), (1, 1)]
    bits = "".join(format(value, f"0{width}b")[::-1] for value, width in fields)
    eight = "".join([bits] * 8)  # a whole number of bytes
    block = bytes(int(eight[at : at + 8][::-1], 2) for at in range(0, len(eight), 8))
    return b"\x78\x01" + block * (size // len(block))


def png_file(levels: Levels, *, interlaced: bool = False, extra: bytes = b"", filters: int = 2) -> bytes:
    """A PNG of 8 or 16 bits a channel, from rows × columns × channels; Pillow writes few of these."""
    height, width, channels = levels.shape
    depth = levels.dtype.itemsize * 8
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = (
        width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, colour, 0, 0, int(interlaced)])
    )
    parts = [levels[y::dy, x::dx] for x, y, dx, dy in PASSES] if interlaced else [levels]
    rows = b"".join(_filtered(part, filters) for part in parts if part.size)
    chunks = [
        png_chunk(b"IHDR", header),
        extra,
        png_chunk(b"IDAT", zlib.compress(rows, 1)),
        png_chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _filtered(levels: Levels, filters: int) -> bytes:
    """Rows with filter 0 (none), 1 (left) or 2 (up)."""
    raw = levels.astype(levels.dtype.newbyteorder(">")).reshape(levels.shape[0], -1).view(np.uint8)
    step = levels.shape[2] * levels.dtype.itemsize
    before = np.zeros_like(raw)
    if filters == 1:
        before[:, step:] = raw[:, :-step]
    elif filters == 2:
        before[1:] = raw[:-1]
    types = np.full((raw.shape[0], 1), filters, np.uint8)
    return np.hstack([types, raw - before]).tobytes()


def sixteen_bits(picture: Image.Image) -> Levels:
    """A picture's levels at 16 bits a channel."""
    levels = np.asarray(picture)
    levels = levels[..., None] if levels.ndim == 2 else levels
    return (levels.astype(np.uint16) * 257).astype(np.uint16)


def psnr(one: Image.Image, other: Image.Image) -> float:
    """How alike two pictures of one size are, in dB; 99 when they are the same."""
    assert one.size == other.size
    difference = np.asarray(one.convert("RGB"), np.float64) - np.asarray(other.convert("RGB"), np.float64)
    mean = float((difference**2).mean())
    return 99.0 if mean == 0 else float(10 * np.log10(255**2 / mean))
