"""Conditional and partial requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.errors import RangeNotSatisfiable
from gallery.http.conditional import etag_matches, expected_revisions, span_of


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("", None),
        ("bytes=0-9", (0, 10)),
        ("Bytes=0-9", (0, 10)),
        ("bytes=0-0", (0, 1)),
        ("bytes=90-", (90, 10)),
        ("bytes=90-1000", (90, 10)),
        ("bytes=-10", (90, 10)),
        ("bytes=-1000", (0, 100)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=٠-١", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_a_range_is_a_span_or_ignored(header: str | None, span: tuple[int, int] | None) -> None:
    assert span_of(header, 100) == span


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_says_the_size(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as caught:
        span_of(header, 100)
    assert caught.value.headers == {"Content-Range": "bytes */100"}


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 150))
def test_a_span_lies_within_the_object(start: int, end: int, size: int) -> None:
    try:
        span = span_of(f"bytes={start}-{end}", size)
    except RangeNotSatisfiable:
        assert start >= size
        return
    data = bytes(range(size))
    if span is not None:
        assert data[span[0] : span[0] + span[1]] == data[start : end + 1]
        assert span[1] > 0


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        (None, False),
        ("*", True),
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", "abc"', True),
        ('"x",W/"abc"', True),
        ('"x"', False),
        ("abc", False),
        ("", False),
        ('"abc', False),
    ],
)
def test_a_condition_names_an_etag(condition: str | None, named: bool) -> None:
    assert etag_matches(condition, '"abc"') is named


def test_a_weak_etag_is_not_enough_where_bytes_must_match() -> None:
    assert not etag_matches('W/"abc"', '"abc"', weak=False)
    assert etag_matches('"abc"', '"abc"', weak=False)


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        (None, True),
        ("*", True),
        ('"3-0badcafe"', True),
        ('W/"3-0badcafe"', True),
        ('"2-0badcafe", W/"3-0badcafe"', True),
        ('"2-0badcafe"', False),
        ('"30-0badcafe"', False),
        ("3-0badcafe", False),
        ("", False),
    ],
)
def test_a_change_is_allowed_to_who_knows_the_revision(condition: str | None, allowed: bool) -> None:
    expected = expected_revisions(condition)
    assert (expected is None or "3" in expected) is allowed
