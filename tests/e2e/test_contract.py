"""The OpenAPI document against the running system: calls right and wrong, by all kinds of callers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.support.e2e.accounts import Account, AccountFactory, artist_of
from tests.support.pictures import jpeg
from tools import stack as local_stack

CONFIG = Path(__file__).with_name("schemathesis.toml")
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SECONDS = 240


@pytest.fixture
def artist(account: AccountFactory) -> Account:
    """An artist with something to read, change and remove."""
    made = account(limit=1000)
    for seed in (1, 2, 3):
        assert made.create(made.upload(jpeg(64, 48, seed)), f"Study {seed}").status_code == 201
    return made


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


def test_an_artist_finds_what_the_document_says(gallery_url: str, artist: Account, tmp_path: Path) -> None:
    check(gallery_url, tmp_path, artist.headers)


def test_an_operator_finds_what_the_document_says(
    gallery_url: str, operator: httpx.Client, artist: Account, tmp_path: Path
) -> None:
    assert artist.token
    # It would suspend and rename whoever it finds, itself and the accounts of other tests included.
    spared = ("--exclude-operation-id", "changeUser")
    check(gallery_url, tmp_path, {"Authorization": operator.headers["authorization"]}, *spared)


def test_an_operator_changes_users_as_the_document_says(state: Path, tmp_path: Path) -> None:
    with local_stack.running(state) as stack, artist_of(stack, "boss", operator=True) as boss:
        check(stack.url, tmp_path, boss.headers, "--include-operation-id", "changeUser")


def test_anybody_finds_what_the_document_says(gallery_url: str, artist: Account, tmp_path: Path) -> None:
    assert artist.token
    check(gallery_url, tmp_path, {})
