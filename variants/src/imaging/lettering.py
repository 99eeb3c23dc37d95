"""Names in letters that the fonts have."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

from imaging.fonts import JOINERS

ELLIPSIS = "…"
SEPARATOR = "·"
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def drawable(text: str, has_glyph: Callable[[str], bool]) -> str:
    """The text in characters that the fonts have.

    A letter that they lack is taken apart into letters that they have; failing that, its code stands for
    it, so that two names never look alike and none turns into boxes.
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


_CODES = ("U+", SEPARATOR + "U+")


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"
