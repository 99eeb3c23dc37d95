"""A line of text laid out: which characters of which fonts are drawn, and where."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import groupby
from math import ceil, floor
from typing import NamedTuple

from PIL import ImageDraw

from imaging import bidi
from imaging.fonts import JOINERS, UNITS, Font, Fonts, glyphs_of
from imaging.geometry import Size

_Ink = tuple[int, int, int, int]


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
        """Left, top, right and bottom of what is drawn, in pixels from the start of the base line."""
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
        """Width and height of what is drawn, in pixels."""
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
        """What is drawn at once: font, text, and where its base line begins."""
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
