"""Usernames: every script is welcome, what cannot be seen is not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.names import USERNAME_LENGTH, parse_username, username_from

NAMES = [
    "ann",
    "Ann_B.2-c",
    "कलाकार",
    "ศิลปิน",
    "শিল্পী",
    "கலைஞர்",
    "فنان",
    "אמן",
    "藝術家",
    "예술가",
    "художник",
    "Æthelþryð",
    "é",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_script_is_kept(name: str) -> None:
    assert parse_username(name) == unicodedata.normalize("NFC", name)


def test_letters_taken_apart_are_put_together() -> None:
    assert parse_username("e\u0301va") == "\u00e9va"
    assert parse_username("\u0e28\u0e34\u0e25") == "\u0e28\u0e34\u0e25"


SPACES = (0x20, 0x09, 0xA0, 0x1680, 0x2000, 0x2003, 0x2007, 0x2009, 0x200A, 0x2028, 0x202F, 0x205F, 0x3000)
HIDDEN = (
    0xAD,
    0x34F,
    0x115F,
    0x1160,
    0x17B4,
    0x180B,
    0x180E,
    0x200B,
    0x2060,
    0x3164,
    0xFE0F,
    0xFEFF,
    0xFFA0,
    0xE0100,
)
DIRECTIONS = (0x61C, *range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
BAD = {
    "nothing": "",
    "dots alone": "..",
    "a slash": "a/b",
    "an at sign": "a@b",
    "a percent sign": "a%2fb",
    "a line break": "a\n",
    "a NUL": "a\0",
    "half a surrogate pair": "a\ud800",
    "too long": "x" * (USERNAME_LENGTH + 1),
    "a mark without its letter": "\u0301ann",
    "a picture": "ann🎨",
    **{f"space U+{code:04X}": f"an{chr(code)}n" for code in SPACES},
    **{f"hidden U+{code:04X}": f"an{chr(code)}n" for code in HIDDEN},
    **{f"direction U+{code:04X}": f"an{chr(code)}n" for code in DIRECTIONS},
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_name_is_refused(name: str) -> None:
    assert parse_username(BAD[name]) is None


@given(st.text(max_size=70))
def test_a_name_is_its_own_spelling(text: str) -> None:
    name = parse_username(text)
    assert name is None or parse_username(name) == name


@given(st.text(max_size=200))
def test_whatever_a_provider_says_becomes_a_name_or_none(text: str) -> None:
    name = username_from(text)
    assert name is None or parse_username(name) == name


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("ada", "ada"),
        ("Ada Lovelace", "Ada-Lovelace"),
        ("  Ada  ", "Ada"),
        ("ada@example.org", "ada"),
        ("auth0|ada", "auth0-ada"),
        ("a\u202eb", "a-b"),
        ("../../etc", "etc"),
        ("कलाकार एक", "कलाकार-एक"),
        ("x" * 100, "x" * 64),
        ("", None),
        ("@", None),
        ("🎨", None),
        ("...", None),
    ],
)
def test_the_name_is_the_nearest_to_what_was_said(said: str, name: str | None) -> None:
    assert username_from(said) == name
