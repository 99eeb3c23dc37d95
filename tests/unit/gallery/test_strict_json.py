"""JSON from strangers."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.errors import InvalidRequest
from gallery.strict_json import DEPTH, parse, parse_object

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=4,
)


@given(values)
def test_what_is_json_reads_as_it_was_meant(value: object) -> None:
    text = json.dumps(value)
    if text.count("[") + text.count("{") <= DEPTH:
        assert parse(text.encode()) == value


@given(st.text())
def test_brackets_within_texts_are_no_depth(text: str) -> None:
    value = {"title": "[" * 100 + text + '{"' * 100}
    assert parse_object(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"hello",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"[" * 60_000,
        b"[" * 30_000 + b"]" * 30_000,
        b'{"a":' * 20_000,
        b'"' + b"\\" * 60_001,
        b'{"a":"\x00"}',
    ],
)
def test_what_is_not_quite_json_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse(data)


@pytest.mark.parametrize("data", [b"[]", b"null", b"1", b'"a"'])
def test_a_body_is_an_object(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_object(data)


@pytest.mark.parametrize(
    "data",
    [
        b"{" * 9 + b'"' + b'\\"' * 32_000,
        b"[" * 9 + b'"\\' * 21_000,
        b'{"a":"' + b'\\"' * 32_000,
        b'{"' + b'{"' * 32_000,
        b"[" * 9 + b'"' * 65_001,
        b'{"a":' + b"1" * 65_000 + b".5}",
        b'{"a":0.' + b"1" * 65_000 + b"e-400}",
    ],
)
def test_64_kib_take_no_time_whatever_they_are(data: bytes) -> None:
    start = time.thread_time()
    with suppress(InvalidRequest):
        parse(data[: 64 * 1024])
    assert time.thread_time() - start < 0.25


@given(st.binary(max_size=300))
def test_any_bytes_are_a_value_or_refused(data: bytes) -> None:
    try:
        parse(data)
    except InvalidRequest:
        return
    json.loads(data)
