"""`make setup` does again what its inputs ask for, and nothing else."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tools import setup


def test_the_page_is_built_again_for_another_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "CACHE", tmp_path)
    built: list[str] = []
    for name in ("", "", "staging", "staging", ""):
        setup.step("web page", lambda name=name: built.append(name), [], tmp_path, environment=name)  # type: ignore[misc]
    assert built == ["", "staging", ""]
    assert capsys.readouterr().out.count("web page") == 3


@pytest.mark.parametrize("name", ["", "staging"])
def test_the_page_belongs_to_the_environment_that_is_exported(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    steps: dict[str, Any] = {}
    monkeypatch.setattr(setup, "step", lambda title, *_, **more: steps.update({title: more}))
    monkeypatch.setenv("CLOUDFLARE_ENV", name)
    setup.set_up(with_browser=False)
    assert steps["web page"] == {"environment": name}


def test_an_older_python_can_read_the_file_and_names_a_newer_one() -> None:
    ast.parse(Path(setup.__file__).read_text(), feature_version=(3, 6))
    source = Path(setup.__file__).read_text().partition("from kernels import")[0]
    old = "import sys; sys.version_info = (3, 8, 18); sys.version = '3.8.18 (default)'\n"
    program = f"__file__ = {setup.__file__!r}\n{old}{source}"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    message = ended.stderr.strip()
    assert message.startswith("error: Python 3.11 or newer is needed, this is 3.8.18; run make with PYTHON=")
    assert message.rpartition("PYTHON=")[2] in setup.NEWER_PYTHONS


@pytest.fixture
def no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a browser; its home is the folder."""
    monkeypatch.delenv("CHROME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


def executable(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return str(path)


@pytest.mark.parametrize(
    "place",
    [
        "bin/chromium",
        "bin/google-chrome-stable",
        "Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "Library/Caches/ms-playwright/chromium-1200/chrome-mac-arm64/Chromium.app/Contents/MacOS/Chromium",
        ".cache/ms-playwright/chromium-1200/chrome-linux/chrome",
    ],
)
def test_a_browser_is_found_wherever_it_is(no_browser: Path, place: str) -> None:
    assert setup.find_browser() is None
    path = executable(no_browser / place)
    assert setup.find_browser() == path


def test_the_browser_that_is_named_comes_first(no_browser: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(no_browser / "bin/chromium")
    own = executable(no_browser / "own/chrome")
    monkeypatch.setenv("CHROME", own)
    assert setup.find_browser() == own


@pytest.mark.usefixtures("no_browser")
def test_without_root_the_browser_comes_from_playwright(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[tuple[str | Path, ...]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(setup, "run", lambda *words: commands.append(words))
    setup.install_browser()
    assert commands == [(setup.VENV / "bin/playwright", "install", "chromium")]
