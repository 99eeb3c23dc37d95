"""Names in letters that the font has."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

ELLIPSIS = "…"
SEPARATOR = "·"
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def drawable(text: str, has_glyph: Callable[[str], bool]) -> str:
    """The text in characters of the font.

    A letter that it lacks is taken apart into letters that it has; failing that, its code stands for it, so
    that two names never look alike and none turns into boxes.
    """
    parts: list[str] = []
    for character in unicodedata.normalize("NFC", " ".join(text.split())):
        if unicodedata.category(character) in _INVISIBLE:
            continue
        if character == " " or has_glyph(character):
            parts.append(character)
            continue
        apart = unicodedata.normalize("NFKD", character)
        if apart != character and all(map(has_glyph, apart)):
            parts.append(apart)
        else:
            parts.append(SEPARATOR * bool(parts and parts[-1].startswith(_CODES)) + _code(character))
    return "".join(parts)


def shortened(text: str) -> Iterator[str]:
    """The text with more and more of its middle left out."""
    for kept in range(len(text) - 2, 1, -1):
        head = (kept + 1) // 2
        yield text[:head] + ELLIPSIS + text[len(text) - kept + head :]


_CODES = ("U+", SEPARATOR + "U+")


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"
