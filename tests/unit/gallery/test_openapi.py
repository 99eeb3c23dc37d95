"""The OpenAPI document says what the code does."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.gallery.database import ROOT

from gallery import audit, keys
from gallery.errors import GalleryError
from gallery.http import schemas
from gallery.http.routes import ROUTES, document

DOCUMENT = document("https://gallery.example")


def test_every_route_is_described_and_nothing_else() -> None:
    described = {
        path: {method.upper() for method in item if method != "parameters"}
        for path, item in DOCUMENT["paths"].items()
    }
    assert described == {route.path: set(route.methods) for route in ROUTES}


def test_every_error_code_appears() -> None:
    answers = [
        answer["description"].split(", ")
        for item in DOCUMENT["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
        for status, answer in operation["responses"].items()
        if status[0] in "45"
    ]
    named = {code for codes in answers for code in codes}
    assert named == set(schemas.error_codes())


def test_every_class_of_errors_has_a_code() -> None:
    codes = schemas.error_codes()
    assert {kind.code for kind in GalleryError.__subclasses__()} == set(codes)
    assert set(codes.values()) == {400, 401, 403, 404, 405, 409, 412, 413, 415, 416, 422, 429, 500, 503}


def test_every_reference_leads_somewhere() -> None:
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert names == set(DOCUMENT["components"]["schemas"])


def test_operations_have_names_of_their_own() -> None:
    names = re.findall(r'"operationId": "(\w+)"', json.dumps(DOCUMENT))
    assert len(set(names)) == len(names) == sum(len(route.methods) for route in ROUTES)


@given(st.from_regex(rf"\A{schemas.ORIGINAL_KEY}\Z"))
def test_an_original_key_of_the_document_is_one_of_the_code(key: str) -> None:
    assert keys.parse_original(key) is not None


@given(st.from_regex(rf"\A{schemas.OBJECT_KEY}\Z"))
def test_an_object_key_of_the_document_is_one_of_the_code(key: str) -> None:
    parsed = keys.parse_rendition(key)
    assert parsed is not None or ".v1." in key


def test_a_cursor_of_an_audit_begins_with_a_place_of_its_walk() -> None:
    assert schemas.AUDIT_CURSOR["pattern"] == f"^({'|'.join(audit.WALK)})"
    assert schemas.AUDIT_CURSOR["maxLength"] == audit.LONGEST_CURSOR


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_what_is_required_is_described(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    assert set(schema.get("required", [])) <= set(schema["properties"])


def test_the_page_about_the_api_names_every_call_and_every_code() -> None:
    text = (ROOT / "docs/api.md").read_text()
    calls = set(re.findall(r"^\| `([A-Z]+) ([^`]+)` \|", text, re.MULTILINE))
    assert calls == {(method, route.path) for route in ROUTES for method in route.methods}
    codes = set(re.findall(r"^\| (\d{3}) \| `(\w+)` \|", text, re.MULTILINE))
    assert codes == {(str(status), code) for code, status in schemas.error_codes().items()}
