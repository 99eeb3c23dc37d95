"""What a newcomer reads first names only what is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import gallery
import vfa_gallery
from gallery.http.routes import document

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(ROOT.glob("docs/*.md"))]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
ON_GITHUB = "../../actions/"
# Made by set-up or by a run.
MADE = (".venv", ".cache", ".state", "python_modules", "node_modules", "demo/original.jpg")


def anchors(page: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"https?:|mailto:", target) or target.startswith(ON_GITHUB):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found.read_text()), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    text = path.read_text()
    named = re.findall(r"`make ([a-z-]+)", text) + re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)
    assert set(named) <= TARGETS


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_file_that_is_named_is_there(name: str) -> None:
    """Names with a folder in them, such as `src/entry.py`."""
    for file in re.findall(r"`([\w.-]+/[\w./-]*)`", (ROOT / name).read_text()):
        if not file.startswith(MADE):
            assert (ROOT / file).exists() or (ROOT / "src/gallery" / file).exists(), file


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_newest_version_of_the_changelog_is_the_projects() -> None:
    dated = re.findall(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    for file in ("pyproject.toml", *(str(path) for path in ROOT.glob("variants/*/pyproject.toml"))):
        assert tomllib.loads((ROOT / file).read_text())["project"]["version"] == dated[0]
    assert gallery.__version__ == dated[0]
    assert vfa_gallery.__version__ == dated[0]
    assert document("https://gallery.example")["info"]["version"] == dated[0]
