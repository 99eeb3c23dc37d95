"""Every example in the client's docstrings and README is run, and the README's are type-checked."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.support.client.contract import BAD, PICTURE, TOKEN, Contract

import vfa_gallery
from vfa_gallery import Batch, Gallery, Journal, __version__
from vfa_gallery.command.app import vfa

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "client" / "README.md"
MODULES = [each.name for each in pkgutil.walk_packages(vfa_gallery.__path__, "vfa_gallery.")]
# What the examples take for granted, as mypy sees it.
NAMES = """
from pathlib import Path
from vfa_gallery import Gallery
url: str
token: str
picture: Path
folder: Path
picture_bytes: bytes
"""


@pytest.fixture
def names(contract: Contract, gallery: Gallery, tmp_path: Path) -> dict[str, object]:
    """What the examples take for granted."""
    for name in ("dawn.jpg", "dusk.jpg"):
        (tmp_path / name).write_bytes(PICTURE + name.encode())
    (tmp_path / "bad.jpg").write_bytes(PICTURE + BAD)
    known = {"url": contract.url, "token": TOKEN, "gallery": gallery, "folder": tmp_path}
    return known | {"picture": tmp_path / "dusk.jpg"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module(name: str, names: dict[str, object]) -> None:
    module = importlib.import_module(name)
    found = doctest.testmod(module, extraglobs=names)
    assert found.failed == 0


def test_there_are_examples_at_all() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    examples = [
        test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples
    ]
    assert len(examples) >= 15


def test_examples_of_the_readme_do_what_they_say(names: dict[str, object]) -> None:
    found = doctest.testfile(str(README), module_relative=False, globs=names)
    assert found.attempted > 15
    assert found.failed == 0


def test_examples_of_the_readme_pass_strict_mypy(tmp_path: Path) -> None:
    examples = doctest.DocTestParser().get_examples(README.read_text())
    blocks = re.findall(r"```python\n(import.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 1
    browser = textwrap.indent(blocks[0].replace("import micropip", "import micropip  # type: ignore"), "    ")
    program = NAMES + "".join(example.source for example in examples)
    program += f"\nasync def in_a_browser() -> None:\n{browser}"
    # A session shows the value of an expression; a program that does nothing with it is fine here.
    (tmp_path / "readme.py").write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(ROOT / ".mypy_cache/readme")]
    done = subprocess.run(
        [*command, "--config-file=", str(tmp_path / "readme.py")],
        capture_output=True,
        text=True,
        timeout=120,
        env={"MYPYPATH": str(ROOT / "client/src"), "PATH": ""},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_commands_of_the_readme_parse() -> None:
    lines = re.findall(r"^    vfa (.+)$", README.read_text(), re.MULTILINE)
    assert len(lines) >= 3
    for line in lines:
        name, *words = shlex.split(line)
        command = vfa.commands[name]
        command.make_context("vfa", words)


def test_the_readme_names_every_command_and_the_wheel_of_this_version() -> None:
    text = README.read_text()
    public = set(vfa.commands) - {"token"}
    assert [name for name in public if not re.search(rf"`(vfa )?{name}\b", text)] == []
    assert f"vfa_gallery_client-{__version__}-py3-none-any.whl" in text


@pytest.mark.parametrize("kind", [Gallery, Journal, Batch], ids=lambda kind: kind.__name__)
def test_every_public_method_names_its_errors(kind: type) -> None:
    never_fails = {"close", "entry", "stop", "artworks"}
    methods = {name: value for name, value in vars(kind).items() if callable(value) and name[0] != "_"}
    silent = [name for name, value in methods.items() if "Raises" not in (value.__doc__ or "")]
    assert set(silent) <= never_fails
