"""A plug-in of `vfa`: users and tokens of the local stack, or of a database that Wrangler reaches.

It gives `vfa user` the options --state and --wrangler, for a gallery that has no operator yet, and adds
`vfa token`.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import click

from vfa_gallery.command.options import Command, connection_options, json_option, open_gallery
from vfa_gallery.command.problem import Problem
from vfa_gallery.command.users import GalleryUsers, Users, Wire, no_such_user, user_commands
from vfa_gallery.limits import parse_username

TIMEOUT_SECONDS = 120
PROJECT_MARK = Path("runtime", "main.mjs")
STATE_MARK = "secrets.json"
# What galleries accept unless MAX_TOKEN_DAYS says otherwise.
LONGEST_HOURS = 30 * 24

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

Parameter = str | int | None
Row = dict[str, Any]


class Database(Protocol):
    """A D1 database with a table of users."""

    def query(self, sql: str, params: Sequence[Parameter] = (), *, create: bool = False) -> list[Row]:
        """Rows of one statement; with `create`, a local database that does not exist is made first."""
        ...

    def jwt_secret(self) -> str:
        """The key that tokens are signed with; known after a query."""
        ...


@dataclass(slots=True)
class LocalDatabase:
    """The database of `make dev`, which need not be running."""

    project: Path
    state: Path
    _secrets: dict[str, str] = field(default_factory=dict)

    def query(self, sql: str, params: Sequence[Parameter] = (), *, create: bool = False) -> list[Row]:
        if not (create or (self.state / STATE_MARK).is_file()):
            raise Problem(f"there is no local gallery in {self.state}; `make dev` makes one")
        command = [_program(self.project, "node"), str(PROJECT_MARK), "sql", "--state", str(self.state)]
        answer = json.loads(_run(command, self.project, json.dumps({"sql": sql, "params": list(params)})))
        self._secrets = answer["secrets"]
        rows: list[Row] = answer["rows"]
        return rows

    def jwt_secret(self) -> str:
        return self._secrets["AUTH_JWT_SECRET"]


@dataclass(slots=True)
class WranglerDatabase:
    """The database named in a wrangler.toml, through `wrangler d1 execute`."""

    config: Path
    remote: bool
    environment: str | None = None

    def query(self, sql: str, params: Sequence[Parameter] = (), *, create: bool = False) -> list[Row]:
        del create  # Wrangler applies migrations; this command does not
        folder = self.config.parent
        own = shutil.which("wrangler", path=str(folder / "node_modules" / ".bin"))
        command = [own or _program(folder, "wrangler"), "d1", "execute", "DB", "--json", "--yes"]
        command += ["--remote" if self.remote else "--local", "--config", str(self.config)]
        if self.environment:
            command += ["--env", self.environment]
        answer = json.loads(_run([*command, "--command", inline(sql, params)], folder))
        rows: list[Row] = answer[0]["results"]
        return rows

    def jwt_secret(self) -> str:
        if secret := os.environ.get("AUTH_JWT_SECRET"):
            return secret
        file = self.config.parent / ".dev.vars"
        if not self.remote and file.is_file():
            for line in file.read_text().splitlines():
                name, _, value = line.partition("=")
                if name.strip() == "AUTH_JWT_SECRET":
                    return value.strip().strip("\"'")
        raise Problem("AUTH_JWT_SECRET is not known here; set it in the environment")


@dataclass(frozen=True, slots=True)
class DatabaseUsers:
    """Users in the database itself."""

    database: Database

    def add(self, username: str, limit: int | None) -> tuple[Wire, bool]:
        new_id = f"usr_{secrets.token_hex(8)}"
        if limit is None:
            (row,) = self.database.query(INSERT, [new_id, username], create=True)
        else:
            (row,) = self.database.query(INSERT_WITH_LIMIT, [new_id, username, limit], create=True)
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
        find_user(self.database, username)
        return self.database.query(sql, [value, username])


def find_user(database: Database, username: str) -> str:
    """The id of the user of this name. Raises Problem where there is none."""
    rows = database.query(FIND, [parse_username(username) or username])
    if not rows:
        raise no_such_user(username)
    return str(rows[0]["id"])


def sign_token(user_id: str, secret: str, *, seconds: int, operator: bool = False) -> tuple[str, int]:
    """A token for a user, signed with HS256, and when it ends in seconds since 1970."""
    import jwt

    # With its fraction, so that a token made right after a revocation is told from one made right before.
    now = round(time.time(), 3)
    claims: dict[str, str | int | float] = {"sub": user_id, "iat": now, "exp": int(now) + seconds}
    if operator:
        claims["role"] = "operator"
    return jwt.encode(claims, secret, algorithm="HS256"), int(now) + seconds


def find_project() -> Path:
    """The checkout with the local runtime: around the environment, above the folder, or $VFA_PROJECT.

    Raises Problem where none is found.
    """
    starts = [Path(sys.prefix).parent, Path.cwd(), *Path.cwd().parents]
    if named := os.environ.get("VFA_PROJECT"):
        starts.append(Path(named))
    for start in starts:
        if (start / PROJECT_MARK).is_file():
            return start.resolve()
    raise Problem("no gallery project here; go to its folder, or set VFA_PROJECT to it")


def open_database(
    state: Path | None, wrangler: str | None, config: Path, environment: str | None
) -> Database:
    """The database that the options name. Raises Problem where there is none."""
    if wrangler:
        if not config.is_file():
            raise Problem(f"there is no {config}; name the gateway's file with --config")
        return WranglerDatabase(config.resolve(), remote=wrangler == "remote", environment=environment)
    project = find_project()
    return LocalDatabase(project, state.resolve() if state else project / ".state")


def inline(sql: str, params: Sequence[Parameter]) -> str:
    """The statement with its `?` replaced by literals, since `wrangler d1 execute` takes no parameters.

    >>> inline("SELECT ? WHERE a = ?", [1, "what?"])
    "SELECT 1 WHERE a = 'what?'"
    """
    parts = sql.split("?")
    if len(parts) != len(params) + 1:
        raise ValueError("as many parameters as question marks")
    values = [*map(literal, params), ""]
    return "".join(part + value for part, value in zip(parts, values, strict=True))


def literal(value: Parameter) -> str:
    """A value as SQL text.

    >>> literal("d'Arc"), literal(3), literal(None)
    ("'d''Arc'", '3', 'NULL')
    """
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


def failure(stdout: str, stderr: str) -> str:
    """The sentence in the output of a failed command: Wrangler's JSON, or the last line.

    >>> failure('{"error": {"text": "no such table: users"}}', "")
    'no such table: users'
    >>> failure("", "error: port 80 is in use\\n")
    'port 80 is in use'
    """
    try:
        return str(json.loads(stdout)["error"]["text"])
    except (ValueError, LookupError, TypeError):
        lines = [line for line in (stderr or stdout).splitlines() if line.strip()]
        return (lines or ["the command gave no reason"])[-1].removeprefix("error: ")


def register(vfa: click.Group) -> None:
    """Replace `vfa user` by one that also reaches databases, and add `vfa token`."""
    vfa.add_command(user_commands(_users_options))
    vfa.add_command(token)


def _database_options(command: Command) -> Command:
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


def _users_options(command: Command) -> Command:
    """Pass `users`: of the gallery at an address if one is given, else of a database."""

    @functools.partial(connection_options, default_url=None)
    @_database_options
    @functools.wraps(command)
    def wrapped(
        base_url: str | None,
        token: str | None,
        timeout: float,
        state: Path | None,
        wrangler: str | None,
        config: Path,
        environment: str | None,
        **others: Any,
    ) -> None:
        with ExitStack() as stack:
            users: Users
            if base_url and not (state or wrangler):
                if not token:
                    raise Problem(
                        f"{base_url} needs an operator's token in VFA_TOKEN; "
                        "--state and --wrangler reach a database"
                    )
                users = GalleryUsers(stack.enter_context(open_gallery(base_url, token, timeout)))
            else:
                users = DatabaseUsers(open_database(state, wrangler, config, environment))
            command(users=users, **others)

    return wrapped


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
@_database_options
def token(
    username: str,
    hours: float,
    operator: bool,
    as_json: bool,
    state: Path | None,
    wrangler: str | None,
    config: Path,
    environment: str | None,
) -> None:
    """Print a token for a user, and nothing else.

    It is signed with the gallery's secret: of the local stack, or AUTH_JWT_SECRET.

    \b
    Example:
      export VFA_TOKEN=$(vfa token ann)
    """
    database = open_database(state, wrangler, config, environment)
    user_id = find_user(database, username)
    signed, end = sign_token(user_id, database.jwt_secret(), seconds=round(hours * 3600), operator=operator)
    click.echo(json.dumps({"token": signed, "userId": user_id, "expiresAt": end}) if as_json else signed)


def _program(project: Path, name: str) -> str:
    folder = project / ".venv" / "bin"
    found = shutil.which(name, path=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}")
    if not found:
        raise Problem(f"{name} is not installed; run `make setup` in {project}")
    return found


def _run(command: Sequence[str], folder: Path, stdin: str = "") -> str:
    """Standard output of a command; the end of its output becomes the Problem when it fails."""
    path = f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            env={**os.environ, "PATH": path},
        )
    except subprocess.TimeoutExpired:
        raise Problem(f"{Path(command[0]).name} gave no answer within {TIMEOUT_SECONDS} s") from None
    if done.returncode:
        raise Problem(failure(done.stdout, done.stderr))
    return done.stdout


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
