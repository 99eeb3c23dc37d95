"""What a username may be: the rule of the gateway, which judges the names that come to it by HTTP."""

from __future__ import annotations

import re
import unicodedata

LENGTH = 64
RULE = "a username is 1 to 64 letters, digits, dots, hyphens and underscores, and more than dots"

_SURELY_ALLOWED = re.compile(r"[\w.-]")
_DOTS = re.compile(r"\.+")
# Letters and marks that show nothing, so that two names would look the same.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def parse_username(text: str) -> str | None:
    """The username in its one spelling (NFC), or None where the text is none.

    >>> parse_username("कलाकार"), parse_username("a b")
    ('कलाकार', None)
    """
    name = unicodedata.normalize("NFC", text)
    if not 0 < len(name) <= LENGTH or _DOTS.fullmatch(name) or _is_mark(name[0]):
        return None
    return name if all(map(_is_allowed, name)) else None


def _is_allowed(character: str) -> bool:
    if _INVISIBLE.match(character):
        return False
    return bool(_SURELY_ALLOWED.match(character)) or _is_mark(character)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
