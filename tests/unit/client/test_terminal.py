"""The `vfa` process on a terminal: bars, folded tables, Ctrl-C, and terminals that know ASCII alone."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.client.contract import PICTURE, TOKEN, Contract
from tests.support.client.shell import Shell, uploaded

pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")

VFA = Path(sys.executable).parent / "vfa"
SECONDS = 30
HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CTRL_C = b"\x03"


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    screen: bytes

    @property
    def text(self) -> str:
        return ESCAPES.sub("", self.screen.decode())


Key = tuple[Callable[[bytes], bool], bytes]


def run(
    words: Sequence[str], environment: dict[str, str], keys: Sequence[Key] = (), width: int = 72
) -> Ended:
    """Run `vfa` on a terminal; each key is pressed once its condition holds for what is on the screen."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(VFA, [str(VFA), *words], os.environ | environment)  # noqa: S606
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    screen, left, end = b"", list(keys), time.monotonic() + SECONDS
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                block = os.read(terminal, 4096)
            except OSError:  # how Linux says that the other side is closed
                break
            if not block:
                break
            screen += block
        if left and left[0][0](screen):
            os.write(terminal, left.pop(0)[1])
    else:
        os.kill(child, 9)
    os.close(terminal)
    return Ended(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), screen)


@pytest.fixture
def environment(contract: Contract, tmp_path: Path) -> dict[str, str]:
    home = str(tmp_path / "home")
    return {"VFA_URL": contract.url, "VFA_TOKEN": TOKEN, "XDG_CONFIG_HOME": home, "TERM": "xterm-256color"}


def shows(text: str) -> Callable[[bytes], bool]:
    return lambda screen: text.encode() in screen


def test_a_second_ctrl_c_ends_at_once_and_shows_the_cursor(
    contract: Contract, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "dusk.jpg").write_bytes(PICTURE)
    contract.order("POST /api/artworks", delay=8)
    keys = [(shows("rendering"), CTRL_C), (shows("press Ctrl-C again"), CTRL_C)]
    started = time.monotonic()
    ended = run(["upload", str(tmp_path / "dusk.jpg")], environment, keys)
    assert ended.status == 130
    assert time.monotonic() - started < 8
    assert ended.screen.rfind(SHOWN) > ended.screen.rfind(HIDDEN) >= 0
    assert "Traceback" not in ended.text


def test_the_first_ctrl_c_finishes_what_is_rendered_and_tells_true_totals(
    contract: Contract, environment: dict[str, str], tmp_path: Path
) -> None:
    for number in range(4):
        (tmp_path / f"{number}.jpg").write_bytes(PICTURE + bytes([number]))
        contract.order("POST /api/artworks", delay=0.5)
    words = ["upload", str(tmp_path), "--parallel", "1"]
    ended = run(words, environment, [(shows("rendering"), CTRL_C)])
    assert ended.status == 130
    assert ended.screen.rfind(SHOWN) > ended.screen.rfind(HIDDEN) >= 0
    assert "1 arrived, 0 failed, 3 left; the same command continues" in ended.text
    assert len(contract.artworks) == 1
    assert "4 of 4" not in ended.text
    assert "3 arrived, 1 there before" in run(words, environment).text


def test_ids_are_folded_and_not_cut_on_a_narrow_terminal(
    shell: Shell, contract: Contract, folder: Path, environment: dict[str, str]
) -> None:
    made = uploaded(shell, folder)
    long = "art_0123456789abcdef0123456789abcdef"
    contract.artworks[long] = contract.artworks.pop(made) | {"id": long, "iconUrl": None}
    contract.revisions[long] = contract.revisions.pop(made)
    listed = run(["list"], environment, width=60).text
    rows = [line.split("│") for line in listed.splitlines() if line.startswith("│")]
    assert "".join(row[1].strip() for row in rows) == long
    assert "…" not in listed
    assert long in "".join(run(["show", long], environment, width=30).text.split())


def test_an_ascii_terminal_gets_no_traceback(shell: Shell, folder: Path, environment: dict[str, str]) -> None:
    made = uploaded(shell, folder, title="Étude № 1")
    ascii_only = environment | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    for words in (["list"], ["show", made], ["upload", str(folder / "dawn.jpg"), "--again"]):
        ended = run(words, ascii_only)
        assert ended.status == 0, ended.text
        assert ended.text.isascii()
        assert "Traceback" not in ended.text
        command = [str(VFA), *words]
        piped = subprocess.run(command, env=os.environ | ascii_only, capture_output=True, timeout=SECONDS)
        assert piped.returncode == 0, piped.stderr
        assert b"Traceback" not in piped.stderr
