"""The three variants are the same three everywhere, and the record has the columns of its table."""

from __future__ import annotations

import dataclasses
import re
import sqlite3

import pytest
from tests.support.deploy.projects import ENVIRONMENTS, FILES, ROOT, VARIANTS, read

from gallery import artwork, variants
from imaging.variants import RULES, Variant


def test_every_list_of_variants_names_the_same() -> None:
    folders = {path.parent.name for path in ROOT.glob("variants/*/wrangler.toml")}
    entries = {path.stem for path in ROOT.glob("variants/src/*.py")}
    assert folders == entries == set(VARIANTS)
    assert {variant.value for variant in variants.Variant} == folders
    assert {variant.value for variant in Variant} == folders


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_gateway_binds_every_sibling_by_its_name(environment: str) -> None:
    bound = {entry["binding"]: entry["service"] for entry in read("gateway", environment)["services"]}
    assert bound == {name.upper(): read(name, environment)["name"] for name in VARIANTS}
    assert {variant.name for variant in variants.Variant} == set(bound)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_sibling_runs_the_entry_of_its_variant(name: str) -> None:
    assert read(name)["main"] == str(ROOT / f"variants/src/{name}.py")
    source = (ROOT / f"variants/src/{name}.py").read_text()
    assert re.findall(r"Variant\.(\w+)", source) == [name.upper()]


def test_gateway_and_siblings_put_renditions_into_the_same_folders() -> None:
    assert {variant.value: folder for variant, folder in variants.FOLDERS.items()} == {
        variant.value: rules.folder for variant, rules in RULES.items()
    }


def url_of(variant: variants.Variant) -> str:
    """The column of a variant's URL: a rendition is called as its folder is, the mark is on the display."""
    return f"{variants.FOLDERS[variant].removesuffix('/').removesuffix('s')}_url"


def test_the_record_has_the_columns_of_its_table() -> None:
    database = sqlite3.connect(":memory:")
    database.executescript((ROOT / "schema.sql").read_text())
    columns = {row[1] for row in database.execute("PRAGMA table_info(artworks)")}
    fields = {field.name for field in dataclasses.fields(artwork.Artwork)}
    assert {url_of(each) for each in variants.Variant} <= columns
    assert (fields - {"username"}) | {"original_etag"} == columns
    users = {row[1] for row in database.execute("PRAGMA table_info(users)")}
    assert {field.name for field in dataclasses.fields(artwork.User)} <= users
    database.close()


def test_every_project_with_a_wrangler_file_is_deployed() -> None:
    ignored = {"node_modules", "python_modules", ".cache", ".wrangler", ".venv"}
    found = {path for path in ROOT.rglob("wrangler.toml") if not ignored & set(path.parts)}
    assert found == set(FILES.values())
