"""How every command ends: a sentence or JSON on standard error, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.client.shell import Shell

from vfa_gallery.command import output


def test_a_refusal_is_one_sentence_with_its_request(shell: Shell) -> None:
    done = shell("me", VFA_TOKEN="wrong")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "error: Please sign in. The gallery does not accept this token: "
        "check that VFA_TOKEN is complete and of this gallery. (request req-1)\n"
    )
    done = shell("me", "--json", VFA_TOKEN="wrong")
    answer = json.loads(done.stderr)
    assert answer.pop("detail").startswith("The gallery does not accept this token")
    assert answer == {"error": "Please sign in.", "code": "unauthorized", "requestId": "req-1"}


def test_an_address_that_is_none_is_one_sentence(shell: Shell) -> None:
    done = shell("me", "--base-url", "gallery.example")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: not the address of a gallery")


@pytest.mark.parametrize(
    ("words", "status", "code", "message"),
    [
        ("user add a/b", 1, "impossible", "a username is 1 to 64 letters"),
        ("smoke --base-url x", 1, "impossible", "not the address of a gallery"),
        ("edit art_1", 1, "impossible", "nothing to change"),
        ("upload . --title A --journal .", 1, "journal_problem", "cannot write or read .:"),
        ("upload none.jpg --title A --title-from-name", 2, "wrong_usage", "give either"),
        ("reprocess", 2, "wrong_usage", "give artworks, --mine or --tag, or --all"),
        ("list --no-such-option", 2, "wrong_usage", "No such option"),
        ("rm", 2, "wrong_usage", "give artworks, or --mine"),
        ("sweep", 1, "not_confirmed", "nothing was done"),
        ("show art_none", 1, "not_found", "There is no such artwork."),
    ],
)
def test_every_refusal_is_json_on_standard_error_when_asked_for(
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    words: str,
    status: int,
    code: str,
    message: str,
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("VFA_PROJECT", str(Path(__file__).parents[3]))
    done = shell(*words.split(), "--json")
    assert (done.exit_code, done.stdout) == (status, "")
    said = json.loads(done.stderr[done.stderr.index("{") :])
    assert set(said) == {"error", "code", "requestId"}
    assert said["code"] == code
    assert message in said["error"]


def test_wrong_usage_shows_the_usage_to_people(shell: Shell) -> None:
    done = shell("reprocess")
    assert done.exit_code == 2
    assert done.stderr.startswith("Usage: vfa reprocess [OPTIONS]")


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["words", "JSON"])
def test_ctrl_c_is_status_130_in_any_command(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(output, "print_json" if words else "console", interrupt)
    done = shell("list", *words)
    assert done.exit_code == 130
    assert "interrupted" in done.stderr


def test_what_the_system_refuses_is_one_sentence(
    shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    done = shell("upload", str(folder), "--title-from-name")
    assert (done.exit_code, done.stderr) == (1, f"error: {folder}: Permission denied\n")


def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(shell: Shell) -> None:
    done = shell("me", VFA_TOKEN="secret €")
    assert done.exit_code == 1
    assert done.stderr == "error: the token has characters that no token has; copy it again, into VFA_TOKEN\n"
    assert shell("me", VFA_TOKEN=shell.environment["VFA_TOKEN"] + "\n").exit_code == 0
