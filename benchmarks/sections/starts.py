"""Starts: of each Worker's isolate, and of `make dev` until it says that it is ready."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.engines import workerd
from benchmarks.gallery import gallery
from benchmarks.harness import interleaved, summary, timed
from benchmarks.places import NODE, ROOT, Effort

COPIED = ("runtime", "src", "variants", "python_modules", "tools", "web")
COPIED_FILES = ("schema.sql", "package.json", "package-lock.json", "wrangler.toml")
LINKED = ("node_modules", ".venv")
READY = "ready on "


def run(effort: Effort) -> dict[str, Any]:
    make = ["make", "--no-print-directory", "dev", "PORT=0"]
    warm = [_until_ready(make, ROOT) for _ in range(effort.times(7, 2))]
    return {"makeDev": summary(warm), "withoutCaches": _cold(), "isolates": _isolates(effort)}


def _until_ready(command: Sequence[str], folder: Path) -> float:
    """Milliseconds from starting the command to the line that says it is ready; it is stopped then."""
    with tempfile.TemporaryDirectory(prefix="vfa-bench-") as state:
        words = [*command, f"STATE={state}"] if command[0] == "make" else [*command, "--state", state]
        started = time.perf_counter()
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout
        try:
            ready = any(line.startswith(READY) for line in process.stdout)
            ms = (time.perf_counter() - started) * 1000
        finally:
            # The whole group: make hands no signal on.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
            process.stdout.close()
    if not ready:
        raise RuntimeError(f"{' '.join(words)} did not become ready")
    return ms


def _cold() -> float:
    """The first `dev` after set-up: bundles, snapshot and bytecode have yet to be made."""
    with tempfile.TemporaryDirectory(prefix="vfa-cold-") as name:
        copy = Path(name)
        for part in COPIED:
            shutil.copytree(ROOT / part, copy / part)
        for part in COPIED_FILES:
            shutil.copy(ROOT / part, copy / part)
        for part in LINKED:
            (copy / part).symlink_to(ROOT / part)
        (copy / ".cache").mkdir()
        (copy / ".cache/wheelhouse").symlink_to(ROOT / ".cache/wheelhouse")
        return round(_until_ready([str(NODE), "runtime/main.mjs", "dev", "--port", "0"], copy), 1)


def _isolates(effort: Effort) -> dict[str, Any]:
    """Cold: booting an isolate that has the thread to itself. Warm: a request to one that runs."""
    boots: dict[str, list[float]] = {}
    for _ in range(effort.times(5, 1)):
        with workerd("ours", "gateway", "empty") as running:
            for name, ms in running.boot_ms.items():
                boots.setdefault(name.removeprefix("ours-"), []).append(ms)
    with gallery() as running, workerd("empty", "ours") as others:
        subjects = {
            "gateway": lambda: timed(
                lambda: {"status": running.client.get(f"{running.url}/api/artworks/none").status_code}
            ),
            "empty": lambda: timed(lambda: {"status": others.client.post(f"{others.url}empty").status_code}),
        }
        warm = interleaved(subjects, effort.times(100, 20), warm=10)
    return {
        "coldMs": {name: summary(values) for name, values in boots.items()},
        "warmMs": {name: summary([sample.ms for sample in samples]) for name, samples in warm.items()},  # type: ignore[union-attr]
    }
