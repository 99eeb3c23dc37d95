"""Many files, some of them bad: the good ones arrive once, memory stays flat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.client.contract import BAD, PICTURE, TOKEN, Contract

MEGABYTE = bytes(1 << 20)
FILES = 60
FEW = 6
MOST_GROWTH_KIB = 10 * 1024
PROGRAM = """
import atexit, pathlib, re, sys
from vfa_gallery.command import main
def peak():
    found = re.search("VmHWM: *([0-9]+)", pathlib.Path("/proc/self/status").read_text().replace("\\t", " "))
    print(found[1], file=sys.stderr)
atexit.register(peak)
main()
"""


def fill(folder: Path, files: int) -> None:
    """Every twentieth file is broken; no two folders have the same content."""
    folder.mkdir()
    for number in range(files):
        content = f"{folder.name} {number}".encode()
        ending = content + (BAD if number % 20 == 19 else b"")
        (folder / f"{number:02}.jpg").write_bytes(PICTURE + MEGABYTE + ending)


def peak_of(contract: Contract, folder: Path, home: Path) -> tuple[dict[str, int], int]:
    """Counts of an upload, and the most memory that its process had, in KiB."""
    words = ["upload", str(folder), "--title-from-name", "--json"]
    environment = {"VFA_BASE_URL": contract.url, "VFA_TOKEN": TOKEN, "XDG_CONFIG_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return json.loads(done.stdout)["counts"], int(done.stderr)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_sixty_files_take_no_more_memory_than_six(contract: Contract, tmp_path: Path) -> None:
    fill(tmp_path / "few", FEW)
    fill(tmp_path / "many", FILES)
    _, little = peak_of(contract, tmp_path / "few", tmp_path / "home")
    contract.artworks.clear()
    counts, most = peak_of(contract, tmp_path / "many", tmp_path / "home")
    assert counts == {"arrived": 57, "known": 0, "failed": 3, "left": 0}
    good = [f"{number:02}" for number in range(FILES) if number % 20 != 19]
    assert sorted(each["title"] for each in contract.artworks.values()) == good
    assert most - little < MOST_GROWTH_KIB
