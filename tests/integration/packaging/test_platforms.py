"""The locked packages can be installed on every machine and Python that the documentation names."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
UV = ROOT / ".venv/bin/uv"
LOCKS = ("locks/dev.txt", "locks/python-3.14.txt")
PYTHONS = ("3.11", "3.14")
PLATFORMS = ("aarch64-apple-darwin", "x86_64-apple-darwin", "aarch64-unknown-linux-gnu")
# npm's names of systems and processors: those of `process.platform` and `process.arch`.
NPM_PLATFORMS = {("darwin", "arm64"), ("darwin", "x64"), ("linux", "arm64"), ("linux", "x64")}
BINARIES = ("@cloudflare/workerd-", "@esbuild/", "@biomejs/cli-", "@typescript/typescript-")


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_python_packages_have_wheels(tmp_path: Path, python: str, platform: str) -> None:
    command: list[str | Path] = [UV, "pip", "install", "--dry-run", "--quiet", "--target", tmp_path / "none"]
    command += ["--python-version", python, "--python-platform", platform, "--only-binary", ":all:"]
    for lock in LOCKS:
        words = [*command, "--require-hashes", "-r", lock]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("prefix", BINARIES)
def test_the_node_lock_has_the_binaries_of_every_platform(prefix: str) -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    found = {
        (system, processor)
        for name, package in packages.items()
        if name.startswith(f"node_modules/{prefix}")
        for system in package.get("os", [])
        for processor in package.get("cpu", [])
    }
    assert found >= NPM_PLATFORMS
