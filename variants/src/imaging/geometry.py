"""Sizes, crops and orientations: arithmetic only. Sizes are in pixels."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

DISPLAY_LIMIT = 2048
LONGEST_DISPLAY = 8192  # pixels of a panorama's longer side


class Size(NamedTuple):
    width: int
    height: int


DISPLAY = Size(DISPLAY_LIMIT, DISPLAY_LIMIT)


class Box(NamedTuple):
    """A rectangle in source pixels; edges may fall between pixels."""

    left: float
    top: float
    right: float
    bottom: float


def fit_within(size: Size, limit: int) -> Size:
    """The largest size of the same aspect inside limit × limit, never larger than `size`."""
    longest = max(size)
    if longest <= limit:
        return size
    return Size(*(max(1, round(side * limit / longest)) for side in size))


def display_size(size: Size) -> Size:
    """How large a picture is displayed, never larger than `size`.

    Up to 2:1 it fits into a square of DISPLAY_LIMIT. A longer one may have as many pixels as 2:1 has there,
    and a longer side of at most LONGEST_DISPLAY; fitted into the square, a scroll would be too thin to look
    at.
    """
    ratio = max(size) / min(size)
    if ratio <= 2:
        return fit_within(size, DISPLAY_LIMIT)
    return fit_within(size, min(LONGEST_DISPLAY, int(sqrt(DISPLAY_LIMIT * DISPLAY_LIMIT / 2 * ratio))))


def centre_crop(size: Size, target: Size) -> Box:
    """The largest centred box of `size` that has the aspect of `target`."""
    scale = min(size.width / target.width, size.height / target.height)
    # Rounding may put an edge slightly outside the picture, which the resizer refuses.
    left = max(0.0, (size.width - target.width * scale) / 2)
    top = max(0.0, (size.height - target.height * scale) / 2)
    return Box(left, top, size.width - left, size.height - top)


def turned(size: Size, orientation: int) -> Size:
    """The size after an EXIF orientation (1–8) has been applied, or undone."""
    return Size(size.height, size.width) if orientation >= 5 else size


def area(size: Size) -> int:
    """How many pixels a picture of this size has."""
    return size.width * size.height
