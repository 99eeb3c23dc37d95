"""A finished picture → the bytes of a rendition."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from math import sqrt

from PIL import Image, ImageChops, ImageStat

from imaging import kernels
from imaging.geometry import Size
from imaging.planes import Picture, Planes, as_image
from imaging.resample import slices

FULL, HALVED = 0, 2  # Pillow's numbers for 4:4:4 and 4:2:0
NOTICEABLE = 2.0  # levels of chroma, root mean square, that halving may cost
_SAMPLES, _THICKNESS = 5, 12


def to_jpeg(picture: Picture, quality: int, subsampling: int) -> bytes:
    """A baseline JPEG of an L, RGB or YCbCr picture; `quality` is 1 to 95, `subsampling` FULL or HALVED.

    Neither progressive nor optimized: measured, that costs more time than it saves bytes.
    """
    if kernels.encodes(picture.mode):
        size = Size(*picture.size)
        encoder = kernels.jpeg_encoder(size, picture.mode, quality, halved=subsampling == HALVED)
        return b"".join(encoder.push(*rows) for rows in _rows_of(picture))
    out = BytesIO()
    as_image(picture).save(out, "JPEG", quality=quality, subsampling=subsampling)
    return out.getvalue()


def fitting_subsampling(picture: Picture) -> int:
    """HALVED, which takes a quarter fewer bytes, or FULL where saturated edges would bleed visibly."""
    if picture.mode == "L":
        return HALVED
    return FULL if _chroma_loss(picture) > NOTICEABLE else HALVED


def _chroma_loss(picture: Picture) -> float:
    if isinstance(picture, Planes) and kernels.encodes(picture.mode):
        _, cb, cr = picture.planes
        return kernels.chroma_loss(cb, cr, picture.size)
    squares = [_loss(sample) ** 2 for sample in _samples(picture)]
    return sqrt(sum(squares) / len(squares))


def _rows_of(picture: Picture) -> Iterator[list[bytes | bytearray]]:
    """The rows of a picture as the encoder takes them."""
    if isinstance(picture, Planes):
        yield [*picture.planes]
        return
    for part in slices(picture):
        if picture.mode == "RGB":
            yield [part.tobytes("raw", "RGBX")]
        else:
            yield [plane.tobytes() for plane in part.split()]


def _samples(picture: Picture) -> Iterator[Image.Image]:
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
