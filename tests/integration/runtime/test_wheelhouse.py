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

ROOT = Path(__file__).resolve().parents[3]


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
    monkeypatch.setattr(wheelhouse, "wanted", lambda: digests)
    monkeypatch.setattr(wheelhouse, "from_carrier", lambda _: made.get)
    return made


def test_files_come_from_the_first_source_that_has_their_bytes(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", lambda _: b"an error page")
    wheelhouse.fill(tmp_path / "house")
    for name, data in files.items():
        assert (tmp_path / "house" / name).read_bytes() == data
    assert (tmp_path / "house/system/libssl.so").read_bytes() == b"library"


def test_a_full_house_asks_nobody(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", files.get)
    wheelhouse.fill(tmp_path / "house")
    monkeypatch.setattr(wheelhouse, "from_cdn", lambda _: pytest.fail("asked again"))
    wheelhouse.fill(tmp_path / "house")


def test_a_corrupt_file_is_named(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", files.get)
    wheelhouse.fill(tmp_path)
    (tmp_path / "ssl-1.whl").write_bytes(b"corrupt")
    with pytest.raises(Problem, match=r"ssl-1\.whl does not have the SHA-256"):
        wheelhouse.fill(tmp_path)


@pytest.mark.usefixtures("files")
def test_a_file_that_no_source_has_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", lambda _: None)
    monkeypatch.setattr(wheelhouse, "from_carrier", lambda _: lambda _: None)
    with pytest.raises(Problem, match="no source has"):
        wheelhouse.fill(tmp_path / "house")


def test_what_was_fetched_and_unpacked_is_listed_by_digest(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", files.get)
    wheelhouse.fill(tmp_path)
    lines = (tmp_path / wheelhouse.SUMS).read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(listed) == {*files, "system/ssl.py", "system/libssl.so"}
    for name, digest in listed.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


def test_a_library_that_was_broken_is_laid_out_anew(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "from_cdn", files.get)
    wheelhouse.fill(tmp_path)
    (tmp_path / "system/libssl.so").write_bytes(b"half")
    wheelhouse.fill(tmp_path)
    assert (tmp_path / "system/libssl.so").read_bytes() == b"library"


def test_an_answer_that_is_cut_short_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_short(*_: object, **__: object) -> None:
        raise http.client.IncompleteRead(b"half")

    monkeypatch.setattr(urllib.request, "urlopen", cut_short)
    assert wheelhouse.from_cdn("ssl-1.whl") is None


def test_a_carrier_that_cannot_be_downloaded_is_asked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(wheelhouse, "download_carrier", asked.append)
    source = wheelhouse.from_carrier(tmp_path / "carrier")
    assert source("ssl-1.whl") is None
    assert source("libopenssl-1.zip") is None
    assert asked == [tmp_path / "carrier"]


def test_a_long_download_says_how_much_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wheelhouse, "REPORT_SECONDS", 0.05)
    (tmp_path / "part").write_bytes(bytes(7_000_000))
    waits = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE) as process:
        assert process.stdin
        ending = threading.Timer(1, process.stdin.close)
        ending.start()
        wheelhouse.report_growth(process, tmp_path)
    assert capsys.readouterr().out.startswith(" 7 MB 7 MB")


def test_the_lock_names_the_official_pillow() -> None:
    name = "pillow-11.3.0-cp313-cp313-pyodide_2025_0_wasm32.whl"
    assert wheelhouse.wanted()[name].startswith("52984112ca668d60")
