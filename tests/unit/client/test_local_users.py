"""`vfa user` and `vfa token` with the plug-in of this repository, over the real schema in sqlite."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click
import jwt
import pytest
from click.testing import CliRunner, Result
from tests.support.client.shell import Shell
from tools import local_users
from tools.local_users import Parameter, Row, WranglerDatabase, find_project

from vfa_gallery.command.app import vfa
from vfa_gallery.command.problem import Problem

ROOT = Path(__file__).resolve().parents[3]
SECRET = "s" * 64
ACTIVE = {"status": "active", "tokensValidAfter": None}


class SqliteDatabase:
    """The users of a gallery, in memory."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.executescript((ROOT / "schema.sql").read_text())

    def query(self, sql: str, params: Sequence[Parameter] = (), *, create: bool = False) -> list[Row]:
        del create
        return [dict(row) for row in self.connection.execute(sql, params).fetchall()]

    def jwt_secret(self) -> str:
        return SECRET


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase()
    monkeypatch.setattr(local_users, "open_database", lambda *_: database)
    yield database
    database.connection.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(vfa, list(arguments))


@pytest.mark.usefixtures("database")
def test_a_new_user_gets_an_id_and_the_default_limit() -> None:
    done = run("user", "add", "ann", "--json")
    answer = json.loads(done.stdout)
    assert answer["id"].startswith("usr_")
    assert (answer["username"], answer["artworkLimit"], answer["created"]) == ("ann", 50, True)


@pytest.mark.usefixtures("database")
def test_adding_a_name_again_keeps_the_id_and_the_limit_and_says_so() -> None:
    first = run("user", "add", "ann", "--limit", "7")
    again = run("user", "add", "ann")
    assert again.stdout == first.stdout
    assert again.stderr == "ann was there already, limit 7\n"


def test_adding_a_name_again_with_a_limit_changes_only_the_limit(database: SqliteDatabase) -> None:
    run("user", "add", "ann", "--limit", "7")
    database.query("UPDATE users SET artwork_count = 5")
    again = run("user", "add", "ann", "--limit", "9")
    assert again.stderr == "ann was there already; the limit is 9 now\n"
    (row,) = database.query("SELECT artwork_limit, artwork_count FROM users")
    assert row == {"artwork_limit": 9, "artwork_count": 5}


def test_people_are_listed_with_their_artworks_and_limits(database: SqliteDatabase) -> None:
    assert run("user", "list").stdout == ""
    ids = {name: run("user", "add", name, "--limit", "7").stdout.strip() for name in ("zoe", "Ann")}
    database.query("UPDATE users SET artwork_count = 5 WHERE username = 'zoe'")
    assert json.loads(run("user", "list", "--json").stdout) == [
        {"id": ids[name], "username": name, "artworkLimit": 7, "artworkCount": count, **ACTIVE}
        for name, count in (("Ann", 0), ("zoe", 5))
    ]
    shown = run("user", "list").stdout
    assert ids["zoe"] in shown
    assert shown.index("Ann") < shown.index("zoe")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 65, "a'b", "a\n"])
def test_a_name_that_would_not_fit_a_url_is_refused(database: SqliteDatabase, name: str) -> None:
    done = run("user", "add", name)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: a username is 1 to 64")
    assert database.query("SELECT * FROM users") == []


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", ["कलाकार", "ศิลปิน"])
def test_a_name_of_any_script_is_taken(name: str) -> None:
    assert json.loads(run("user", "add", name, "--json").stdout)["username"] == name


def test_a_user_is_renamed_suspended_and_signed_out_in_the_database(database: SqliteDatabase) -> None:
    user_id = run("user", "add", "ann").stdout.strip()
    run("user", "add", "bob")
    assert run("user", "rename", "ann", "anna").exit_code == 0
    assert run("user", "suspend", "anna").exit_code == 0
    since = int(time.time() * 1000)
    assert run("user", "revoke", "anna").exit_code == 0
    (row,) = database.query("SELECT * FROM users WHERE id = ?", [user_id])
    assert (row["username"], row["status"]) == ("anna", "suspended")
    assert since <= row["tokens_valid_after"] <= time.time() * 1000
    listed = {each["username"]: each for each in json.loads(run("user", "list", "--json").stdout)}
    revoked = datetime.fromisoformat(listed["anna"]["tokensValidAfter"])
    assert round(revoked.timestamp() * 1000) == row["tokens_valid_after"]
    assert run("user", "activate", "anna").exit_code == 0
    assert database.query("SELECT status FROM users WHERE id = ?", [user_id]) == [{"status": "active"}]
    taken = run("user", "rename", "anna", "bob")
    assert (taken.exit_code, taken.stderr) == (1, "error: bob is the name of another user\n")
    assert run("user", "rename", "anna", "a b").stderr.startswith("error: a username is 1 to 64")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("words", [["suspend"], ["activate"], ["revoke"], ["rename", "new"]])
def test_nobody_cannot_be_changed(words: list[str]) -> None:
    done = run("user", words[0], "nobody", *words[1:])
    assert done.exit_code == 1
    assert done.stderr == "error: there is no user nobody; add one with: vfa user add nobody\n"


def test_an_address_without_a_token_is_one_sentence(shell: Shell) -> None:
    done = shell("user", "list", VFA_TOKEN="")
    assert done.exit_code == 1
    assert "needs an operator's token in VFA_TOKEN" in done.stderr


def test_a_database_that_is_named_comes_before_an_address(shell: Shell, database: SqliteDatabase) -> None:
    assert shell("user", "add", "ann", "--state", "somewhere").exit_code == 0
    assert [row["username"] for row in database.query("SELECT username FROM users")] == ["ann"]


