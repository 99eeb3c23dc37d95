"""The fonts of the mark: bundled ones, and shards of the font pack in R2, fetched when a name needs them.

tools/fonts.py makes all of them. Noto Sans Bold serves Latin, Greek and Cyrillic. Other scripts have a font
each, in which every glyph also has the code U+F0000 + its number: HarfBuzz answers with glyphs, Pillow
draws characters.
"""

from __future__ import annotations

import json
import unicodedata
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import ImageFont

try:
    from vfa_shaping import shape
except ImportError:  # the mark shows codes then, where a script needs shaping
    shape = None  # type: ignore[assignment]

GLYPHS = 0xF0000
UNITS = 1000  # to the em, in all of these fonts
MOST_SHARDS = 12  # of one name; they are in memory together with the picture
JOINERS = "\u200c\u200d"
MOST_KNOWN = 512
_NOT_DEFINED = "\U0010ffff"
_FOLDER = Path(__file__).parents[1] / "fonts"
_MAIN = _FOLDER / "NotoSans-Bold-subset.ttf"
_BUNDLED = (
    (0x0530, 0x058F, "Armn"),
    (0x0590, 0x05FF, "Hebr"),
    (0x0600, 0x06FF, "Arab"),
    (0x0750, 0x077F, "Arab"),
    (0x08A0, 0x08FF, "Arab"),
    (0x0900, 0x097F, "Deva"),
    (0x0E00, 0x0E7F, "Thai"),
    (0x10A0, 0x10FF, "Geor"),
    (0x1C90, 0x1CBF, "Geor"),
    (0x1CD0, 0x1CFF, "Deva"),
    (0x2D00, 0x2D2F, "Geor"),
    (0xA8E0, 0xA8FF, "Deva"),
)


_known_of_main: dict[str, bool] = {}


class Shard(NamedTuple):
    """A font in the pack: first and last character, script if it needs shaping, offset and length."""

    first: int
    last: int
    script: str
    offset: int
    length: int


class Font:
    """One font; `script` is its ISO 15924 code when HarfBuzz has to place its glyphs, else empty."""

    def __init__(self, script: str, read: Callable[[], bytes], known: dict[str, bool] | None = None) -> None:
        self.script = script
        self._read = read
        self._sizes: dict[int, ImageFont.FreeTypeFont] = {}
        self._known = {} if known is None else known

    @property
    def data(self) -> bytes:
        """The bytes of the font's file."""
        return self._read()

    def sized(self, size: int) -> ImageFont.FreeTypeFont:
        """The font at `size` pixels to the em."""
        if size not in self._sizes:
            # The basic layout is the only one in WebAssembly; asking for it makes the marks alike everywhere.
            file = BytesIO(self.data)
            self._sizes[size] = ImageFont.truetype(file, size, layout_engine=ImageFont.Layout.BASIC)
        return self._sizes[size]

    def has(self, character: str) -> bool:
        """Whether the font has a glyph for the character."""
        if character not in self._known:
            self._known[character] = self._drawn(character) != self._drawn(_NOT_DEFINED)
        return self._known[character]

    def _drawn(self, character: str) -> tuple[tuple[int, int], bytes]:
        mask = self.sized(32).getmask(character)
        return mask.size, bytes(mask)


class Fonts:
    """The fonts for one mark: the bundled ones and the shards that were fetched for it."""

    def __init__(self, shards: Mapping[Shard, bytes] | None = None) -> None:
        """`shards` have the compressed bytes of the pack; damaged ones are left out."""
        self.main = Font("", _MAIN.read_bytes, _known_of_main)
        if len(_known_of_main) > MOST_KNOWN:
            _known_of_main.clear()
        scripts = {script for *_, script in _BUNDLED}
        self._bundled = {script: Font(script, (_FOLDER / f"{script}.ttf").read_bytes) for script in scripts}
        self._shards: dict[Shard, Font] = {}
        for shard, data in (shards or {}).items():
            with suppress(zlib.error):
                font = zlib.decompress(data)
                self._shards[shard] = Font(shard.script, partial(bytes, font))

    def font_of(self, character: str) -> Font | None:
        """The font that has the character, or None."""
        if self.main.has(character):
            return self.main
        font = self._of_script(ord(character))
        if font is None or (font.script and shape is None) or not font.has(character):
            return None
        return font

    def _of_script(self, code: int) -> Font | None:
        for first, last, script in _BUNDLED:
            if first <= code <= last:
                return self._bundled[script]
        return next((font for shard, font in self._shards.items() if shard.first <= code <= shard.last), None)


def needed_shards(text: str) -> list[Shard]:
    """The shards of the pack that hold characters of a text, at most MOST_SHARDS."""
    codes = {ord(character) for character in unicodedata.normalize("NFC", text) if not character.isascii()}
    shards = read_pack()[1] if codes else ()
    return [shard for shard in shards if any(shard.first <= code <= shard.last for code in codes)][
        :MOST_SHARDS
    ]


def read_pack() -> tuple[str, tuple[Shard, ...]]:
    """The pack's key in the bucket, and its shards."""
    index = json.loads((_FOLDER / "pack.json").read_text())
    return index["key"], tuple(Shard(*row) for row in index["shards"])


def glyphs_of(font: Font, text: str, *, right_to_left: bool) -> list[tuple[str, int, int, int]]:
    """HarfBuzz's answer, from left to right: character to draw, x and y offset (up) and advance, in UNITS."""
    placed = shape(font.data, text, font.script, right_to_left)
    return [(chr(GLYPHS + number), x, y, advance) for number, x, y, advance in placed]
