"""Reach a gallery's D1 database and secrets: through the local runtime, or through Wrangler."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from vfa_gallery.command.problem import Problem

TIMEOUT_SECONDS = 120
PROJECT_MARK = Path("runtime", "main.mjs")

Parameter = str | int | None
Row = dict[str, Any]


class Database(Protocol):
    """Where users are kept."""

    def query(self, sql: str, params: Sequence[Parameter] = ()) -> list[Row]:
        """Rows of one statement."""
        ...

    def jwt_secret(self) -> str:
        """What tokens are signed with; known after a query."""
        ...


def find_project() -> Path:
    """The checkout with the local runtime: around the environment, above the folder, or $VFA_PROJECT."""
    starts = [Path(sys.prefix).parent, Path.cwd(), *Path.cwd().parents]
    if named := os.environ.get("VFA_PROJECT"):
        starts.append(Path(named))
    for start in starts:
        if (start / PROJECT_MARK).is_file():
            return start.resolve()
    raise Problem("no gallery project here; go to its folder, or set VFA_PROJECT to it")


def _program(project: Path, name: str) -> str:
    folder = project / ".venv" / "bin"
    found = shutil.which(name, path=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}")
    if not found:
        raise Problem(f"{name} is not installed; run `make setup` in {project}")
    return found


def _run(command: Sequence[str], folder: Path, stdin: str = "") -> str:
    """Standard output of a command; its last words become the Problem when it fails."""
    path = f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs, arguments never pass a shell
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


def failure(stdout: str, stderr: str) -> str:
    """The sentence in what a failed command printed: Wrangler's JSON, or the last line.

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


@dataclass(slots=True)
class LocalDatabase:
    """The D1 database of `make dev`, which may run or not."""

    project: Path
    state: Path
    _secrets: dict[str, str] = field(default_factory=dict)

    def query(self, sql: str, params: Sequence[Parameter] = ()) -> list[Row]:
        command = [_program(self.project, "node"), str(PROJECT_MARK), "sql", "--state", str(self.state)]
        answer = json.loads(_run(command, self.project, json.dumps({"sql": sql, "params": list(params)})))
        self._secrets = answer["secrets"]
        rows: list[Row] = answer["rows"]
        return rows

    def jwt_secret(self) -> str:
        return self._secrets["AUTH_JWT_SECRET"]


def literal(value: Parameter) -> str:
    """A value as SQL text, for `wrangler d1 execute`, which takes no parameters.

    >>> literal("d'Arc"), literal(3), literal(None)
    ("'d''Arc'", '3', 'NULL')
    """
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


def inline(sql: str, params: Sequence[Parameter]) -> str:
    """The statement with its `?` replaced by literals.

    >>> inline("SELECT ? WHERE a = ?", [1, "what?"])
    "SELECT 1 WHERE a = 'what?'"
    """
    parts = sql.split("?")
    if len(parts) != len(params) + 1:
        raise ValueError("as many parameters as question marks")
    values = [*map(literal, params), ""]
    return "".join(part + value for part, value in zip(parts, values, strict=True))


@dataclass(slots=True)
class WranglerDatabase:
    """The D1 database named in a wrangler.toml, through `wrangler d1 execute`."""

    config: Path
    remote: bool
    environment: str | None = None

    def query(self, sql: str, params: Sequence[Parameter] = ()) -> list[Row]:
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
