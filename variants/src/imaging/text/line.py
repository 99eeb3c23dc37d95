"""A line of text: characters that the fonts have, in visual order, measured and drawn."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from itertools import groupby
from math import ceil, floor
from typing import NamedTuple

from PIL import ImageDraw

from imaging.geometry import Size
from imaging.text import bidi
from imaging.text.fonts import JOINERS, UNITS, Font, Fonts, glyphs_of

_Ink = tuple[int, int, int, int]
ELLIPSIS = "…"
SEPARATOR = "·"
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_CODES = ("U+", SEPARATOR + "U+")


class _Run(NamedTuple):
    """Neighbouring characters of one font and direction; `glyphs` where HarfBuzz has placed them."""

    font: Font
    text: str
    level: int
    glyphs: list[tuple[str, int, int, int]]


class Line:
    """A text that can be measured and drawn at any size. Every character must be one that `fonts` has."""

    def __init__(self, text: str, fonts: Fonts) -> None:
        self.text = text
        runs = list(_runs(text, fonts))
        self._runs = bidi.visual(runs, lambda run: run.level)

    def ink(self, size: int, stroke: int) -> _Ink:
        """Left, top, right and bottom of the ink, in pixels from the start of the base line."""
        boxes = []
        for font, text, x, y in self._pieces(size):
            left, top, right, bottom = font.sized(size).getbbox(text, stroke_width=stroke, anchor="ls")
            if right > left and bottom > top:
                boxes.append((floor(x + left), floor(y + top), ceil(x + right), ceil(y + bottom)))
        if not boxes:
            return 0, 0, 0, 0
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)

    def extent(self, size: int, stroke: int) -> Size:
        """Width and height of the ink, in pixels."""
        left, top, right, bottom = self.ink(size, stroke)
        return Size(right - left, bottom - top)

    def draw(
        self, draw: ImageDraw.ImageDraw, size: int, stroke: int, light: tuple[int, ...], dark: tuple[int, ...]
    ) -> None:
        """Draw it with its ink at the upper left corner: the whole outline first, as letters may touch."""
        left, top, *_ = self.ink(size, stroke)
        pieces = list(self._pieces(size))
        for fill, width in ((dark, stroke), (light, 0)):
            for font, text, x, y in pieces:
                place = (x - left, y - top)
                draw.text(place, text, font=font.sized(size), fill=fill, stroke_width=width, anchor="ls")

    def _pieces(self, size: int) -> Iterator[tuple[Font, str, float, float]]:
        """The pieces to draw: font, text, and the start of its base line in pixels."""
        at = 0.0
        for run in self._runs:
            if not run.glyphs:
                yield run.font, run.text, at, 0.0
                at += run.font.sized(size).getlength(run.text)
            for text, x, y, advance in run.glyphs:
                yield run.font, text, at + x * size / UNITS, -y * size / UNITS
                at += advance * size / UNITS


def _runs(text: str, fonts: Fonts) -> Iterator[_Run]:
    placed = list(zip(_fonts_of(text, fonts), bidi.levels(text), text, strict=True))
    for (font, level), group in groupby(placed, lambda each: each[:2]):
        part = "".join(character for *_, character in group)
        right_to_left = bool(level % 2)
        if font.script:
            yield _Run(font, part, level, glyphs_of(font, part, right_to_left=right_to_left))
        else:
            yield _Run(font, bidi.reversed_text(part) if right_to_left else part, level, [])


def _fonts_of(text: str, fonts: Fonts) -> Iterator[Font]:
    """Each character's font; marks and joiners go with the letter before them."""
    before = fonts.main
    for character in text:
        follows = character in JOINERS or unicodedata.category(character).startswith("M")
        if not follows or (character not in JOINERS and not before.has(character)):
            before = fonts.font_of(character) or fonts.main
        yield before


def drawable(text: str, has_glyph: Callable[[str], bool]) -> str:
    """The text in characters that the fonts have.

    A letter that they lack is decomposed into letters that they have, or replaced by its code: two names
    never look alike, and none shows boxes.
    """
    parts: list[str] = []
    for character in unicodedata.normalize("NFC", " ".join(text.split())):
        if character in JOINERS:  # they change the letters of a script that is joined
            parts += [character] * bool(parts and has_glyph(parts[-1]) and not parts[-1].isascii())
        elif unicodedata.category(character) in _INVISIBLE:
            continue
        elif character == " " or has_glyph(character):
            parts.append(character)
        else:
            parts.append(
                _replaced(character, has_glyph, after_code=bool(parts and parts[-1].startswith(_CODES)))
            )
    return "".join(parts)


def _replaced(character: str, has_glyph: Callable[[str], bool], *, after_code: bool) -> str:
    apart = unicodedata.normalize("NFKD", character)
    if apart != character and all(map(has_glyph, apart)):
        return apart
    return SEPARATOR * after_code + _code(character)


def shortened(text: str) -> Iterator[str]:
    """The text with more and more of its middle left out; marks stay with their letters."""
    letters = _with_marks(text)
    for kept in range(len(letters) - 2, 1, -1):
        head = (kept + 1) // 2
        yield "".join([*letters[:head], ELLIPSIS, *letters[len(letters) - kept + head :]])


def _with_marks(text: str) -> list[str]:
    letters: list[str] = []
    for character in text:
        if letters and (character in JOINERS or unicodedata.category(character).startswith("M")):
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"
