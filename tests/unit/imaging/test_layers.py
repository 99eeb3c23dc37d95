"""The renderer's layers: only its edge knows the platform."""

import ast
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[3] / "variants" / "src"
PLATFORM = {"js", "pyodide", "workers", "pyodide_js"}
EDGE = {"thumbnail.py", "icon.py", "watermark.py", "imaging/worker.py"}
MODULES = sorted(SOURCES.rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCES)))
def test_only_the_edge_imports_the_platform(path: Path) -> None:
    platform = {name for name in imported(path) if name.split(".")[0] in PLATFORM}
    assert bool(platform) == (str(path.relative_to(SOURCES)) in EDGE)


@pytest.mark.parametrize("name", ["thumbnail", "icon", "watermark"])
def test_an_entry_is_short(name: str) -> None:
    assert len((SOURCES / f"{name}.py").read_text().splitlines()) <= 15
