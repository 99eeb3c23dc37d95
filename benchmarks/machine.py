"""The machine and the versions of a run, without which its numbers mean nothing."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.places import HERE, NODE, ROOT

PACKAGES = ("miniflare", "workerd", "wrangler", "pyodide")
PEERS = ("sharp", "@cf-wasm/photon", "@jsquash/jpeg", "@jsquash/png", "@jsquash/webp", "@jsquash/resize")


def _version(folder: Path, name: str) -> str:
    return str(json.loads((folder / "node_modules" / name / "package.json").read_text())["version"])


def _line(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip().partition("\n")[0]


def _cpu() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _memory_gib() -> float:
    found = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    return round(int(found[1]) / 2**20, 1) if found else 0.0


def load() -> float:
    """Runnable processes, averaged over the last minute."""
    return round(os.getloadavg()[0], 2)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def machine() -> dict[str, Any]:
    """Machine and versions, as they go into every file of results."""
    import PIL

    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memoryGiB": _memory_gib(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "node": _line(str(NODE), "--version"),
        "pillow": PIL.__version__,
        **{name: _version(ROOT, name) for name in PACKAGES},
        **{name: _version(HERE, name) for name in PEERS if (HERE / "node_modules" / name).exists()},
        "commit": _line("git", "rev-parse", "--short", "HEAD"),
    }
