"""Users, as operators make and change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

from gallery import fields, reading, sql
from gallery.artwork import User, UserStatus, user_of
from gallery.errors import AlreadyExists, Forbidden, InvalidRequest, NotFound
from gallery.keys import is_user_id
from gallery.ports import Platform
from gallery.records import first, only, transact
from gallery.settings import MOST_ARTWORKS, Settings
from gallery.times import iso
from gallery.usernames import RULE, parse_username

SUBJECT = 255
_CHANGES = ("username", "artworkLimit", "status", "revokeTokens", "subject")

_Body = Mapping[str, Any]


async def list_users(platform: Platform, query: str) -> tuple[list[User], str | None]:
    """Users in the order of their names, or the one of a name, and the cursor of the next page."""
    name = reading.parameter(query, "username")
    limit = reading.limit_of(reading.parameter(query, "limit"))
    if name is not None:
        if len(name) > reading.LONGEST_FILTER:
            raise InvalidRequest(f"A filter may have at most {reading.LONGEST_FILTER} characters.")
        row = await only(platform, (sql.USER_OF_NAME, (normalize("NFC", name),)))
        return ([user_of(row)] if row else []), None
    after = reading.parameter(query, "cursor") or ""
    if len(after) > reading.LONGEST_FILTER:
        raise InvalidRequest('"cursor" must be the "nextCursor" of another page.')
    rows = (await transact(platform, (sql.USERS_AFTER, (after, limit + 1))))[0]
    page = [user_of(row) for row in rows[:limit]]
    return page, page[-1].username if len(rows) > limit else None


async def found_user(platform: Platform, user_id: str) -> User:
    row = await only(platform, (sql.USER, (user_id,)))
    if row is None:
        raise NotFound("There is no such user.")
    return user_of(row)


async def create_user(platform: Platform, settings: Settings, body: _Body) -> User:
    """A new user. Raises AlreadyExists where the id, the username or the provider's subject has one."""
    username = _username_of(body)
    if username is None:
        raise InvalidRequest('"username" is missing.')
    limit, now = _limit_of(body), iso(platform.now())
    issuer, subject = _subject_of(body, settings)
    user_id = _id_of(body) or f"usr_{platform.uuid().replace('-', '')}"
    values = (
        user_id,
        username,
        settings.default_artwork_limit if limit is None else limit,
        issuer,
        subject,
        now,
    )
    rows = await transact(
        platform,
        (sql.INSERT_USER, values),
        (sql.USER, (user_id,)),
        (sql.USER_OF_NAME, (username,)),
    )
    found, named = (first(each) for each in rows[1:])
    # The time tells a row of this request, be it of a try whose answer was lost, from one that was there.
    if found and (found["username"], found["created_at"]) == (username, now):
        return user_of(found)
    raise _taken("id" if found else "username" if named else "subject")


async def change_user(platform: Platform, settings: Settings, user_id: str, body: _Body) -> User:
    """The user with some values changed, all or none of them. Raises NotFound, AlreadyExists."""
    if not body.keys() & set(_CHANGES):
        raise InvalidRequest(f"Nothing to change: name at least one of {', '.join(_CHANGES)}.")
    username, (issuer, subject) = _username_of(body), _subject_of(body, settings)
    revoked = int(platform.now() * 1000) if _revokes(body) else None
    values = (user_id, username, _limit_of(body), _status_of(body), revoked, issuer, subject)
    rows = await transact(platform, (sql.UPDATE_USER, values), (sql.USER, (user_id,)))
    row = first(rows[1])
    if row is None:
        raise NotFound("There is no such user.")
    user = user_of(row)
    if username not in (None, user.username):
        raise _taken("username")
    if subject is not None and (issuer, subject) != (user.issuer, user.subject):
        raise _taken("subject")
    return user


def _taken(what: str) -> AlreadyExists:
    return AlreadyExists(
        {
            "id": "There is a user with this id.",
            "username": "This username is taken.",
            "subject": "The provider's subject belongs to another user.",
        }[what]
    )


def _id_of(body: _Body) -> str | None:
    value = fields.text_of(body, "id", 64)
    if value is not None and not is_user_id(value):
        raise InvalidRequest('"id" must be 1 to 64 letters of ASCII, digits, hyphens and underscores.')
    return value


def _username_of(body: _Body) -> str | None:
    if "username" not in body:
        return None
    value = body["username"]
    username = parse_username(value) if isinstance(value, str) else None
    if username is None:
        raise InvalidRequest(f'"username" is not valid: {RULE}.')
    return username


def _limit_of(body: _Body) -> int | None:
    if "artworkLimit" not in body:
        return None
    value = body["artworkLimit"]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_ARTWORKS:
        raise InvalidRequest(f'"artworkLimit" must be a whole number from 0 to {MOST_ARTWORKS}.')
    return value


def _status_of(body: _Body) -> str | None:
    if "status" not in body:
        return None
    value = body["status"]
    if not isinstance(value, str) or value not in set(UserStatus):
        raise InvalidRequest(f'"status" must be one of {", ".join(UserStatus)}.')
    return value


def _revokes(body: _Body) -> bool:
    if body.get("revokeTokens", True) is not True:
        raise InvalidRequest('"revokeTokens" can only be true.')
    return "revokeTokens" in body


def _subject_of(body: _Body, settings: Settings) -> tuple[str | None, str | None]:
    subject = fields.text_of(body, "subject", SUBJECT)
    if subject is None:
        return None, None
    if settings.provider is None:
        raise Forbidden("This gallery has no identity provider whose subjects users could be tied to.")
    return settings.provider.issuer, subject
