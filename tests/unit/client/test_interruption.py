"""The `vfa upload` process, interrupted and killed, against a gallery that speaks the contract."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.client.contract import PICTURE, TOKEN, Contract, refusal

VFA = Path(sys.executable).parent / "vfa"
FILES = 12
REPROCESS = "POST /api/artworks/[^/]+/reprocess"


@dataclass(frozen=True, slots=True)
class Start:
    """Starts `vfa` with these words or others."""

    words: tuple[str, ...]
    environment: dict[str, str]

    def __call__(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(VFA), *(words or self.words)],
            env=os.environ | self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hear_ctrl_c,
        )


def _hear_ctrl_c() -> None:
    """As a terminal starts a command; a shell's background jobs, maybe these tests, are deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(contract: Contract, tmp_path: Path) -> Start:
    """An upload of twelve pictures; rendering takes the gallery a while."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:02}.jpg").write_bytes(PICTURE + bytes([number]))
        contract.order("POST /api/artworks", delay=0.15)
    environment = {
        "VFA_BASE_URL": contract.url,
        "VFA_TOKEN": TOKEN,
        "XDG_CONFIG_HOME": str(tmp_path / "home"),
    }
    return Start(("upload", str(folder), "--title-from-name", "--parallel", "2", "--json"), environment)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.01)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=20)
    return process.returncode, stdout, stderr


def test_ctrl_c_ends_in_order_and_the_same_command_goes_on(contract: Contract, start: Start) -> None:
    process = start()
    until(lambda: len(contract.artworks) >= 2)
    process.send_signal(signal.SIGINT)
    status, stdout, stderr = finish(process)
    counts = json.loads(stdout)["counts"]
    assert status == 130
    assert "press Ctrl-C again" in stderr
    assert counts["arrived"] == len(contract.artworks) < FILES
    assert counts["arrived"] + counts["left"] == FILES
    status, stdout, _ = finish(start())
    assert status == 0
    assert json.loads(stdout)["counts"]["known"] == counts["arrived"]
    assert len(contract.artworks) == FILES


def test_a_second_ctrl_c_ends_at_once_and_loses_nothing(contract: Contract, start: Start) -> None:
    contract.faults.clear()
    for _ in range(2):
        contract.order("POST /api/artworks", delay=8)
    process = start()
    until(lambda: len(contract.calls("POST /api/artworks")) == 2)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    assert "press Ctrl-C again" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    status, stdout, _ = finish(process)
    assert (status, stdout) == (130, "")  # an end in order would have counted what arrived
    assert finish(start())[0] == 0
    assert len(contract.artworks) == FILES
    assert len(contract.calls("PUT .*")) == FILES


def test_a_killed_upload_goes_on_with_each_file_exactly_once(contract: Contract, start: Start) -> None:
    for enough in (1, 4, 7):
        process = start()
        until(lambda enough=enough: len(contract.artworks) >= enough)  # type: ignore[misc]
        process.kill()
        finish(process)
    status, stdout, _ = finish(start())
    assert status == 0
    assert json.loads(stdout)["counts"]["failed"] == 0
    assert sorted(each["title"] for each in contract.artworks.values()) == [f"{n:02}" for n in range(FILES)]


def test_uploading_again_goes_on_after_ctrl_c_and_makes_no_third_copy(
    contract: Contract, start: Start
) -> None:
    assert finish(start())[0] == 0
    again = (*start.words, "--again")
    for _ in range(FILES):
        contract.order("POST /api/artworks", delay=0.15)
    process = start(*again)
    until(lambda: len(contract.artworks) >= FILES + 2)
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == 130
    assert len(contract.artworks) < 2 * FILES
    status, stdout, _ = finish(start(*again))
    assert status == 0
    assert json.loads(stdout)["counts"]["known"] >= 2
    assert len(contract.artworks) == 2 * FILES


def test_rendering_again_goes_on_after_ctrl_c(contract: Contract, start: Start) -> None:
    contract.faults.clear()
    assert finish(start())[0] == 0
    for _ in range(FILES):
        contract.order(REPROCESS, delay=0.15)
    process = start("reprocess", "--all")
    until(lambda: len(contract.calls(REPROCESS)) >= 5)
    process.send_signal(signal.SIGINT)
    status, _, stderr = finish(process)
    assert status == 130
    assert "left; the same command continues" in stderr
    status, stdout, _ = finish(start("reprocess", "--all", "--json"))
    report = json.loads(stdout)
    assert (status, report["failed"]) == (0, [])
    assert report["renderedBefore"] >= 1
    assert report["rendered"] + report["renderedBefore"] == FILES


def test_one_ctrl_c_does_not_wait_for_other_tries(contract: Contract, start: Start) -> None:
    contract.faults.clear()
    assert finish(start())[0] == 0
    for _ in range(200):
        contract.order(REPROCESS, refusal(503, "overloaded", "Later.", Retry_After="8"))
    process = start("reprocess", "--all", "--json")
    until(lambda: len(contract.calls(REPROCESS)) >= 2)
    interrupted = time.monotonic()
    process.send_signal(signal.SIGINT)
    status, stdout, _ = finish(process)
    assert time.monotonic() - interrupted < 4
    assert (status, json.loads(stdout)["left"]) == (130, FILES)


def test_a_second_ctrl_c_ends_rendering_again_at_once(contract: Contract, start: Start) -> None:
    contract.faults.clear()
    assert finish(start())[0] == 0
    for _ in range(2):
        contract.order(REPROCESS, delay=8)
    process = start("reprocess", "--all")
    until(lambda: len(contract.calls(REPROCESS)) == 2)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    assert "press Ctrl-C again" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    interrupted = time.monotonic()
    assert finish(process)[0] == 130
    assert time.monotonic() - interrupted < 4


@pytest.mark.parametrize("words", ["list", "list --json", "upload pictures --title A", "reprocess --all"])
def test_ctrl_c_is_status_130_before_there_is_anything_to_end(
    contract: Contract, start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    contract.order("GET .*", delay=8)
    process = start(*words.split())
    until(lambda: len(contract.seen) == 1)
    process.send_signal(signal.SIGINT)
    status, stdout, stderr = finish(process)
    assert (status, stdout) == (130, "")
    assert "interrupted" in stderr
    assert "Traceback" not in stderr


def test_ctrl_c_at_a_question_is_status_130(contract: Contract, start: Start) -> None:
    contract.faults.clear()
    assert finish(start())[0] == 0
    process = start("rm", *list(contract.artworks)[:1])
    assert process.stderr
    assert process.stderr.read(6) == "Remove"
    process.send_signal(signal.SIGINT)
    status, _, stderr = finish(process)
    assert status == 130
    assert stderr.endswith("error: interrupted\n")
    assert contract.calls("DELETE .*") == []


def test_what_was_removed_before_ctrl_c_is_said(contract: Contract, start: Start) -> None:
    contract.faults.clear()
    assert finish(start())[0] == 0
    first, second, third = list(contract.artworks)[:3]
    contract.order(f"DELETE /api/artworks/{second}", delay=1)
    process = start("rm", first, second, third, "--yes", "--json")
    until(lambda: len(contract.calls("DELETE .*")) == 2)
    process.send_signal(signal.SIGINT)
    status, stdout, _ = finish(process)
    assert status == 130
    assert json.loads(stdout) == {"removed": [first, second], "failed": [], "left": [third]}
