"""The fields of request bodies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.artwork import Description
from gallery.errors import InvalidRequest, MissingFields, TooLarge, UnsupportedType
from gallery.http import fields

FULL = {
    "title": " Still Life ",
    "description": "Two pears.\nOne apple.",
    "materials": "oil on canvas",
    "dimensions": "40 × 60 cm",
    "createdDate": "2024-05-31",
    "category": "painting",
    "tags": ["pears", " apples ", "", "pears"],
}


def test_a_full_body_is_read_whole() -> None:
    assert fields.description_of(FULL) == Description(
        "Still Life",
        "Two pears.\nOne apple.",
        "oil on canvas",
        "40 × 60 cm",
        "2024-05-31",
        "painting",
        ("pears", "apples"),
    )


def test_a_title_is_enough() -> None:
    assert fields.description_of({"title": "x"}) == Description("x")
    nothing = dict.fromkeys(FULL) | {"title": "x"}
    assert fields.description_of(nothing) == Description("x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", 7),
        ("title", True),
        ("title", ["x"]),
        ("title", "x" * 201),
        ("title", "x" * 1_000_000),
        ("title", "two\nlines"),
        ("title", "nul\x00"),
        ("title", "half a pair \ud83d"),
        ("title", "turned \u202e around"),
        ("description", "x" * 5001),
        ("description", {}),
        ("description", "bell\x07"),
        ("materials", "x" * 501),
        ("materials", "two\u2028lines"),
        ("dimensions", 40),
        ("createdDate", "x" * 51),
        ("createdDate", 2024),
        ("createdDate", "2024\n"),
        ("title", "\tx"),
        ("category", "x" * 51),
        ("category", "two\nlines"),
        ("category", ["painting"]),
        ("category", 1),
        ("tags", "a,b"),
        ("tags", {"a": 1}),
        ("tags", [1]),
        ("tags", [None]),
        ("tags", ["x" * 51]),
        ("tags", ["x"] * 21),
        ("tags", ["a\tb"]),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        fields.description_of(FULL | {name: value})
    assert f'"{name}"' in caught.value.text


@pytest.mark.parametrize("date", ["2024", "2024-05-31", "about 1890", "Spring 2024", "٢٠٢٤", "x" * 50])
def test_a_date_is_kept_as_it_was_given(date: str) -> None:
    assert fields.created_date_of({"createdDate": f" {date} "}) == date


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("painting", "painting"),
        (" Oil & Gold ", "Oil & Gold"),
        ("x" * 50 + " ", "x" * 50),
        ("夕焼け", "夕焼け"),
    ],
)
def test_a_category_is_any_text(given: str, kept: str) -> None:
    assert fields.category_of({"category": given}) == kept


@pytest.mark.parametrize("empty", [None, "", "   "])
def test_an_empty_category_is_other(empty: str | None) -> None:
    assert fields.category_of({"category": empty}) == fields.category_of({}) == "other"


@pytest.mark.parametrize("name", sorted(set(FULL) - {"title"}))
def test_an_empty_text_means_nothing_was_said(name: str) -> None:
    assert fields.description_of(FULL | {name: ""}) == fields.description_of(FULL | {name: None})


def test_an_empty_size_is_none() -> None:
    assert fields.size_of({"size": ""}, 1000) is None


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({}, "title, originalKey"),
        ({"originalKey": "k"}, "title"),
        ({"title": "x"}, "originalKey"),
        ({"title": " ", "originalKey": None}, "title, originalKey"),
        ({"originalKey": "", "title": ""}, "title, originalKey"),
    ],
)
def test_all_that_is_missing_is_named_in_one_sentence(body: dict[str, Any], missing: str) -> None:
    with pytest.raises(MissingFields) as caught:
        fields.require(body, "title", "originalKey")
    assert caught.value.text == f"Missing required fields: {missing}"


@pytest.mark.parametrize("size", [0, -1, 1.5, "1", True, [], 2**70, float("inf"), float("nan")])
def test_a_size_is_a_whole_number_of_bytes(size: Any) -> None:
    with pytest.raises((InvalidRequest, TooLarge)):
        fields.size_of({"size": size}, 1000)


def test_a_size_over_the_limit_says_the_limit() -> None:
    with pytest.raises(TooLarge, match="1000"):
        fields.size_of({"size": 1001}, 1000)
    assert fields.size_of({"size": 1000}, 1000) == 1000
    assert repr(fields.size_of({"size": 7.0}, 1000)) == "7"
    assert fields.size_of({}, 1000) is None


@pytest.mark.parametrize(
    "value", ["image/svg+xml", "text/html", "jpeg", "image/heic", "text/plain; image/jpeg", "image/jpéeg"]
)
def test_another_content_type_says_which_are_accepted(value: str) -> None:
    with pytest.raises(UnsupportedType, match="image/jpeg"):
        fields.content_type_of({"contentType": value})


@pytest.mark.parametrize("value", ["Image/PNG", "image/jpg", "image/jpeg; charset=x"])
def test_a_content_type_is_kept_as_it_was_said(value: str) -> None:
    assert fields.content_type_of({"contentType": f" {value} "}) == value


junk = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text() | st.none())


@given(st.dictionaries(st.sampled_from(sorted(FULL)), junk))
def test_any_body_is_read_or_refused(body: dict[str, Any]) -> None:
    try:
        description = fields.description_of(body)
    except InvalidRequest:
        return
    assert 0 < len(description.title) <= fields.TITLE
    for text in (description.title, description.description or "", *description.tags):
        text.encode()
        assert "\x00" not in text
