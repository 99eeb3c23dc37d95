"""The table `users`: its statements, and how a row becomes a User. Each statement is idempotent."""

from __future__ import annotations

from gallery.artwork import User
from gallery.ports import Row, Statement
from gallery.store.database import bind, columns, listed

_FIELDS = columns(User)
SELECT = f"SELECT {listed(_FIELDS)} FROM users"  # noqa: S608 (constants only, here and below)
FIND = f"{SELECT} WHERE id = :id"
FIND_BY_SUBJECT = f"{SELECT} WHERE issuer = :issuer AND subject = :subject"
FIND_BY_USERNAME = f"{SELECT} WHERE username = :username"
AFTER = f"{SELECT} WHERE username > :username ORDER BY username LIMIT :most"

_INSERTED = ("id", "username", "artwork_limit", "issuer", "subject", "created_at")
INSERT = f"""
INSERT INTO users ({listed(_INSERTED)})
VALUES ({listed(f":{name}" for name in _INSERTED)}) ON CONFLICT DO NOTHING
"""  # noqa: S608
_FREE_USERNAME = """
CASE WHEN EXISTS (SELECT 1 FROM users WHERE username = :username) THEN :other_username ELSE :username END
"""
INSERT_ON_SIGN_IN = f"""
INSERT INTO users ({listed(_INSERTED)})
SELECT {listed(_FREE_USERNAME if name == "username" else f":{name}" for name in _INSERTED)}
WHERE TRUE ON CONFLICT DO NOTHING
"""
# NULL leaves a value as it is. When a username or subject is taken, nothing is changed. OR IGNORE would keep
# what the trigger before the update did: the user's artworks would be missing from the index of lists and
# search.
_CHANGED = ("username", "artwork_limit", "status", "issuer", "subject")
UPDATE = f"""
UPDATE users SET {listed(f"{name} = COALESCE(:{name}, {name})" for name in _CHANGED)},
  tokens_valid_after = MAX(tokens_valid_after, COALESCE(:tokens_valid_after, 0))
WHERE id = :id AND NOT EXISTS (
  SELECT 1 FROM users AS other, users AS own
  WHERE own.id = :id AND other.id <> :id AND (
    other.username = :username
    OR other.issuer = COALESCE(:issuer, own.issuer) AND other.subject = COALESCE(:subject, own.subject)))
"""  # noqa: S608


def find(user_id: str) -> Statement:
    return bind(FIND, id=user_id)


def find_by_subject(issuer: str, subject: str) -> Statement:
    """The user that an identity provider means."""
    return bind(FIND_BY_SUBJECT, issuer=issuer, subject=subject)


def find_by_username(username: str) -> Statement:
    return bind(FIND_BY_USERNAME, username=username)


def after(username: str, most: int) -> Statement:
    """Users in the order of their names."""
    return bind(AFTER, username=username, most=most)


def insert(
    *,
    id: str,  # noqa: A002 (the column's name)
    username: str,
    artwork_limit: int,
    issuer: str | None,
    subject: str | None,
    created_at: str,
    other_username: str | None = None,
) -> Statement:
    """Inserts a user unless a value that must be unique is taken.

    With `other_username`, that is the name of the user when `username` is taken.
    """
    values = {
        "id": id,
        "username": username,
        "artwork_limit": artwork_limit,
        "issuer": issuer,
        "subject": subject,
        "created_at": created_at,
    }
    if other_username is None:
        return bind(INSERT, **values)
    return bind(INSERT_ON_SIGN_IN, other_username=other_username, **values)


def update(
    user_id: str,
    *,
    username: str | None,
    artwork_limit: int | None,
    status: str | None,
    tokens_valid_after: int | None,
    issuer: str | None,
    subject: str | None,
) -> Statement:
    """Changes what is not None, all of it or nothing."""
    return bind(
        UPDATE,
        id=user_id,
        username=username,
        artwork_limit=artwork_limit,
        status=status,
        tokens_valid_after=tokens_valid_after,
        issuer=issuer,
        subject=subject,
    )


def user_of(row: Row) -> User:
    """The user in a row of SELECT. Another program may have inserted a number as the id."""
    values = {name: row[name] for name in _FIELDS}
    return User(**{**values, "id": str(row["id"])})
