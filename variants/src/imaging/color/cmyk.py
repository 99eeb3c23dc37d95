"""CMYK → sRGB: by the profile's own table, or by how coated paper looks under each overprint of full inks."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from math import prod

from PIL import Image, ImageFilter

from imaging.color.icc import Transform, Triple, lab_to_xyz, xyz_to_srgb

GRID = 9
BLACKS = (0.0, 0.25, 0.5, 0.75, 1.0)
# CIE L*a*b* of solid overprints on coated paper, as offset printing standardises them, relative to the paper
_PAPER_LIGHTNESS = 95.0
_OVERPRINTS: dict[tuple[int, int, int], Triple] = {
    (0, 0, 0): (95, 0, 0),
    (1, 0, 0): (55, -37, -50),
    (0, 1, 0): (48, 74, -3),
    (0, 0, 1): (89, -5, 93),
    (0, 1, 1): (47, 68, 48),
    (1, 0, 1): (50, -68, 25),
    (1, 1, 0): (24, 17, -46),
    (1, 1, 1): (23, 0, 0),
}
_BLACK_LIGHTNESS = 16.0


def inks_to_rgb(transform: Transform | None) -> Callable[[Image.Image], Image.Image]:
    """A function from CMYK pictures to RGB ones."""
    blacks = BLACKS if transform else (0.0, 1.0)
    size = GRID if transform else 2
    tables = [_table(transform or overprint, black, size) for black in blacks]
    ramps = [_ramp(low, high) for low, high in pairwise(blacks)]

    def convert(picture: Image.Image) -> Image.Image:
        cyan, magenta, yellow, black = picture.split()
        colours = Image.merge("RGB", (cyan, magenta, yellow))
        result = colours.filter(tables[0])
        for table, ramp in zip(tables[1:], ramps, strict=True):
            result = Image.composite(colours.filter(table), result, black.point(ramp))
        return result

    return convert


def _table(transform: Transform, black: float, size: int) -> ImageFilter.Color3DLUT:
    axis = [step / (size - 1) for step in range(size)]
    numbers = (value for y in axis for m in axis for c in axis for value in transform((c, m, y, black)))
    return ImageFilter.Color3DLUT(size, array("f", numbers), _copy_table=False)


def _ramp(low: float, high: float) -> list[int]:
    """How much of the next darker table applies at each level of black."""
    return [round(255 * min(1.0, max(0.0, (level / 255 - low) / (high - low)))) for level in range(256)]


def overprint(inks: Sequence[float]) -> Triple:
    """The colour of four inks: the solid overprints, each by the share of the paper that it covers."""
    totals = [0.0, 0.0, 0.0]
    for corner in product((0, 1), repeat=4):
        share = prod(ink if solid else 1 - ink for solid, ink in zip(corner, inks, strict=True))
        for channel, value in enumerate(_SOLIDS[corner]):
            totals[channel] += share * value
    return totals[0], totals[1], totals[2]


def _solid(corner: tuple[int, ...]) -> Triple:
    """Of a solid overprint, relative to the paper; black covers nearly everything that is under it."""
    lightness, a, b = _OVERPRINTS[corner[0], corner[1], corner[2]]
    if corner[3]:
        lightness, a, b = lightness * _BLACK_LIGHTNESS / _PAPER_LIGHTNESS, a * 0.1, b * 0.1
    paper = lab_to_xyz(_PAPER_LIGHTNESS, 0, 0)[1]
    x, y, z = lab_to_xyz(lightness, a, b)
    return xyz_to_srgb(x / paper, y / paper, z / paper)


_SOLIDS = {corner: _solid(corner) for corner in product((0, 1), repeat=4)}
