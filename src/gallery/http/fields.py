"""Fields of request bodies and parameters of queries, checked one by one; each refusal names its field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any
from unicodedata import normalize
from urllib.parse import parse_qsl

from gallery.access.uploads import UploadRequest
from gallery.artwork import OTHER, Description, UserStatus
from gallery.errors import InvalidRequest, MissingFields, TooLarge, UnsupportedType
from gallery.formats import ACCEPTED_TYPES, media_type_of
from gallery.keys import is_user_id
from gallery.names import USERNAME_RULE, parse_username
from gallery.settings import MOST_ARTWORKS
from gallery.store import search
from gallery.store.search import ListQuery
from gallery.users import NewUser, UserChange

# Most characters of each text, and most tags.
TITLE = 200
DESCRIPTION = 5000
LINE = 500
ALT_TEXT = 1000
CATEGORY = 50
DATE = 50
TAGS = 20
TAG = 50
FILENAME = 255
CONTENT_TYPE = 100
KEY = 256
SUBJECT = 255

DEFAULT_LIMIT = 24
MOST = 100
MOST_PARAMETERS = 50
LONGEST_FILTER = 100
LONGEST_WAIT = 25  # seconds
CURSOR = r"p[0-9]{1,16}"  # a position

BAD_CURSOR = '"cursor" must be the "nextCursor" of another page.'

Body = Mapping[str, Any]
_Reader = Callable[[Body], Any]

# Control characters, the halves of broken surrogate pairs, and characters that turn the direction of a text.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile(r"[\t\r\n\u2028\u2029]")
_CURSOR = re.compile(CURSOR)
_SECONDS = re.compile(r"[0-9]{1,2}")
_LIMIT = re.compile(r"[1-9][0-9]{0,2}")


def description_of(body: Body) -> Description:
    """The description in a body of POST /api/artworks. Raises InvalidRequest."""
    return Description(**{name: read(body) for name, read in _DESCRIPTION.items()})


def changes_of(body: Body) -> dict[str, Any]:
    """The fields of an artwork that a PATCH changes, by their names in Python. Raises InvalidRequest."""
    return _given(body, _EDITABLE)


def upload_request_of(body: Body, most_bytes: int) -> UploadRequest:
    """What a body of POST /api/artworks/upload-url asks for.

    Raises InvalidRequest, UnsupportedType, and TooLarge above `most_bytes`.
    """
    require(body, "filename", "contentType")
    _needed(body, "filename", FILENAME)
    content_type = content_type_of(body)
    return UploadRequest(content_type, media_type_of(content_type) or content_type, size_of(body, most_bytes))


def new_user_of(body: Body) -> NewUser:
    """The user in a body of POST /api/users. Raises InvalidRequest."""
    username = username_of(body)
    if username is None:
        raise InvalidRequest('"username" is missing.')
    return NewUser(username, artwork_limit_of(body), subject_of(body), user_id_of(body))


def user_change_of(body: Body) -> UserChange:
    """What a PATCH changes of a user; None leaves a value as it is. Raises InvalidRequest."""
    return UserChange(**_given(body, _CHANGES_OF_USER))


def camel(name: str) -> str:
    """The name on the wire of a field: `created_date` is `createdDate`."""
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


def _given(body: Body, readers: Mapping[str, _Reader]) -> dict[str, Any]:
    given = {name: read(body) for name, read in readers.items() if camel(name) in body}
    if not given:
        raise InvalidRequest(f"Nothing to change: name at least one of {', '.join(map(camel, readers))}.")
    return given


def require(body: Body, *names: str) -> None:
    """Raises MissingFields for those that are absent, null or blank."""
    missing = [name for name in names if _is_missing(body.get(name))]
    if missing:
        raise MissingFields(missing)


def title_of(body: Body) -> str:
    return _needed(body, "title", TITLE)


def key_of(body: Body) -> str:
    return _needed(body, "originalKey", KEY)


def text_of(body: Body, name: str, longest: int, *, lines: bool = False) -> str | None:
    """A text without surrounding blanks; None when it is absent, null or blank. Raises InvalidRequest."""
    value = body.get(name)
    if value is None:
        return None
    return _text(value, f'"{name}"', longest, lines=lines) or None


def alt_text_of(body: Body) -> str | None:
    return text_of(body, "altText", ALT_TEXT, lines=True)


def category_of(body: Body) -> str:
    return text_of(body, "category", CATEGORY) or OTHER


def tags_of(body: Body) -> tuple[str, ...]:
    """Tags in their order, without blank and repeated ones. Raises InvalidRequest."""
    value = body.get("tags")
    if _is_missing(value):
        return ()
    if not isinstance(value, list) or len(value) > TAGS:
        raise InvalidRequest(f'"tags" must be a list of at most {TAGS} texts.')
    return tuple(dict.fromkeys(tag for tag in (_text(v, 'Each of "tags"', TAG) for v in value) if tag))


def created_date_of(body: Body) -> str | None:
    """When the work was made, in the user's words."""
    return text_of(body, "createdDate", DATE)


