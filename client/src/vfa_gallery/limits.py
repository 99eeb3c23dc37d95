"""What a gallery accepts, checked here before anything is sent.

The numbers are those of the gateway; a test of the repository holds both equal.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from vfa_gallery.errors import InvalidRequest, TooLarge, UnsupportedType

# The most characters of each text of an artwork.
TEXTS = {
    "title": 200,
    "description": 5000,
    "alt_text": 1000,
    "materials": 500,
    "dimensions": 500,
    "created_date": 50,
    "category": 50,
}
WITH_LINE_BREAKS = {"description", "alt_text"}
TAGS = 20
TAG = 50
FILENAME = 255
# A gallery may be configured otherwise: see Gallery(max_upload_bytes=…).
MAX_UPLOAD_BYTES = 30 * 1024 * 1024
CONTENT_TYPES = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/gif": (".gif",),
    "image/tiff": (".tif", ".tiff"),
}
# Other names of these types, which a gallery accepts as well.
CONTENT_TYPE_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-webp": "image/webp",
    "image/tif": "image/tiff",
    "image/x-tif": "image/tiff",
    "image/x-tiff": "image/tiff",
}
FORMATS = "JPEG, PNG, WebP, GIF and TIFF"
USERNAME = 64
USERNAME_RULE = "a username is 1 to 64 letters, digits, dots, hyphens and underscores, and more than dots"

# Control characters, lone surrogates and characters that change the direction of a text.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_LINE_BREAKS = re.compile(r"[\t\r\n\u2028\u2029]")
_SURELY_ALLOWED = re.compile(r"[\w.-]")
_DOTS = re.compile(r"\.+")
# Letters and marks that show nothing, so that two names would look the same.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def check_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a new artwork as they are sent, with texts, dates and tags checked.

    Raises:
        TypeError: a keyword that is no field, or a missing title.
        InvalidRequest: a value that the gallery would refuse; the message says which and why.

    >>> check_details({"title": "Dusk", "created_date": date(2024, 5, 31), "tags": ("lake", "dusk")})
    {'title': 'Dusk', 'created_date': '2024-05-31', 'tags': ['lake', 'dusk']}
    """
    if "title" not in details:
        raise TypeError("a title is needed: upload(…, title=…)")
    return _checked(details, {*TEXTS, "tags"})


def check_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changed fields of an artwork as they are sent; None clears a text.

    Raises:
        TypeError: a keyword that is no field.
        InvalidRequest: a value that the gallery would refuse.

    >>> check_changes({"createdDate": "2024"})
    Traceback (most recent call last):
    TypeError: an artwork has no field 'createdDate'; did you mean created_date?
    """
    return _checked(changes, {*TEXTS, "tags", "is_featured"})


def check_size(name: str, size: int, most: int | None) -> None:
    """Raises TooLarge for a file of more than `most` bytes; None is no limit."""
    if most is not None and size > most:
        raise TooLarge(f"{name} has {in_words(size)}; a file may have at most {in_words(most)}")


def check_content_type(name: str, content_type: str) -> None:
    """Raises UnsupportedType unless a gallery accepts the content type, whatever its parameters."""
    essence = content_type.partition(";")[0].strip().lower()
    if CONTENT_TYPE_ALIASES.get(essence, essence) not in CONTENT_TYPES:
        raise UnsupportedType(f"{name} is not a picture of an accepted format: {FORMATS}")


def check_filename(name: str) -> None:
    """Raises InvalidRequest for a name that the gallery would refuse."""
    _check_text("filename", name, FILENAME)


def in_words(size: int) -> str:
    """A number of bytes for people; 1 MB is 1,048,576 bytes.

    >>> in_words(30 * 1024 * 1024), in_words(1_500_000), in_words(2048), in_words(7)
    ('30 MB', '1.4 MB', '2 KB', '7 bytes')
    """
    for unit, step in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if size >= step:
            return f"{size / step:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} bytes"


def parse_username(text: str) -> str | None:
    """The username in Unicode's NFC, or None where the text is none.

    >>> parse_username("कलाकार"), parse_username("a b")
    ('कलाकार', None)
    """
    name = unicodedata.normalize("NFC", text)
    if not 0 < len(name) <= USERNAME or _DOTS.fullmatch(name) or _is_mark(name[0]):
        return None
    return name if all(map(_is_allowed, name)) else None


def _checked(values: Mapping[str, Any], fields: set[str]) -> dict[str, Any]:
    for name in values:
        if name not in fields:
            raise TypeError(_unknown(name, fields))
    return {name: _check(name, value) for name, value in values.items()}


def _unknown(name: str, fields: set[str]) -> str:
    snake = re.sub(r"(?<=[a-z])([A-Z])", lambda found: "_" + found[1].lower(), name)
    close = difflib.get_close_matches(snake, sorted(fields), 1, 0.75)
    rest = f"did you mean {close[0]}?" if close else f"the fields are {', '.join(sorted(fields))}"
    return f"an artwork has no field {name!r}; {rest}"


def _check(name: str, value: Any) -> Any:
    if name == "tags":
        return _check_tags(value)
    if name == "is_featured":
        if not isinstance(value, bool):
            raise InvalidRequest("is_featured is True or False")
        return value
    if name == "created_date" and isinstance(value, date):
        return (value.date() if isinstance(value, datetime) else value).isoformat()
    if name == "title" and (value is None or (isinstance(value, str) and not value.strip())):
        raise InvalidRequest("the title is empty")
    if value is not None:
        _check_text(name, value, TEXTS[name])
    return value


def _check_tags(value: Any) -> list[str]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InvalidRequest("tags are several texts, as in ['lake', 'dusk']")
    tags = list(value)
    if len(tags) > TAGS:
        raise InvalidRequest(f"an artwork has at most {TAGS} tags, these are {len(tags)}")
    for tag in tags:
        _check_text("tag", tag, TAG)
    return tags


def _check_text(name: str, value: Any, longest: int) -> None:
    words = name.replace("_", " ")
    if not isinstance(value, str):
        raise InvalidRequest(f"the {words} is a text, not {type(value).__name__}")
    value = unicodedata.normalize("NFC", value)
    if (length := len(value.strip())) > longest:
        raise InvalidRequest(f"the {words} has {length:,} characters; at most {longest:,} are accepted")
    if _UNPRINTABLE.search(value) or (name not in WITH_LINE_BREAKS and _LINE_BREAKS.search(value)):
        raise InvalidRequest(f"the {words} has characters that cannot be printed")


def _is_allowed(character: str) -> bool:
    if _INVISIBLE.match(character):
        return False
    return bool(_SURELY_ALLOWED.match(character)) or _is_mark(character)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
