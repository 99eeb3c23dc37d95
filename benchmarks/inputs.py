"""The pictures that everything is measured on, made here and kept in .cache/bench/inputs.

A mosaic of one painted scene with camera-like grain: about as many bytes a pixel as photographs have.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tools.picture import paint

from benchmarks.places import INPUTS

TILE = 2048
GRAIN = 6.0  # standard deviation: brings a JPEG of quality 92 to a third of a byte a pixel
VERSION = 2
ALPHA_AT_EDGE = 96


class Kind(StrEnum):
    BASELINE = "baseline"
    PROGRESSIVE = "progressive"
    PNG_RGB = "png-rgb"
    PNG_RGBA = "png-rgba"
    WEBP = "webp"


_JPEG = {"format": "JPEG", "quality": 92, "subsampling": 2}
_SAVED: dict[Kind, dict[str, Any]] = {
    Kind.BASELINE: _JPEG,
    Kind.PROGRESSIVE: {**_JPEG, "progressive": True},
    Kind.PNG_RGB: {"format": "PNG", "compress_level": 3},
    Kind.PNG_RGBA: {"format": "PNG", "compress_level": 3},
    Kind.WEBP: {"format": "WEBP", "quality": 88, "method": 2},
}
NAMES = {
    Kind.BASELINE: "baseline JPEG",
    Kind.PROGRESSIVE: "progressive JPEG",
    Kind.PNG_RGB: "PNG RGB",
    Kind.PNG_RGBA: "PNG RGBA",
    Kind.WEBP: "WebP",
}


@dataclass(frozen=True, slots=True, order=True)
class Input:
    """A picture of `megapixels` in the proportion 4:3."""

    kind: Kind
    megapixels: float

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.megapixels:g}"

    @property
    def title(self) -> str:
        return f"{self.megapixels:g} MP {NAMES[self.kind]}"

    @property
    def size(self) -> tuple[int, int]:
        height = round(math.sqrt(self.megapixels * 1e6 * 3 / 4))
        return round(height * 4 / 3), height

    @property
    def path(self) -> Path:
        """The file, made when it is not there yet."""
        path = INPUTS / f"v{VERSION}-{self.name}"
        if not path.exists():
            INPUTS.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".unfinished")
            picture(self.size, alpha=self.kind is Kind.PNG_RGBA).save(unfinished, **_SAVED[self.kind])
            unfinished.rename(path)
        return path


MEASURED = (
    *(Input(Kind.BASELINE, megapixels) for megapixels in (2, 12, 24, 48, 100)),
    Input(Kind.PROGRESSIVE, 12),
    Input(Kind.PROGRESSIVE, 16),
    Input(Kind.PNG_RGB, 12),
    Input(Kind.PNG_RGB, 36),
    Input(Kind.PNG_RGBA, 12),
    Input(Kind.PNG_RGBA, 36),
    Input(Kind.WEBP, 4),
)


@functools.cache
def _tile() -> Image.Image:
    scene = np.asarray(paint(TILE, TILE, seed=11), np.float32)
    grain = np.random.default_rng(5).normal(0, GRAIN, (TILE, TILE, 1))
    return Image.fromarray(np.clip(scene + grain, 0, 255).astype(np.uint8))


_TURNS: tuple[Callable[[Image.Image], Image.Image], ...] = (
    lambda tile: tile,
    lambda tile: tile.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    lambda tile: tile.transpose(Image.Transpose.ROTATE_180),
    lambda tile: tile.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
)


def picture(size: tuple[int, int], *, alpha: bool = False) -> Image.Image:
    """The mosaic, RGB or RGBA with a soft edge; the same arguments always give the same pixels."""
    width, height = size
    mosaic = Image.new("RGB", size)
    for number, (left, top) in enumerate(
        (left, top) for top in range(0, height, TILE) for left in range(0, width, TILE)
    ):
        mosaic.paste(_TURNS[number % len(_TURNS)](_tile()), (left, top))
    if alpha:
        rows = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None]
        columns = np.minimum(np.arange(width), np.arange(width)[::-1])[None, :]
        edge = np.minimum(rows, columns) * 255 // ALPHA_AT_EDGE
        mosaic.putalpha(Image.fromarray(np.minimum(edge, 255).astype(np.uint8)))
    return mosaic
