"""The watermark: the user's name in the lower right corner, light letters with a dark outline.

Letters or outline contrast with any background, and always with each other.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from PIL import Image, ImageDraw

from imaging.geometry import Size
from imaging.planes import Picture
from imaging.text.fonts import Fonts
from imaging.text.line import Line, drawable, shortened

SHARE = 0.03  # font size, as a share of the picture's mean side
SMALLEST = 12  # font size in pixels; smaller letters cannot be read
NARROWEST, SHORTEST = 32, 64  # a picture smaller than this on its shorter or its longer side stays unmarked
_INKS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "L": ((0,), (255,)),
    "RGB": ((0, 0, 0), (255, 255, 255)),
    "YCbCr": ((0, 128, 128), (255, 128, 128)),
}


class Mark(NamedTuple):
    """A line that fits: its font size, and the box of its ink in pixels; `turned` if it runs upwards."""

    line: Line
    font_size: int
    left: int
    top: int
    right: int
    bottom: int
    turned: bool


def draw_mark(picture: Picture, text: str, opacity: float, fonts: Fonts | None = None) -> None:
    """Draw the text on the L, RGB or YCbCr picture itself, if it fits; `opacity` is above 0 and at most 1."""
    mark = place(Size(*picture.size), text, fonts)
    if mark is not None:
        _draw(picture, mark, opacity)


def _draw(picture: Picture, mark: Mark, opacity: float) -> None:
    box = (mark.left, mark.top, mark.right, mark.bottom)
    region = picture.crop(box)
    if mark.turned:
        region = region.transpose(Image.Transpose.ROTATE_270)
    inked = region.copy()
    dark, light = _INKS[picture.mode]
    mark.line.draw(ImageDraw.Draw(inked), mark.font_size, _stroke(mark.font_size), light, dark)
    blended = Image.blend(region, inked, opacity)
    if mark.turned:
        blended = blended.transpose(Image.Transpose.ROTATE_90)
    picture.paste(blended, box)


def place(size: Size, text: str, fonts: Fonts | None = None) -> Mark | None:
    """The largest way to fit the text: whole, else on its side, else shortened; None on a tiny picture.

    Without `fonts` the bundled ones are used.
    """
    fonts = fonts or Fonts()
    text = drawable(text, lambda character: fonts.font_of(character) is not None)
    if not text or min(size) < NARROWEST or max(size) < SHORTEST:
        return None
    line = Line(text, fonts)
    wanted = max(SMALLEST, round(SHARE * sqrt(size.width * size.height)))
    for turned in (False, True) if size.height > size.width else (False,):
        room = Size(size.height, size.width) if turned else size
        for font_size in range(wanted, SMALLEST - 1, -1):
            ink = line.extent(font_size, _stroke(font_size))
            if _fits(ink, room, font_size):
                return _mark(line, font_size, ink, size, turned)
    turned = size.height > size.width
    room = Size(max(size), min(size))
    for shorter in shortened(text):
        line = Line(shorter, fonts)
        ink = line.extent(SMALLEST, _stroke(SMALLEST))
        if _fits(ink, room, SMALLEST):
            return _mark(line, SMALLEST, ink, size, turned)
    return None


def _fits(ink: Size, room: Size, font_size: int) -> bool:
    margin = 2 * _margin(font_size)
    return ink.width + margin <= room.width and ink.height + margin <= room.height


def _mark(line: Line, font_size: int, ink: Size, size: Size, turned: bool) -> Mark:
    right, bottom = size.width - _margin(font_size), size.height - _margin(font_size)
    width, height = (ink.height, ink.width) if turned else ink
    return Mark(line, font_size, right - width, bottom - height, right, bottom, turned)


def _margin(font_size: int) -> int:
    return font_size // 2


def _stroke(font_size: int) -> int:
    return max(1, round(font_size / 14))
