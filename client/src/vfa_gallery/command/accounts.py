"""Where `vfa user` finds the users: through a gallery's API, or in its D1 database."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vfa_gallery.command.database import Database, Parameter, Row
from vfa_gallery.command.problem import Problem
from vfa_gallery.errors import AlreadyExists
from vfa_gallery.gallery import Gallery
from vfa_gallery.models import Account, AccountChanges

COLUMNS = "id, username, artwork_count, artwork_limit, status, tokens_valid_after"
INSERT = (
    "INSERT INTO users (id, username) VALUES (?, ?) "
    "ON CONFLICT (username) DO UPDATE SET username = users.username RETURNING id, username, artwork_limit"
)
INSERT_WITH_LIMIT = (
    "INSERT INTO users (id, username, artwork_limit) VALUES (?, ?, ?) "
    "ON CONFLICT (username) DO UPDATE SET artwork_limit = excluded.artwork_limit "
    "RETURNING id, username, artwork_limit"
)
LIST = f"SELECT {COLUMNS} FROM users ORDER BY username"  # noqa: S608 - the constant above
FIND = "SELECT id, username FROM users WHERE username = ?"
RENAME = "UPDATE OR IGNORE users SET username = ? WHERE username = ? RETURNING id, username"
SET_STATUS = "UPDATE users SET status = ? WHERE username = ? RETURNING id, username"
REVOKE = "UPDATE users SET tokens_valid_after = ? WHERE username = ? RETURNING id, username"

Wire = Mapping[str, Any]


class Users(Protocol):
    """The users of one gallery; each answer has the names of the API."""

    def add(self, username: str, limit: int | None) -> tuple[Wire, bool]:
        """The user of this name, who has the limit now, and whether they are new."""
        ...

    def listed(self) -> Sequence[Wire]: ...

    def rename(self, username: str, new: str) -> None: ...

    def set_status(self, username: str, status: str) -> None: ...

    def revoke(self, username: str) -> None: ...


@dataclass(frozen=True, slots=True)
class GalleryUsers:
    """Through the API, with an operator's token."""

    gallery: Gallery

    def add(self, username: str, limit: int | None) -> tuple[Wire, bool]:
        try:
            return self.gallery.add_user(username, artwork_limit=limit).to_wire(), True
        except AlreadyExists:
            found = self._found(username)
        if limit is not None:
            found = self.gallery.change_user(found.id, artwork_limit=limit)
        return found.to_wire(), False

    def listed(self) -> Sequence[Wire]:
        return [each.to_wire() for each in self.gallery.users()]

    def rename(self, username: str, new: str) -> None:
        self._change(username, {"username": new})

    def set_status(self, username: str, status: str) -> None:
        self._change(username, {"status": status})

    def revoke(self, username: str) -> None:
        self._change(username, {"revoke_tokens": True})

    def _change(self, username: str, changes: AccountChanges) -> None:
        self.gallery.change_user(self._found(username).id, **changes)

    def _found(self, username: str) -> Account:
        found = next(self.gallery.users(username=username), None)
        if found is None:
            raise nobody(username)
        return found


@dataclass(frozen=True, slots=True)
class DatabaseUsers:
    """In the database itself, where there is no operator yet."""

    database: Database

    def add(self, username: str, limit: int | None) -> tuple[Wire, bool]:
        new_id = f"usr_{secrets.token_hex(8)}"
        if limit is None:
            (row,) = self.database.query(INSERT, [new_id, username])
        else:
            (row,) = self.database.query(INSERT_WITH_LIMIT, [new_id, username, limit])
        return _to_wire(row), row["id"] == new_id

    def listed(self) -> Sequence[Wire]:
        return [_to_wire(row) for row in self.database.query(LIST)]

    def rename(self, username: str, new: str) -> None:
        if not self._change(RENAME, new, username):
            raise Problem(f"{new} is the name of another user")

    def set_status(self, username: str, status: str) -> None:
        self._change(SET_STATUS, status, username)

    def revoke(self, username: str) -> None:
        self._change(REVOKE, int(time.time() * 1000), username)

    def _change(self, sql: str, value: Parameter, username: str) -> list[Row]:
        if not self.database.query(FIND, [username]):
            raise nobody(username)
        return self.database.query(sql, [value, username])


def nobody(username: str) -> Problem:
    return Problem(f"there is no user {username}; add one with: vfa user add {username}")


def _to_wire(row: Row) -> Wire:
    names = {
        "id": "id",
        "username": "username",
        "artwork_limit": "artworkLimit",
        "artwork_count": "artworkCount",
        "status": "status",
        "tokens_valid_after": "tokensValidAfter",
    }
    wire = {wire: row[name] for name, wire in names.items() if name in row}
    if "tokensValidAfter" in wire:
        wire["tokensValidAfter"] = _moment(wire["tokensValidAfter"])
    return wire


def _moment(milliseconds: int) -> str | None:
    if not milliseconds:
        return None
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{seconds}.{milliseconds % 1000:03}Z"