def description_text_of(body: Body) -> str | None:
    return text_of(body, "description", DESCRIPTION, lines=True)


def materials_of(body: Body) -> str | None:
    return text_of(body, "materials", LINE)


def dimensions_of(body: Body) -> str | None:
    return text_of(body, "dimensions", LINE)


def featured_of(body: Body) -> bool:
    value = body.get("isFeatured")
    if not isinstance(value, bool):
        raise InvalidRequest('"isFeatured" must be true or false.')
    return value


def content_type_of(body: Body) -> str:
    """The content type as the client wrote it, which is what the PUT must send.

    Raises UnsupportedType unless it means an accepted format.
    """
    value = " ".join(_needed(body, "contentType", CONTENT_TYPE).split())
    if media_type_of(value) is None or not value.isascii():
        raise UnsupportedType(f"Please upload one of {', '.join(ACCEPTED_TYPES)}.")
    return value


def size_of(body: Body, most: int) -> int | None:
    """A number of bytes from 1 to `most`, None when it is absent. Raises InvalidRequest, TooLarge."""
    value = body.get("size")
    if value is None or _is_missing(value):
        return None
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if not whole or isinstance(value, bool) or value < 1:
        raise InvalidRequest('"size" must be the number of bytes, at least 1.')
    if value > most:
        raise TooLarge(f"The file may have at most {most} bytes.")
    return int(value)


def user_id_of(body: Body) -> str | None:
    value = text_of(body, "id", 64)
    if value is not None and not is_user_id(value):
        raise InvalidRequest('"id" must be 1 to 64 letters of ASCII, digits, hyphens and underscores.')
    return value


def username_of(body: Body) -> str | None:
    if "username" not in body:
        return None
    value = body["username"]
    username = parse_username(value) if isinstance(value, str) else None
    if username is None:
        raise InvalidRequest(f'"username" is not valid: {USERNAME_RULE}.')
    return username


def artwork_limit_of(body: Body) -> int | None:
    if "artworkLimit" not in body:
        return None
    value = body["artworkLimit"]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_ARTWORKS:
        raise InvalidRequest(f'"artworkLimit" must be a whole number from 0 to {MOST_ARTWORKS}.')
    return value


def user_status_of(body: Body) -> str:
    value = body["status"]
    if not isinstance(value, str) or value not in set(UserStatus):
        raise InvalidRequest(f'"status" must be one of {", ".join(UserStatus)}.')
    return value


def revoke_tokens_of(body: Body) -> bool:
    if body["revokeTokens"] is not True:
        raise InvalidRequest('"revokeTokens" can only be true.')
    return True


def subject_of(body: Body) -> str | None:
    return text_of(body, "subject", SUBJECT)


def parameter(query: str, name: str) -> str | None:
    """The decoded value of a query parameter, None when it is absent. Raises InvalidRequest."""
    return _parameters(query).get(name)


def flag(query: str, name: str) -> bool:
    """A parameter that is true or false, false when it is absent. Raises InvalidRequest."""
    value = _parameters(query).get(name, "false")
    if value not in ("true", "false"):
        raise InvalidRequest(f'"{name}" must be true or false.')
    return value == "true"


