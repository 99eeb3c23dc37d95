"""Every example in the client's docstrings and README does what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest
from tests.support.client.contract import BAD, PICTURE, TOKEN, Contract

import vfa_gallery
from vfa_gallery import Gallery

README = Path(__file__).resolve().parents[3] / "client" / "README.md"
MODULES = [each.name for each in pkgutil.walk_packages(vfa_gallery.__path__, "vfa_gallery.")]


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


def test_examples_of_the_readme(names: dict[str, object]) -> None:
    found = doctest.testfile(str(README), module_relative=False, globs=names)
    assert found.attempted > 5
    assert found.failed == 0