@pytest.mark.usefixtures("database")
def test_a_token_that_no_gallery_would_accept_is_not_made() -> None:
    run("user", "add", "ann")
    assert run("token", "ann", "--hours", "720").exit_code == 0
    assert run("token", "ann", "--hours", "721").exit_code == 2


@pytest.mark.usefixtures("database")
def test_a_token_names_the_user_and_ends() -> None:
    user_id = run("user", "add", "ann").stdout.strip()
    printed = run("token", "ann", "--hours", "2").stdout
    claims = jwt.decode(printed.removesuffix("\n"), SECRET, algorithms=["HS256"])
    assert claims["sub"] == user_id
    assert 7199 < claims["exp"] - claims["iat"] <= 7200
    assert "role" not in claims


@pytest.mark.usefixtures("database")
def test_an_operator_token_says_so() -> None:
    run("user", "add", "ann")
    printed = json.loads(run("token", "ann", "--operator", "--json").stdout)
    assert jwt.decode(printed["token"], SECRET, algorithms=["HS256"])["role"] == "operator"


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("username", ["", ".", "..", "a/b", "a b", "x" * 65])
def test_a_username_that_no_address_can_hold_is_refused(username: str) -> None:
    done = run("user", "add", "--", username)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: a username is 1 to 64 letters")


@pytest.mark.usefixtures("database")
def test_a_token_for_nobody_is_one_sentence_and_status_1() -> None:
    done = run("token", "nobody")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr == "error: there is no user nobody; add one with: vfa user add nobody\n"


def test_the_project_is_found_from_a_folder_below_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "elsewhere"))
    monkeypatch.chdir(ROOT / "tests" / "unit" / "client")
    assert find_project() == ROOT


def test_outside_a_project_the_sentence_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("VFA_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Problem, match="VFA_PROJECT"):
        find_project()
    monkeypatch.setenv("VFA_PROJECT", str(ROOT))
    assert find_project() == ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose `wrangler` says what it was asked and answers one row."""
    program = tmp_path / "node_modules" / ".bin" / "wrangler"
    program.parent.mkdir(parents=True)
    program.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        'sql = sys.argv[sys.argv.index("--command") + 1]\n'
        'print(json.dumps({"error": {"text": "D1 is away"}} if "away" in sql'
        ' else [{"results": [{"sql": sql, "words": sys.argv[2:]}]}]))\n'
        'sys.exit("away" in sql)\n'
    )
    program.chmod(0o755)
    (tmp_path / "wrangler.toml").touch()
    return tmp_path


def test_wrangler_gets_values_as_quoted_literals(project: Path) -> None:
    database = WranglerDatabase(project / "wrangler.toml", remote=True, environment="staging")
    (row,) = database.query("SELECT ? FROM x WHERE a = ?", [None, "it's"])
    assert row["sql"] == "SELECT NULL FROM x WHERE a = 'it''s'"
    assert row["words"][:5] == ["execute", "DB", "--json", "--yes", "--remote"]
    assert row["words"][7:9] == ["--env", "staging"]


def test_what_wrangler_complains_about_becomes_the_sentence(project: Path) -> None:
    with pytest.raises(Problem, match=r"^D1 is away$"):
        WranglerDatabase(project / "wrangler.toml", remote=False).query("SELECT 'away'")


def test_the_secret_of_wrangler_dev_comes_from_its_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTH_JWT_SECRET", raising=False)
    (project / ".dev.vars").write_text('# secrets\nAUTH_JWT_SECRET="abc"\n')
    assert WranglerDatabase(project / "wrangler.toml", remote=False).jwt_secret() == "abc"
    with pytest.raises(Problem, match="AUTH_JWT_SECRET"):
        WranglerDatabase(project / "wrangler.toml", remote=True).jwt_secret()
    monkeypatch.setenv("AUTH_JWT_SECRET", "def")
    assert WranglerDatabase(project / "wrangler.toml", remote=True).jwt_secret() == "def"


def test_a_missing_wrangler_file_is_one_sentence(tmp_path: Path) -> None:
    done = run("user", "add", "ann", "--wrangler", "local", "--config", str(tmp_path / "none.toml"))
    assert done.exit_code == 1
    assert done.stderr.startswith("error: there is no ")


def test_the_last_words_of_a_failed_command_become_the_sentence() -> None:
    assert local_users.failure("", "Traceback\nerror: the schema is missing\n\n") == "the schema is missing"
    assert local_users.failure("", "") == "the command gave no reason"


def test_a_problem_is_a_click_exception_with_status_1() -> None:
    assert issubclass(Problem, click.ClickException)
    assert Problem("x").exit_code == 1


def test_the_local_database_is_reached_through_the_runtime(tmp_path: Path) -> None:
    """The whole way once: command → node → Miniflare's D1 → row."""
    command = [
        str(Path(sys.executable).parent / "vfa"),
        "user",
        "add",
        "ann",
        "--json",
        "--state",
        str(tmp_path),
    ]
    environment = {**os.environ, "VFA_PROJECT": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["created"] is True


@pytest.mark.parametrize("words", ["user list", "user suspend ann", "user rename ann bob", "token ann"])
def test_a_state_folder_that_does_not_exist_is_not_made_by_reading(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str
) -> None:
    monkeypatch.setenv("VFA_PROJECT", str(ROOT))
    done = run(*words.split(), "--state", str(tmp_path / "wrong"))
    assert done.exit_code == 1
    assert done.stderr == f"error: there is no local gallery in {tmp_path / 'wrong'}; `make dev` makes one\n"
    assert list(tmp_path.iterdir()) == []
