"""The watermark: the account's name in the lower right corner, light letters with a dark outline.

Either the letters or the outline stand out from any ground, and the two always stand out from each other.
"""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from imaging.geometry import Size
from imaging.lettering import drawable, shortened

SHARE = 0.03  # of the picture's mean side is the letters' size
SMALLEST = 12  # pixels; smaller letters cannot be read
NARROWEST, SHORTEST = 32, 64  # a picture smaller than this on its shorter or its longer side stays unmarked
_FONT = Path(__file__).parent / "fonts" / "NotoSans-Bold-subset.ttf"
_INKS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "L": ((0,), (255,)),
    "RGB": ((0, 0, 0), (255, 255, 255)),
    "YCbCr": ((0, 128, 128), (255, 128, 128)),
}


class Mark(NamedTuple):
    """A text that fits: the letters' size, and where its ink is; tall pictures may carry it on its side."""

    text: str
    font_size: int
    left: int
    top: int
    right: int
    bottom: int
    turned: bool


def draw_mark(picture: Image.Image, text: str, opacity: float) -> None:
    """Draw the text on the picture itself, where it fits."""
    mark = place(Size(*picture.size), text)
    if mark is not None:
        _draw(picture, mark, opacity)
    # A font that stayed would lie above the picture's pixels, across the room for the next picture.
    _font.cache_clear()


def _draw(picture: Image.Image, mark: Mark, opacity: float) -> None:
    box = (mark.left, mark.top, mark.right, mark.bottom)
    region = picture.crop(box)
    if mark.turned:
        region = region.transpose(Image.Transpose.ROTATE_270)
    inked = region.copy()
    font, stroke = _font(mark.font_size), _stroke(mark.font_size)
    ink = font.getbbox(mark.text, stroke_width=stroke)
    dark, light = _INKS[picture.mode]
    ImageDraw.Draw(inked).text(
        (-ink[0], -ink[1]), mark.text, font=font, fill=light, stroke_width=stroke, stroke_fill=dark
    )
    blended = Image.blend(region, inked, opacity)
    if mark.turned:
        blended = blended.transpose(Image.Transpose.ROTATE_90)
    picture.paste(blended, box)


def place(size: Size, text: str) -> Mark | None:
    """The largest way to fit the text: whole, else on its side, else shortened; None on a tiny picture."""
    text = drawable(text, _has_glyph)
    if not text or min(size) < NARROWEST or max(size) < SHORTEST:
        return None
    wanted = max(SMALLEST, round(SHARE * sqrt(size.width * size.height)))
    for turned in (False, True) if size.height > size.width else (False,):
        room = Size(size.height, size.width) if turned else size
        for font_size in range(wanted, SMALLEST - 1, -1):
            ink = _ink(text, font_size)
            if _fits(ink, room, font_size):
                return _mark(text, font_size, ink, size, turned)
    turned = size.height > size.width
    room = Size(max(size), min(size))
    for shorter in shortened(text):
        ink = _ink(shorter, SMALLEST)
        if _fits(ink, room, SMALLEST):
            return _mark(shorter, SMALLEST, ink, size, turned)
    return None


def _fits(ink: Size, room: Size, font_size: int) -> bool:
    margin = 2 * _margin(font_size)
    return ink.width + margin <= room.width and ink.height + margin <= room.height


def _mark(text: str, font_size: int, ink: Size, size: Size, turned: bool) -> Mark:
    right, bottom = size.width - _margin(font_size), size.height - _margin(font_size)
    width, height = (ink.height, ink.width) if turned else ink
    return Mark(text, font_size, right - width, bottom - height, right, bottom, turned)


def _ink(text: str, font_size: int) -> Size:
    left, top, right, bottom = _font(font_size).getbbox(text, stroke_width=_stroke(font_size))
    return Size(int(right - left), int(bottom - top))


def _margin(font_size: int) -> int:
    return font_size // 2


def _stroke(font_size: int) -> int:
    return max(1, round(font_size / 14))


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # The basic layout is the only one in WebAssembly; asking for it makes the marks alike everywhere.
    return ImageFont.truetype(_FONT, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=256)
def _has_glyph(character: str) -> bool:
    return _shape(character) != _shape("\U0010ffff")


def _shape(character: str) -> tuple[tuple[int, int], bytes]:
    mask = _font(32).getmask(character)
    return mask.size, bytes(mask)