def wait_seconds_of(query: str) -> int:
    """The parameter `wait` in seconds, 0 when it is absent. Raises InvalidRequest."""
    text = _parameters(query).get("wait", "0")
    if not _SECONDS.fullmatch(text) or int(text) > LONGEST_WAIT:
        raise InvalidRequest(f'"wait" must be a whole number of seconds from 0 to {LONGEST_WAIT}.')
    return int(text)


def limit_of(text: str | None) -> int:
    """The size of a page, 1 to 100. Raises InvalidRequest."""
    if text is None:
        return DEFAULT_LIMIT
    if not _LIMIT.fullmatch(text) or int(text) > MOST:
        raise InvalidRequest(f'"limit" must be a number from 1 to {MOST}.')
    return int(text)


def filter_of(text: str) -> str:
    """A filter in NFC. Raises InvalidRequest when it is too long."""
    value = normalize("NFC", text)
    if len(value) > LONGEST_FILTER:
        raise InvalidRequest(f"A filter may have at most {LONGEST_FILTER} characters.")
    return value


def username_cursor_of(query: str) -> str:
    """The username after which a page of users begins, empty for the first. Raises InvalidRequest."""
    text = parameter(query, "cursor") or ""
    if len(text) > LONGEST_FILTER:
        raise InvalidRequest(BAD_CURSOR)
    return text


def list_query_of(query: str) -> ListQuery:
    """The list query of a query string. Raises InvalidRequest, naming the parameter."""
    given = _parameters(query)
    texts = {name: filter_of(given[name]) for name in ("username", "category", "tag", "q") if given.get(name)}
    featured = given.get("featured")
    if featured not in (None, "true", "false"):
        raise InvalidRequest('"featured" must be true or false.')
    return ListQuery(
        username=texts.get("username"),
        category=texts.get("category"),
        tag=texts.get("tag"),
        featured=None if featured is None else featured == "true",
        words=search.words_of(texts["q"]) if "q" in texts else None,
        before=_position_of(given.get("cursor")),
        limit=limit_of(given.get("limit")),
    )


def _position_of(text: str | None) -> int:
    if text is None:
        return search.TOP
    if not _CURSOR.fullmatch(text):
        raise InvalidRequest(BAD_CURSOR)
    return min(int(text[1:]), search.TOP)


def _parameters(query: str) -> dict[str, str]:
    if query.count("&") >= MOST_PARAMETERS:
        raise InvalidRequest(f"The query has more than {MOST_PARAMETERS} parameters.")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise InvalidRequest("The query is not UTF-8.") from error
    given = dict(pairs)
    if len(given) != len(pairs):
        raise InvalidRequest("The query names a parameter twice.")
    return given


def _needed(body: Body, name: str, longest: int) -> str:
    require(body, name)
    return _text(body[name], f'"{name}"', longest)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(value: object, name: str, longest: int, *, lines: bool = False) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a text.")
    # NFC, because some systems write accented letters of file names as two characters.
    value = unicodedata.normalize("NFC", value)
    if len(value.strip()) > longest:
        raise InvalidRequest(f"{name} may have at most {longest} characters.")
    if _UNPRINTABLE.search(value) or (not lines and _BREAKS.search(value)):
        raise InvalidRequest(f"{name} has characters that cannot be printed.")
    return value.strip()


# What reads the fields of Description, of an artwork's change and of UserChange.
_DESCRIPTION: dict[str, _Reader] = {
    "title": title_of,
    "description": description_text_of,
    "materials": materials_of,
    "dimensions": dimensions_of,
    "created_date": created_date_of,
    "category": category_of,
    "tags": tags_of,
    "alt_text": alt_text_of,
}
_EDITABLE = _DESCRIPTION | {"is_featured": featured_of}
_CHANGES_OF_USER: dict[str, _Reader] = {
    "username": username_of,
    "artwork_limit": artwork_limit_of,
    "status": user_status_of,
    "revoke_tokens": revoke_tokens_of,
    "subject": subject_of,
}
