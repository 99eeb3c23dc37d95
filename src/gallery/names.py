"""Names: usernames, and the slugs that titles become. Letters of every script are kept."""

from __future__ import annotations

import re
import unicodedata

USERNAME_LENGTH = 64
USERNAME_RULE = "a username is 1 to 64 letters, digits, dots, hyphens and underscores, and more than dots"
SLUG_LENGTH = 50
SLUG_FALLBACK = "artwork"

_USERNAME_CHARACTER = re.compile(r"[\w.-]")
_SLUG_CHARACTER = re.compile(r"[\w\s-]")
_DOTS = re.compile(r"\.+")
_SEPARATORS = re.compile(r"[.-]+")
_BLANKS = re.compile(r"\s")
_HYPHENS = re.compile(r"-+")
_WORD = re.compile(r"\w")
# Marks that show nothing themselves: the grapheme joiner, and selectors of a letter's or an emoji's form.
_INVISIBLE_MARKS = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Also letters that show nothing, so that no two usernames look the same: fillers of Hangul, and vowels that
# Khmer no longer writes (Unicode, Default_Ignorable_Code_Point).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def parse_username(text: str) -> str | None:
    """The username in its one spelling (NFC), None for a text that cannot be one."""
    name = unicodedata.normalize("NFC", text)
    if not 0 < len(name) <= USERNAME_LENGTH or _DOTS.fullmatch(name) or _is_mark(name[0]):
        return None
    return name if all(map(_is_in_username, name)) else None


def username_from(text: str) -> str | None:
    """The nearest username to the name that an identity provider gives; None when nothing of it can be kept.

    Of an email address only the part before the @ is taken, because usernames are public.
    """
    name = unicodedata.normalize("NFC", text).partition("@")[0]
    kept = "".join(character if _is_in_username(character) else "-" for character in name)
    kept = _SEPARATORS.sub(lambda found: "-" if "-" in found[0] else found[0], kept)
    return parse_username(kept.strip("-.")[:USERNAME_LENGTH].rstrip("-."))


def slug_of(title: str) -> str:
    """The slug of a title: 1 to 50 characters, without a hyphen at either end."""
    text = unicodedata.normalize("NFC", title).lower().strip()
    kept = "".join(character for character in text if _is_in_slug(character))
    slug = _HYPHENS.sub("-", _BLANKS.sub("-", kept)).strip("-")[:SLUG_LENGTH].strip("-")
    return slug if _WORD.search(slug) else SLUG_FALLBACK


def _is_in_username(character: str) -> bool:
    if _INVISIBLE.match(character):
        return False
    return bool(_USERNAME_CHARACTER.match(character)) or _is_mark(character)


def _is_in_slug(character: str) -> bool:
    if _INVISIBLE_MARKS.match(character):
        return False
    return bool(_SLUG_CHARACTER.match(character)) or _is_mark(character)


def _is_mark(character: str) -> bool:
    # Vowel signs of many scripts are marks, not word characters; words are wrong without them.
    return unicodedata.category(character).startswith("M")
