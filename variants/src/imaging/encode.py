"""A finished picture → the bytes of a rendition."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from math import sqrt

from PIL import Image, ImageChops, ImageStat

FULL, HALVED = 0, 2  # Pillow's numbers for 4:4:4 and 4:2:0
NOTICEABLE = 2.0  # levels of chroma, root mean square, that halving may cost
_SAMPLES, _THICKNESS = 5, 12


def to_jpeg(picture: Image.Image, quality: int, subsampling: int) -> bytes:
    """A baseline JPEG of an L, RGB or YCbCr picture; `quality` is 1 to 95, `subsampling` FULL or HALVED.

    Neither progressive nor optimized: measured, that costs more time than it saves bytes.
    """
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality, subsampling=subsampling)
    return out.getvalue()


def fitting_subsampling(picture: Image.Image) -> int:
    """HALVED, which takes a quarter fewer bytes, or FULL where saturated edges would bleed visibly."""
    if picture.mode == "L":
        return HALVED
    squares = [_loss(sample) ** 2 for sample in _samples(picture)]
    return FULL if sqrt(sum(squares) / len(squares)) > NOTICEABLE else HALVED


def _samples(picture: Image.Image) -> Iterator[Image.Image]:
    """Thin strips across and down the picture: together they meet every long edge."""
    width, height = picture.size
    for number in range(_SAMPLES):
        left, top = ((2 * number + 1) * side // (2 * _SAMPLES) for side in picture.size)
        yield picture.crop((0, top, width, min(height, top + _THICKNESS)))
        yield picture.crop((left, 0, min(width, left + _THICKNESS), height))


def _loss(sample: Image.Image) -> float:
    """The error of a strip's chroma, in levels, when it is halved and enlarged again."""
    losses = []
    for plane in sample.convert("YCbCr").split()[1:]:
        again = plane.reduce(2).resize(plane.size, Image.Resampling.BILINEAR)
        losses.append(ImageStat.Stat(ImageChops.difference(plane, again)).rms[0])
    return max(losses)
