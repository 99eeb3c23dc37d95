"""The top level of every Worker runs at deploy time and is kept: it draws, reads and holds nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import PIL
import pytest
from tests.support.deploy.projects import FILES, ROOT, SOURCES, raw

CHECKER = ROOT / "tests/support/deploy/top_level.py"
# A sibling's vendored Pillow is WebAssembly; its Python sources are those of this machine's own.
SITE_PACKAGES = Path(PIL.__file__).parents[1]

SINS = {
    "import random\nseed = random.random()": "random.random() was called",
    "import random\ndice = random.Random()": "Random.seed() was called",
    "from random import choice\nx = choice([1, 2])": "random.choice() was called",
    "import secrets\ntoken = secrets.token_hex()": "secrets.token_hex() was called",
    "from uuid import uuid4\nid = uuid4()": "uuid.uuid4() was called",
    "import time\nstarted = time.time()": "time.time() was called",
    "from datetime import datetime, UTC\nx = datetime.now(UTC)": "datetime.now() was called",
    "from pathlib import Path\nx = Path(__file__).read_text()": "io.open() was called",
    "try:\n  open('x')\nexcept Exception: pass": "builtins.open() was called",
    "import socket\nsocket.socket()": "socket.socket() was called",
    "import js\nHeaders = js.Headers": "js.Headers is kept",
    "from js import Object\nx = {'a': [Object]}": "js.Object is kept",
    "import js\nx = js.Date.new()": "js.Date.new() was called",
    "from pyodide.ffi import create_proxy\nx = create_proxy(print)": "pyodide.ffi.create_proxy() was called",
    "from workers import Response\nx = Response('')": "Response() was called",
    "import numpy": "No module named 'numpy'",
}


def at_the_top_level(main: str, *folders: Path, packages: tuple[str, ...] = ()) -> str:
    """What was done or kept that must not be; empty when nothing was."""
    command = [sys.executable, "-I", "-S", str(CHECKER), main, *map(str, folders), "--", *packages]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    assert bool(done.stdout) == bool(done.returncode), done.stderr
    return done.stdout


@pytest.mark.parametrize("name", FILES)
def test_importing_a_worker_does_nothing_and_keeps_nothing(name: str) -> None:
    vendored = FILES[name].parent / "python_modules"
    packages = tuple(path.stem for path in vendored.iterdir())
    native = [SITE_PACKAGES] if "PIL" in packages else []
    main = Path(raw(name)["main"]).stem
    assert at_the_top_level(main, SOURCES[name], *native, vendored, packages=packages) == ""


@pytest.mark.parametrize(("source", "finding"), SINS.items())
def test_a_sin_at_the_top_level_is_found(source: str, finding: str, tmp_path: Path) -> None:
    (tmp_path / "sinner.py").write_text(source + "\n")
    assert finding in at_the_top_level("sinner", tmp_path)


def test_what_is_done_later_is_no_sin(tmp_path: Path) -> None:
    source = """
import js, time, asyncio
from workers import Response, WorkerEntrypoint
lock = asyncio.Lock()
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(js.Date.now(), headers={"at": str(time.time())})
"""
    (tmp_path / "worker.py").write_text(source)
    assert at_the_top_level("worker", tmp_path) == ""
