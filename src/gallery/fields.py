"""The fields of request bodies: checked one by one, each refusal naming its field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from gallery.artwork import OTHER, Description
from gallery.errors import InvalidRequest, MissingFields, TooLarge, UnsupportedType
from gallery.keys import ACCEPTED_TYPES, media_type_of

TITLE = 200
DESCRIPTION = 5000
LINE = 500
CATEGORY = 50
DATE = 50
TAGS = 20
TAG = 50
FILENAME = 255
KEY = 256

_Body = Mapping[str, Any]

# Control characters, the halves of broken surrogate pairs, and signs that turn the direction of a text.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile(r"[\t\r\n\u2028\u2029]")


def description_of(body: _Body) -> Description:
    """What a body of POST /api/artworks says of the artwork."""
    return Description(
        title=title_of(body),
        description=description_text_of(body),
        materials=materials_of(body),
        dimensions=dimensions_of(body),
        created_date=date_of(body),
        category=category_of(body),
        tags=tags_of(body),
    )


def require(body: _Body, *names: str) -> None:
    """Raises MissingFields for those that are absent, null or blank."""
    missing = [name for name in names if _is_missing(body.get(name))]
    if missing:
        raise MissingFields(missing)


def title_of(body: _Body) -> str:
    return _needed(body, "title", TITLE)


def key_of(body: _Body) -> str:
    return _needed(body, "originalKey", KEY)


def text_of(body: _Body, name: str, longest: int, *, lines: bool = False) -> str | None:
    """A text without surrounding blanks; None when it is absent, null or blank."""
    value = body.get(name)
    if value is None:
        return None
    return _text(value, f'"{name}"', longest, lines=lines) or None


def category_of(body: _Body) -> str:
    return text_of(body, "category", CATEGORY) or OTHER


def tags_of(body: _Body) -> tuple[str, ...]:
    """Tags in their order, blank and repeated ones left out."""
    value = body.get("tags")
    if _is_missing(value):
        return ()
    if not isinstance(value, list) or len(value) > TAGS:
        raise InvalidRequest(f'"tags" must be a list of at most {TAGS} texts.')
    return tuple(dict.fromkeys(tag for tag in (_text(v, 'Each of "tags"', TAG) for v in value) if tag))


def date_of(body: _Body) -> str | None:
    """When the work was made, in the user's words."""
    return text_of(body, "createdDate", DATE)


def description_text_of(body: _Body) -> str | None:
    return text_of(body, "description", DESCRIPTION, lines=True)


def materials_of(body: _Body) -> str | None:
    return text_of(body, "materials", LINE)


def dimensions_of(body: _Body) -> str | None:
    return text_of(body, "dimensions", LINE)


def featured_of(body: _Body) -> bool:
    value = body.get("isFeatured")
    if not isinstance(value, bool):
        raise InvalidRequest('"isFeatured" must be true or false.')
    return value


def content_type_of(body: _Body) -> str:
    """The content type as it was said, which the PUT has to send; one that means an accepted type."""
    value = " ".join(_needed(body, "contentType", 100).split())
    if media_type_of(value) is None or not value.isascii():
        raise UnsupportedType(f"Please upload one of {', '.join(ACCEPTED_TYPES)}.")
    return value


def filename_of(body: _Body) -> str:
    return _needed(body, "filename", FILENAME)


def size_of(body: _Body, most: int) -> int | None:
    value = body.get("size")
    if value is None or _is_missing(value):
        return None
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if not whole or isinstance(value, bool) or value < 1:
        raise InvalidRequest('"size" must be the number of bytes, at least 1.')
    if value > most:
        raise TooLarge(f"The file may have at most {most} bytes.")
    return int(value)


def _needed(body: _Body, name: str, longest: int) -> str:
    require(body, name)
    return _text(body[name], f'"{name}"', longest)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(value: object, name: str, longest: int, *, lines: bool = False) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a text.")
    # One spelling of what looks alike: names of files come with letters taken apart.
    value = unicodedata.normalize("NFC", value)
    if len(value.strip()) > longest:
        raise InvalidRequest(f"{name} may have at most {longest} characters.")
    if _UNPRINTABLE.search(value) or (not lines and _BREAKS.search(value)):
        raise InvalidRequest(f"{name} has characters that cannot be printed.")
    return value.strip()
