"""Usernames: letters of every script with their marks, and nothing that cannot be seen."""

from __future__ import annotations

import re
import unicodedata

LENGTH = 64
RULE = "a username is 1 to 64 letters, digits, dots, hyphens and underscores, and more than dots"

_SURELY_ALLOWED = re.compile(r"[\w.-]")
_DOTS = re.compile(r"\.+")
_SEPARATORS = re.compile(r"[.-]+")
# Letters and marks that show nothing, so that two names would look the same: joiners of graphemes, fillers of
# Hangul, vowels that Khmer no longer writes, selectors of variants (Unicode, Default_Ignorable_Code_Point).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def parse_username(text: str) -> str | None:
    """The username in its one spelling (NFC), or None where the text is none."""
    name = unicodedata.normalize("NFC", text)
    if not 0 < len(name) <= LENGTH or _DOTS.fullmatch(name) or _is_mark(name[0]):
        return None
    return name if all(map(_is_allowed, name)) else None


def username_from(text: str) -> str | None:
    """The nearest username to what an identity provider calls a person; None where nothing is left.

    Of an email address only what stands before the @ is taken, for a username is public.
    """
    name = unicodedata.normalize("NFC", text).partition("@")[0]
    kept = "".join(character if _is_allowed(character) else "-" for character in name)
    kept = _SEPARATORS.sub(lambda found: "-" if "-" in found[0] else found[0], kept)
    return parse_username(kept.strip("-.")[:LENGTH].rstrip("-."))


def _is_allowed(character: str) -> bool:
    if _INVISIBLE.match(character):
        return False
    # Vowel signs of many scripts are marks, not word characters; a name is wrong without them.
    return bool(_SURELY_ALLOWED.match(character)) or _is_mark(character)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
