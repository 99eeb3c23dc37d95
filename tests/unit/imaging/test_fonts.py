"""The fonts of the mark, and how HarfBuzz places their glyphs."""

import hashlib
import json
from pathlib import Path

import pytest
from tests.support.imaging.fonts_in_pack import FONTS, PACK

from imaging.text.fonts import MOST_SHARDS, UNITS, Fonts, glyphs_of, needed_shards, read_pack


def test_the_pack_is_the_one_that_the_index_describes() -> None:
    index = json.loads((FONTS / "pack.json").read_text())
    assert hashlib.sha256(PACK).hexdigest() == index["sha256"]
    assert index["sha256"].startswith(index["key"].partition("-")[2].partition(".")[0])


def test_every_shard_is_a_font_of_its_characters() -> None:
    for shard in read_pack()[1]:
        fonts = Fonts({shard: PACK[shard.offset : shard.offset + shard.length]})
        assert any(fonts.font_of(chr(code)) for code in range(shard.first, shard.last + 1)), shard


def test_only_names_with_letters_of_the_pack_need_it() -> None:
    assert needed_shards("@mara_Ωж_فنان_कला") == []
    assert [(shard.first, shard.last) for shard in needed_shards("@画")] == [(0x7500, 0x75FF)]
    assert len(needed_shards("".join(map(chr, range(0x4E00, 0x9000, 0x100))))) == MOST_SHARDS


def units_to_the_em(font: bytes) -> int:
    tables = int.from_bytes(font[4:6], "big")
    records = [font[12 + 16 * number :][:16] for number in range(tables)]
    [head] = [int.from_bytes(record[8:12], "big") for record in records if record[:4] == b"head"]
    return int.from_bytes(font[head + 18 : head + 20], "big")


@pytest.mark.parametrize("path", sorted(FONTS.glob("????.ttf")), ids=lambda path: path.stem)
def test_offsets_and_advances_are_in_the_units_of_the_font(path: Path) -> None:
    assert units_to_the_em(path.read_bytes()) == UNITS


def glyphs(text: str, *, right_to_left: bool = False) -> list[str]:
    font = Fonts().font_of(text[0])
    assert font is not None
    return [glyph for glyph, *_ in glyphs_of(font, text, right_to_left=right_to_left)]


def test_arabic_letters_are_joined() -> None:
    alone = glyphs("ف", right_to_left=True)
    joined = glyphs("فف", right_to_left=True)
    assert len(joined) == 2
    assert alone[0] not in joined


def test_a_vowel_sign_that_stands_before_its_letter_is_drawn_there() -> None:
    assert glyphs("कि")[-1] == glyphs("क")[0]
    assert glyphs("का")[0] == glyphs("क")[0]


def test_letters_that_form_a_conjunct_are_one() -> None:
    assert len(glyphs("क्ष")) == 1


def test_a_tone_mark_above_a_vowel_is_raised() -> None:
    font = Fonts().font_of("ก")
    assert font is not None
    low, high = (glyphs_of(font, text, right_to_left=False)[-1][2] for text in ("ก่", "กี่"))
    assert high > low
