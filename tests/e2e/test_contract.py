"""The OpenAPI document against the running system: calls of a user, of an operator and without a token."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
from tests.support.e2e.accounts import Account, AccountFactory, artist_of
from tests.support.pictures import jpeg
from tools import stack as local_stack

CONFIG = Path(__file__).with_name("schemathesis.toml")
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SECONDS = 240


def with_artworks(user: Account) -> Account:
    """The user, with something to read, change and remove."""
    for seed in (1, 2, 3):
        assert user.create(user.upload(jpeg(64, 48, seed)), f"Study {seed}").status_code == 201
    return user


def check(gallery_url: str, folder: Path, headers: dict[str, str], *options: str) -> None:
    """Run every phase and every check; the output is the failure's message."""
    words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command: list[str | Path] = [
        SCHEMATHESIS,
        "--config-file",
        CONFIG,
        "run",
        f"{gallery_url}/openapi.json",
        "--checks",
        "all",
    ]
    done = subprocess.run(
        [*command, "--continue-on-failure", "--suppress-health-check", "all", *words, *options],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=folder,
        env={**os.environ, "COLUMNS": "120"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_users_calls_are_answered_as_documented(
    gallery_url: str, account: AccountFactory, tmp_path: Path
) -> None:
    check(gallery_url, tmp_path, with_artworks(account(limit=1000)).headers)


def test_an_operators_calls_are_answered_as_documented(state: Path, tmp_path: Path) -> None:
    """On a stack of its own: an operator suspends and renames whoever there is."""
    with (
        local_stack.running(state) as stack,
        artist_of(stack, "ann") as artist,
        artist_of(stack, "boss", operator=True) as boss,
    ):
        with_artworks(artist)
        document = httpx.get(f"{stack.url}/openapi.json").json()
        operations = [
            each for path in document["paths"].values() for each in path.values() if "summary" in each
        ]
        names = [each["operationId"] for each in operations if "for operators" in each["summary"]]
        assert len(names) > 5
        check(stack.url, tmp_path, boss.headers, *(f"--include-operation-id={name}" for name in names))


def test_calls_without_a_token_are_answered_as_documented(
    gallery_url: str, account: AccountFactory, tmp_path: Path
) -> None:
    """Most calls are refused alike, whatever is in them: no random ones are made."""
    with_artworks(account())
    check(gallery_url, tmp_path, {}, "--phases", "examples,coverage")
