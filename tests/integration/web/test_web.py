"""The page's pure modules under Node's own test runner, its types, and its size."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NODE = ROOT / ".venv/bin/node"
LIMIT = 60 * 1024
_IMPORT = re.compile(r"""(?:from|import)\s*["'](\./[^"']+)["']""")


def node(*arguments: str) -> None:
    done = subprocess.run(
        [str(NODE), *arguments], check=False, capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_pure_modules_do_what_they_say() -> None:
    node("--test", "tests/unit/web/*.test.mjs")


def test_the_types_hold() -> None:
    node("node_modules/typescript/bin/tsc", "-p", "web")


def test_the_page_without_the_uploader_stays_small(tmp_path: Path) -> None:
    node("web/build.mjs", str(tmp_path))
    assets = tmp_path / "assets"
    loaded, waiting = set[Path](), [assets / "page.js"]
    while waiting:
        script = waiting.pop()
        loaded.add(script)
        found = {(script.parent / name).resolve() for name in _IMPORT.findall(script.read_text())}
        waiting += found - loaded
    files = [*loaded, assets / "page.css", tmp_path / "index.html"]
    size = sum(len(gzip.compress(file.read_bytes())) for file in files)
    assert size <= LIMIT, f"{size} bytes compressed"
    assert not any("Dashboard" in script.read_text() for script in loaded), "the uploader must load lazily"
