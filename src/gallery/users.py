"""Users, as operators list, create and change them."""

from __future__ import annotations

from dataclasses import dataclass
from unicodedata import normalize

from gallery.artwork import User
from gallery.errors import AlreadyExists, Forbidden, NotFound
from gallery.ports import Platform
from gallery.settings import Settings
from gallery.store import users
from gallery.store.database import first, only, rows_of, transact
from gallery.store.users import user_of
from gallery.times import iso

_NO_USER = "There is no such user."


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to create; `subject` is who it is to the identity provider. None means the default."""

    username: str
    artwork_limit: int | None = None
    subject: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class UserChange:
    """What to change of a user; None leaves a value as it is."""

    username: str | None = None
    artwork_limit: int | None = None
    status: str | None = None
    revoke_tokens: bool = False
    subject: str | None = None


async def list_users(platform: Platform, after: str, limit: int) -> tuple[list[User], str | None]:
    """At most `limit` users in the order of their names, and the username after which the next begins."""
    rows = await rows_of(platform, users.after(after, limit + 1))
    page = [user_of(row) for row in rows[:limit]]
    return page, page[-1].username if len(rows) > limit else None


async def find_by_username(platform: Platform, username: str) -> User | None:
    row = await only(platform, users.find_by_username(normalize("NFC", username)))
    return user_of(row) if row else None


async def read_user(platform: Platform, user_id: str) -> User:
    """The user with this id. Raises NotFound."""
    row = await only(platform, users.find(user_id))
    if row is None:
        raise NotFound(_NO_USER)
    return user_of(row)


async def create_user(platform: Platform, settings: Settings, new: NewUser) -> User:
    """A new user.

    Raises AlreadyExists when the id, the username or the provider's subject is taken, and Forbidden for a
    subject where there is no identity provider.
    """
    now, issuer = iso(platform.now()), _issuer_of(new.subject, settings)
    user_id = new.id or f"usr_{platform.uuid().replace('-', '')}"
    rows = await transact(
        platform,
        insert=users.insert(
            id=user_id,
            username=new.username,
            artwork_limit=settings.default_artwork_limit if new.artwork_limit is None else new.artwork_limit,
            issuer=issuer,
            subject=new.subject,
            created_at=now,
        ),
        by_id=users.find(user_id),
        by_username=users.find_by_username(new.username),
    )
    found = first(rows["by_id"])
    # The time tells a row of this request, which may have been sent twice, from one that existed before.
    if found and (found["username"], found["created_at"]) == (new.username, now):
        return user_of(found)
    raise _taken("id" if found else "username" if rows["by_username"] else "subject")


async def change_user(platform: Platform, settings: Settings, user_id: str, change: UserChange) -> User:
    """The user with all of the changes, or with none. Raises NotFound, AlreadyExists, Forbidden."""
    issuer = _issuer_of(change.subject, settings)
    rows = await transact(
        platform,
        update=users.update(
            user_id,
            username=change.username,
            artwork_limit=change.artwork_limit,
            status=change.status,
            tokens_valid_after=int(platform.now() * 1000) if change.revoke_tokens else None,
            issuer=issuer,
            subject=change.subject,
        ),
        found=users.find(user_id),
    )
    row = first(rows["found"])
    if row is None:
        raise NotFound(_NO_USER)
    user = user_of(row)
    if change.username not in (None, user.username):
        raise _taken("username")
    if change.subject is not None and (issuer, change.subject) != (user.issuer, user.subject):
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


def _issuer_of(subject: str | None, settings: Settings) -> str | None:
    if subject is None:
        return None
    if settings.provider is None:
        raise Forbidden("This gallery has no identity provider whose subjects users could be tied to.")
    return settings.provider.issuer
