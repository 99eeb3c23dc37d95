"""The wheelhouse takes a file from any source, and from none with the wrong bytes."""

from __future__ import annotations

import hashlib
import http.client
import subprocess
import sys
import threading
import urllib.request
import zipfile
from pathlib import Path

import pytest
from tools import wheelhouse
from tools.problem import Problem

PYTHON = "3.13"


def archive(folder: Path, name: str, member: str) -> bytes:
    path = folder / name
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(member, b"library")
    data = path.read_bytes()
    path.unlink()
    return data


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Small stand-ins for the real files, named as wanted by the lock."""
    made = {
        "ssl-1.whl": archive(tmp_path, "ssl-1.whl", "ssl.py"),
        "libopenssl-1.zip": archive(tmp_path, "libopenssl-1.zip", "libssl.so"),
    }
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in made.items()}
    monkeypatch.setattr(wheelhouse, "wanted", lambda _: digests)
    monkeypatch.setattr(wheelhouse, "from_carrier", lambda *_: made.get)
    return made


def test_files_come_from_the_first_source_that_has_their_bytes(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", lambda _: lambda _: b"an error page")
    wheelhouse.fill(PYTHON, tmp_path)
    for name, data in files.items():
        assert (tmp_path / PYTHON / name).read_bytes() == data
    assert (tmp_path / PYTHON / "system/libssl.so").read_bytes() == b"library"


def test_a_full_house_asks_nobody(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", lambda _: files.get)
    wheelhouse.fill(PYTHON, tmp_path)
    monkeypatch.setattr(wheelhouse, "from_cdn", lambda _: lambda _: pytest.fail("asked again"))
    wheelhouse.fill(PYTHON, tmp_path)


def test_a_corrupt_file_is_named(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", lambda _: files.get)
    wheelhouse.fill(PYTHON, tmp_path)
    (tmp_path / PYTHON / "ssl-1.whl").write_bytes(b"corrupt")
    with pytest.raises(Problem, match=r"ssl-1\.whl does not have the SHA-256"):
        wheelhouse.fill(PYTHON, tmp_path)


@pytest.mark.usefixtures("files")
def test_a_file_that_no_source_has_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", lambda _: lambda _: None)
    monkeypatch.setattr(wheelhouse, "from_carrier", lambda *_: lambda _: None)
    with pytest.raises(Problem, match="no source has"):
        wheelhouse.fill(PYTHON, tmp_path)


def test_what_was_fetched_and_unpacked_is_listed_by_digest(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", lambda _: files.get)
    wheelhouse.fill(PYTHON, tmp_path)
    lines = (tmp_path / PYTHON / wheelhouse.SUMS).read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(listed) == {*files, "system/ssl.py", "system/libssl.so"}
    for name, digest in listed.items():
        assert hashlib.sha256((tmp_path / PYTHON / name).read_bytes()).hexdigest() == digest


def test_a_library_that_was_broken_is_laid_out_anew(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", lambda _: files.get)
    wheelhouse.fill(PYTHON, tmp_path)
    (tmp_path / PYTHON / "system/libssl.so").write_bytes(b"half")
    wheelhouse.fill(PYTHON, tmp_path)
    assert (tmp_path / PYTHON / "system/libssl.so").read_bytes() == b"library"


def test_an_answer_that_is_cut_short_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_short(*_: object, **__: object) -> None:
        raise http.client.IncompleteRead(b"half")

    monkeypatch.setattr(urllib.request, "urlopen", cut_short)
    assert wheelhouse.from_cdn(PYTHON)("ssl-1.whl") is None


def test_a_carrier_that_cannot_be_downloaded_is_asked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(wheelhouse, "download_carrier", lambda _, folder: asked.append(folder))
    source = wheelhouse.from_carrier(PYTHON, tmp_path / "carrier")
    assert source("ssl-1.whl") is None
    assert source("libopenssl-1.zip") is None
    assert asked == [tmp_path / "carrier"]


def progress_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows the progress of a download of 20 MB that stops at 7 MB for a second."""
    monkeypatch.setattr(wheelhouse, "REPORT_SECONDS", 0.05)
    (folder / "part").write_bytes(bytes(7_000_000))
    waits = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE) as process:
        assert process.stdin
        ending = threading.Timer(1, process.stdin.close)
        ending.start()
        wheelhouse.show_progress(process, folder, 20)


def test_a_long_download_prints_how_much_has_arrived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    progress_of(tmp_path, monkeypatch)
    assert capsys.readouterr().out.startswith("    35% 35%")


def test_a_long_download_draws_a_bar_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    progress_of(tmp_path, monkeypatch)
    drawn = capsys.readouterr().out.split("\r    ")
    assert drawn[1] == f"[{'#' * 14}{' ' * 26}]  35%"
    assert drawn[-1] == f"[{'#' * 40}] 100%"


def test_a_file_that_was_put_there_by_hand_is_taken(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", lambda _: lambda _: None)
    monkeypatch.setattr(wheelhouse, "from_carrier", lambda *_: lambda _: None)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    wheelhouse.fill(PYTHON, tmp_path)
    assert (tmp_path / PYTHON / "ssl-1.whl").read_bytes() == files["ssl-1.whl"]


@pytest.mark.parametrize(
    ("python", "name", "digest"),
    [
        ("3.13", "pillow-11.3.0-cp313-cp313-pyodide_2025_0_wasm32.whl", "52984112ca668d60"),
        ("3.14", "pillow-12.2.0-cp314-cp314-pyemscripten_2026_0_wasm32.whl", "a50d83a8a76d6467"),
    ],
)
def test_the_locks_name_the_official_pillows(python: str, name: str, digest: str) -> None:
    assert wheelhouse.wanted(python)[name].startswith(digest)
