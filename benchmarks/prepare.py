"""Fetch what only the benchmarks need: the peers from npm, matplotlib into an environment of its own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tools.problem import Problem

from benchmarks.places import CACHE, HERE, NODE, ROOT

PLOTTING = CACHE / "plotting"
LOCK = ROOT / "locks/bench.txt"


def _run(*command: str | Path, folder: Path = ROOT) -> None:
    environment = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(f"`{' '.join(words)}` failed:\n{(done.stdout + done.stderr).strip()}")


def _unless_done(stamp: Path, lock: Path) -> bool:
    """Whether the work for this lock has yet to be done."""
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    return True


def prepare() -> None:
    if (
        _unless_done(CACHE / "peers.stamp", HERE / "package-lock.json")
        or not (HERE / "node_modules").exists()
    ):
        print("  peers from npm …", flush=True)
        _run("npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", folder=HERE)
    if _unless_done(CACHE / "plotting.stamp", LOCK) or not PLOTTING.exists():
        print("  matplotlib …", flush=True)
        _run("uv", "venv", "--quiet", "--clear", "--python", sys.executable, PLOTTING)
        _run("uv", "pip", "sync", "--quiet", "--python", PLOTTING, "--require-hashes", LOCK)
