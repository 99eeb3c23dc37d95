"""`vfa user` and `vfa token`: who may upload, and the tokens they upload with."""

import functools
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from vfa_gallery.command.accounts import FIND, DatabaseUsers, GalleryUsers, Users, nobody
from vfa_gallery.command.database import Database, LocalDatabase, WranglerDatabase, find_project
from vfa_gallery.command.options import console, json_option, print_json
from vfa_gallery.command.problem import Problem
from vfa_gallery.command.usernames import RULE, parse_username
from vfa_gallery.gallery import Gallery

# What galleries accept unless MAX_TOKEN_DAYS says otherwise.
LONGEST_HOURS = 30 * 24


def _database_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--env", "environment", help="Environment in that file, such as staging."),
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            default="wrangler.toml",
            show_default=True,
            help="The gateway's file, with --wrangler.",
        ),
        click.option(
            "--wrangler", type=click.Choice(["local", "remote"]), help="Use `wrangler d1 execute` instead."
        ),
        click.option(
            "--state", type=click.Path(path_type=Path), help="State folder of the local stack [.state]."
        ),
    ):
        command = option(command)
    return command


def database_options(command: Callable[..., None]) -> Callable[..., None]:
    """Pass `database`, and add the options that say which gallery's it is."""

    @_database_options
    @functools.wraps(command)
    def wrapped(
        state: Path | None, wrangler: str | None, config: Path, environment: str | None, **others: Any
    ) -> None:
        command(database=open_database(state, wrangler, config, environment), **others)

    return wrapped


def users_options(command: Callable[..., None]) -> Callable[..., None]:
    """Pass `users`: of the gallery at an address, or else of a database."""

    @click.option(
        "--base-url",
        envvar="VFA_BASE_URL",
        help="Address of the gallery, or $VFA_BASE_URL, in place of a database.",
    )
    @click.option("--token", envvar="VFA_TOKEN", help="An operator's, with --base-url; better in $VFA_TOKEN.")
    @_database_options
    @functools.wraps(command)
    def wrapped(
        base_url: str | None,
        token: str | None,
        state: Path | None,
        wrangler: str | None,
        config: Path,
        environment: str | None,
        **others: Any,
    ) -> None:
        with ExitStack() as stack:
            users: Users
            if base_url and not (state or wrangler):
                users = GalleryUsers(stack.enter_context(_open_gallery(base_url, token)))
            else:
                users = DatabaseUsers(open_database(state, wrangler, config, environment))
            command(users=users, **others)

    return wrapped


def _open_gallery(base_url: str, token: str | None) -> Gallery:
    if not token:
        raise Problem(
            f"{base_url} needs an operator's token in VFA_TOKEN; --state and --wrangler reach a database"
        )
    try:
        return Gallery(base_url, token)
    except ValueError as error:
        raise Problem(str(error)) from error


def open_database(
    state: Path | None, wrangler: str | None, config: Path, environment: str | None
) -> Database:
    if wrangler:
        if not config.is_file():
            raise Problem(f"there is no {config}; name the gateway's file with --config")
        return WranglerDatabase(config.resolve(), remote=wrangler == "remote", environment=environment)
    project = find_project()
    return LocalDatabase(project, state.resolve() if state else project / ".state")


@click.group()
def user() -> None:
    """Manage the people who may upload.

    With an address, through its API and with an operator's token; else in the database of the local stack,
    or in the one that --wrangler reaches.

    \b
    Examples:
      vfa user add ann --limit 20
      vfa user suspend ann --base-url https://gallery.example
    """


@user.command()
@click.argument("username")
@click.option("--limit", type=click.IntRange(min=0), help="How many artworks the person may have.")
@json_option
@users_options
def add(users: Users, username: str, limit: int | None, as_json: bool) -> None:
    """Add a person, or change their limit, and print their id.

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
    """List the people, with how many artworks each has and may have.

    \b
    Example:
      vfa user list --json
    """
    found = users.listed()
    if as_json:
        print_json(list(found))
        return
    table = Table("username", "id", "artworks", "limit", "status")
    for each in found:
        counts = str(each["artworkCount"]), str(each["artworkLimit"])
        table.add_row(each["username"], each["id"], *counts, each["status"])
    console().print(table if found else "nobody yet")


@user.command()
@click.argument("username")
@click.argument("new")
@users_options
def rename(users: Users, username: str, new: str) -> None:
    """Give a person another name.

    The addresses of their artworks change at once, watermarks with `vfa reprocess`.

    \b
    Example:
      vfa user rename ann anna
    """
    users.rename(username, _checked(new))


@user.command()
@click.argument("username")
@users_options
def suspend(users: Users, username: str) -> None:
    """Refuse a person from now on, whatever token they have; their artworks stay.

    \b
    Example:
      vfa user suspend ann
    """
    users.set_status(username, "suspended")


@user.command()
@click.argument("username")
@users_options
def activate(users: Users, username: str) -> None:
    """Let a suspended person in again.

    \b
    Example:
      vfa user activate ann
    """
    users.set_status(username, "active")


@user.command()
@click.argument("username")
@users_options
def revoke(users: Users, username: str) -> None:
    """Refuse every token that a person was given until now.

    \b
    Example:
      vfa user revoke ann
    """
    users.revoke(username)


def _checked(username: str) -> str:
    name = parse_username(username)
    if name is None:
        raise Problem(RULE)
    return name


@click.command()
@click.argument("username")
@click.option(
    "--hours",
    type=click.FloatRange(min=0, max=LONGEST_HOURS, min_open=True),
    default=12,
    show_default=True,
    help="Lifetime.",
)
@click.option("--operator", is_flag=True, help="A token that may also reprocess and sweep.")
@json_option
@database_options
def token(database: Database, username: str, hours: float, operator: bool, as_json: bool) -> None:
    """Print a token for a person, and nothing else.

    \b
    Example:
      export VFA_TOKEN=$(vfa token ann)
    """
    import jwt

    rows = database.query(FIND, [parse_username(username) or username])
    if not rows:
        raise nobody(username)
    # With its fraction, so that a token made right after a revocation is told from one made right before.
    now = round(time.time(), 3)
    end = int(now) + round(hours * 3600)
    claims: dict[str, str | int | float] = {"sub": rows[0]["id"], "iat": now, "exp": end}
    if operator:
        claims["role"] = "operator"
    signed = jwt.encode(claims, database.jwt_secret(), algorithm="HS256")
    if as_json:
        click.echo(json.dumps({"token": signed, "userId": claims["sub"], "expiresAt": claims["exp"]}))
    else:
        click.echo(signed)
