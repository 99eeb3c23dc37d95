"""Slugs: the readable part of an artwork's address, made from its title."""

from __future__ import annotations

import re
import unicodedata

LENGTH = 50
FALLBACK = "artwork"

_SURELY_KEPT = re.compile(r"[\w\s-]")
_BLANKS = re.compile(r"\s")
_HYPHENS = re.compile(r"-+")
_WORD = re.compile(r"\w")
# Marks that show nothing themselves: the grapheme joiner and the selectors of a letter's or an emoji's form.
_INVISIBLE = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def slug_of(title: str) -> str:
    """The slug of a title: at most 50 characters, letters of every script kept, never empty.

    It neither begins nor ends with a hyphen.
    """
    text = unicodedata.normalize("NFC", title).lower().strip()
    kept = "".join(character for character in text if _keeps(character))
    slug = _HYPHENS.sub("-", _BLANKS.sub("-", kept)).strip("-")[:LENGTH].strip("-")
    return slug if _WORD.search(slug) else FALLBACK


def _keeps(character: str) -> bool:
    if _INVISIBLE.match(character):
        return False
    # Vowel signs of many scripts are marks, not word characters; a word is wrong without them.
    return bool(_SURELY_KEPT.match(character)) or unicodedata.category(character).startswith("M")
