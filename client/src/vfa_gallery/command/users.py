"""`vfa user` and `vfa token`: who may upload, and the tokens they upload with."""

import functools
import json
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from vfa_gallery.command.database import Database, LocalDatabase, Row, WranglerDatabase, find_project
from vfa_gallery.command.options import console, json_option, print_json
from vfa_gallery.command.problem import Problem

USERNAME = re.compile(r"(?!\.+$)[\w.-]{1,64}")  # an address cannot end in one or two dots

INSERT = (
    "INSERT INTO users (id, username) VALUES (?, ?) "
    "ON CONFLICT (username) DO UPDATE SET username = users.username RETURNING id, username, artwork_limit"
)
INSERT_WITH_LIMIT = (
    "INSERT INTO users (id, username, artwork_limit) VALUES (?, ?, ?) "
    "ON CONFLICT (username) DO UPDATE SET artwork_limit = excluded.artwork_limit "
    "RETURNING id, username, artwork_limit"
)
LIST = "SELECT id, username, artwork_count, artwork_limit FROM users ORDER BY username"
FIND = "SELECT id, username FROM users WHERE username = ?"


def database_options(command: Callable[..., None]) -> Callable[..., None]:
    """Pass `database`, and add the options that say which gallery's it is."""

    @click.option(
        "--state", type=click.Path(path_type=Path), help="State folder of the local stack [.state]."
    )
    @click.option(
        "--wrangler", type=click.Choice(["local", "remote"]), help="Use `wrangler d1 execute` instead."
    )
    @click.option(
        "--config",
        type=click.Path(path_type=Path),
        default="wrangler.toml",
        show_default=True,
        help="The gateway's file, with --wrangler.",
    )
    @click.option("--env", "environment", help="Environment in that file, such as staging.")
    @functools.wraps(command)
    def wrapped(
        state: Path | None, wrangler: str | None, config: Path, environment: str | None, **others: Any
    ) -> None:
        command(database=open_database(state, wrangler, config, environment), **others)

    return wrapped


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

    \b
    Example:
      vfa user add ann --limit 20
    """


@user.command()
@click.argument("username")
@click.option("--limit", type=click.IntRange(min=0), help="How many artworks the person may have.")
@json_option
@database_options
def add(database: Database, username: str, limit: int | None, as_json: bool) -> None:
    """Add a person, or change their limit, and print their id.

    \b
    Example:
      vfa user add ann --limit 20
    """
    if not USERNAME.fullmatch(username):
        raise Problem(
            "a username is 1 to 64 letters, digits, dots, hyphens and underscores, and more than dots"
        )
    new_id = f"usr_{secrets.token_hex(8)}"
    if limit is None:
        (row,) = database.query(INSERT, [new_id, username])
    else:
        (row,) = database.query(INSERT_WITH_LIMIT, [new_id, username, limit])
    created = row["id"] == new_id
    if as_json:
        click.echo(json.dumps({**_user_to_wire(row), "created": created}))
        return
    click.echo(row["id"])
    if not created:
        change = f"; the limit is {limit} now" if limit is not None else f", limit {row['artwork_limit']}"
        click.echo(f"{row['username']} was there already{change}", err=True)


@user.command("list")
@json_option
@database_options
def list_users(database: Database, as_json: bool) -> None:
    """List the people, with how many artworks each has and may have.

    \b
    Example:
      vfa user list --json
    """
    rows = database.query(LIST)
    if as_json:
        print_json([_user_to_wire(row) for row in rows])
        return
    table = Table("username", "id", "artworks", "limit")
    for row in rows:
        table.add_row(row["username"], row["id"], str(row["artwork_count"]), str(row["artwork_limit"]))
    console().print(table if rows else "nobody yet")


def _user_to_wire(row: Row) -> dict[str, str | int]:
    count = {"artworkCount": row["artwork_count"]} if "artwork_count" in row else {}
    return {"id": row["id"], "username": row["username"], "artworkLimit": row["artwork_limit"], **count}


@click.command()
@click.argument("username")
@click.option(
    "--hours", type=click.FloatRange(min=0, min_open=True), default=12, show_default=True, help="Lifetime."
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

    rows = database.query(FIND, [username])
    if not rows:
        raise Problem(f"there is no user {username}; add one with: vfa user add {username}")
    now = int(time.time())
    claims: dict[str, str | int] = {"sub": rows[0]["id"], "iat": now, "exp": now + round(hours * 3600)}
    if operator:
        claims["role"] = "operator"
    signed = jwt.encode(claims, database.jwt_secret(), algorithm="HS256")
    if as_json:
        click.echo(json.dumps({"token": signed, "userId": claims["sub"], "expiresAt": claims["exp"]}))
    else:
        click.echo(signed)
