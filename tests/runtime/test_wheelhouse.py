"""The wheelhouse takes a file from any source, and from none with the wrong bytes."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
from tools import wheelhouse
from tools.problem import Problem

ROOT = Path(__file__).resolve().parents[2]


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


def test_the_lock_names_the_official_pillow() -> None:
    name = "pillow-11.3.0-cp313-cp313-pyodide_2025_0_wasm32.whl"
    assert wheelhouse.wanted()[name].startswith("52984112ca668d60")
