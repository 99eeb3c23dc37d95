"""The licences of what is deployed: listed in one file, which the page ships."""

from __future__ import annotations

import re

import pytest
from tests.support.deploy.projects import ROOT
from tools import licences


def test_the_file_is_up_to_date() -> None:
    assert licences.FILE.read_text() == licences.render(licences.components()), (
        "run `python -m tools.licences`"
    )


def test_the_page_ships_it() -> None:
    assert licences.FILE.parent == ROOT / "web/static"


def test_every_component_names_its_licence() -> None:
    for component in licences.components():
        assert component.licence, component.name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("@uppy/core", "Transloadit"),
        ("photoswipe", "Dmitry Semenov"),
        ("swagger-ui-dist", "Copyright 2020-2021 SmartBear Software Inc."),  # its NOTICE
        ("thumbhash", "MIT"),
        ("@fontsource-variable/figtree", "The Figtree Project Authors"),
        ("Noto Sans", "Noto Project"),
        ("pillow", "Secret Labs AB"),
        ("HarfBuzz", "HarfBuzz"),
        ("libwebp", "Google Inc."),
    ],
)
def test_known_components_are_listed_with_their_texts(name: str, text: str) -> None:
    found = [each for each in licences.components() if each.name.startswith(name)]
    assert found, name
    assert any(text in each for component in found for each in (*component.texts, component.licence))


def test_every_package_that_the_page_imports_is_listed() -> None:
    sources = [path.read_text() for path in (ROOT / "web/src").rglob("*") if path.suffix in (".js", ".css")]
    statement = re.compile(r'(?:\bfrom|^import|^@import) "([@a-z][^"\n]*)"', re.MULTILINE)
    paths = [path.split("/") for source in sources for path in statement.findall(source)]
    imported = {"/".join(parts[: 2 if parts[0].startswith("@") else 1]) for parts in paths}
    assert "photoswipe" in imported
    assert imported <= set(licences.page_packages())
