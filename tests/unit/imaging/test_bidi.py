"""The order of mixed directions, against the `unicode-bidi` crate."""

from bidi import get_display
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.text.bidi import levels, reversed_text, visual

# Letters of both directions, digits of both kinds, separators, marks; no brackets and no controls.
ALPHABET = "@abcאבגدسم١٢٣123_-+,.:%$ ·\u0301\u05b4\u064b/#&"


def displayed(text: str) -> str:
    parts = list(zip(text, levels(text), strict=True))
    return "".join(character for character, _ in visual(parts, lambda part: part[1]))


@settings(max_examples=1000, deadline=None)
@given(st.text(ALPHABET, min_size=1, max_size=24))
def test_the_order_is_that_of_the_reference(text: str) -> None:
    # A mark is drawn after its letter in either direction, which is the shaper's work and not the order's.
    assert displayed(text) == get_display(text)


def test_the_first_strong_letter_decides_the_direction() -> None:
    assert displayed("@אב") == "בא@"
    assert displayed("@ab_אב") == "@ab_בא"


def test_brackets_in_right_to_left_text_are_mirrored() -> None:
    assert reversed_text("(2) ") == " (2)"
