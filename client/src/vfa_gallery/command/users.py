"""`vfa user`: a gallery's users, for its operators.

The commands are built around a decorator that finds the users, so that a plug-in can offer the same commands
over users that it reaches in another way.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import click

from vfa_gallery.command.options import Command, connection_options, json_option, open_gallery
from vfa_gallery.command.output import print_json, print_table
from vfa_gallery.command.problem import Problem
from vfa_gallery.errors import AlreadyExists
from vfa_gallery.gallery import Gallery
from vfa_gallery.limits import USERNAME_RULE, parse_username
from vfa_gallery.models import Account, AccountChanges

Wire = Mapping[str, Any]


class Users(Protocol):
    """The users of one gallery; records have the names of the API."""

    def add(self, username: str, limit: int | None) -> tuple[Wire, bool]:
        """The user of this name, with the limit if one is given, and whether the user is new."""
        ...

    def listed(self) -> Sequence[Wire]: ...

    def rename(self, username: str, new: str) -> None: ...

    def set_status(self, username: str, status: str) -> None: ...

    def revoke(self, username: str) -> None: ...


@dataclass(frozen=True, slots=True)
class GalleryUsers:
    """Users through the API, with an operator's token."""

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
            raise no_such_user(username)
        return found


def no_such_user(username: str) -> Problem:
    """The Problem of a name that no user has."""
    return Problem(f"there is no user {username}; add one with: vfa user add {username}")


def gallery_users_options(command: Command) -> Command:
    """Pass `users` of the gallery at an address, and add the options that name it."""

    @connection_options
    @functools.wraps(command)
    def wrapped(base_url: str, token: str | None, timeout: float, **others: Any) -> None:
        if not token:
            raise Problem(f"{base_url} needs an operator's token; set VFA_TOKEN")
        with open_gallery(base_url, token, timeout) as gallery:
            command(users=GalleryUsers(gallery), **others)

    return wrapped


def user_commands(users_options: Callable[[Command], Command]) -> click.Group:
    """The group `user`; `users_options` decorates each command, adds options and passes `users`."""

    @click.group()
    def user() -> None:
        """Manage the users of a gallery; needs an operator's token.

        \b
        Examples:
          vfa user add ann --limit 20
          vfa user suspend ann --url https://gallery.example
        """

    @user.command()
    @click.argument("username")
    @click.option("--limit", type=click.IntRange(min=0), help="How many artworks the user may have.")
    @json_option
    @users_options
    def add(users: Users, username: str, limit: int | None, as_json: bool) -> None:
        """Add a user, or change the limit of an existing one, and print the id.

        \b
        Example:
          vfa user add ann --limit 20
        """
        made, created = users.add(_checked(username), limit)
        if as_json:
            click.echo(json.dumps({**made, "created": created}))
            return
        click.echo(made["id"])
        if not created:
            change = f"; the limit is {limit} now" if limit is not None else f", limit {made['artworkLimit']}"
            click.echo(f"{made['username']} was there already{change}", err=True)

    @user.command("list")
    @json_option
    @users_options
    def list_users(users: Users, as_json: bool) -> None:
        """List the users, with how many artworks each has and may have.

        \b
        Example:
          vfa user list --json
        """
        found = users.listed()
        if as_json:
            print_json(list(found))
            return
        names = ("username", "id", "artworkCount", "artworkLimit", "status")
        rows = [[str(each[name]) for name in names] for each in found]
        print_table(("username", "id", "artworks", "limit", "status"), rows, nothing="no users")

    @user.command()
    @click.argument("username")
    @click.argument("new")
    @users_options
    def rename(users: Users, username: str, new: str) -> None:
        """Give a user another name.

        The addresses of their artworks change at once, watermarks with `vfa reprocess`.

        \b
        Example:
          vfa user rename ann anna
        """
        users.rename(username, _checked(new))

    changes: dict[str, tuple[str, Callable[[Users, str], None]]] = {
        "suspend": (
            "Refuse a user from now on, whatever token they have; their artworks stay.",
            lambda users, name: users.set_status(name, "suspended"),
        ),
        "activate": (
            "Accept a suspended user again.",
            lambda users, name: users.set_status(name, "active"),
        ),
        "revoke": (
            "Refuse every token that was issued to a user until now.",
            lambda users, name: users.revoke(name),
        ),
    }
    for name, (sentence, change) in changes.items():
        user.add_command(_change_command(name, sentence, change, users_options))
    return user


def _change_command(
    name: str,
    sentence: str,
    change: Callable[[Users, str], None],
    users_options: Callable[[Command], Command],
) -> click.Command:
    """A command that changes one user and prints nothing."""

    @click.command(name, help=f"{sentence}\n\n\b\nExample:\n  vfa user {name} ann")
    @click.argument("username")
    @users_options
    def command(users: Users, username: str) -> None:
        change(users, username)

    return command


def _checked(username: str) -> str:
    name = parse_username(username)
    if name is None:
        raise Problem(USERNAME_RULE)
    return name
