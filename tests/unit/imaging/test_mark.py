"""The watermark."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.support.imaging.fonts_in_pack import PACK
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import picture_of, rendered, seen

from imaging.geometry import Size
from imaging.render import Options
from imaging.text.fonts import Fonts, needed_shards
from imaging.text.line import drawable, shortened
from imaging.text.mark import NARROWEST, SHORTEST, SMALLEST, draw_mark, place
from imaging.variants import Variant

GROUNDS = ["black", "white", "#808080", "noise", "scene"]


def ground(kind: str, width: int = 900, height: int = 600) -> Image.Image:
    if kind == "noise":
        return Image.fromarray(np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8))
    return scene(width, height) if kind == "scene" else Image.new("RGB", (width, height), kind)


def luminance(picture: Image.Image) -> np.ndarray:
    """WCAG's relative luminance."""
    levels = np.asarray(picture.convert("RGB"), np.float64) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    high, low = np.maximum(one, other), np.minimum(one, other)
    return np.asarray((high + 0.05) / (low + 0.05))


def outline_contrast(marked: Image.Image) -> float:
    """The lower quartile, along the letters' edge, of the contrast between letter and surroundings.

    Letters are told from a marked mid-grey: the brightest parts are letters, the darkest their outline.
    """
    plan = Image.new("RGB", marked.size, "#808080")
    draw_mark(plan, "@mira", 1.0)
    levels = np.asarray(plan.convert("L"), int)
    letter, outline = levels > 240, levels < 15
    light = luminance(marked)
    found = []
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1), (0, 2), (0, -2), (1, 2), (1, -2)):
        beside = np.roll(outline, step, axis) & letter
        found.append(contrast(light, np.roll(light, step, axis))[beside])
    return float(np.percentile(np.concatenate(found), 25))


@pytest.mark.parametrize("kind", GROUNDS)
def test_the_mark_stands_out_from_any_ground(kind: str) -> None:
    picture = ground(kind)
    draw_mark(picture, "@mira", 0.8)
    assert outline_contrast(picture) >= 3


@pytest.mark.parametrize("kind", GROUNDS)
def test_it_still_does_once_it_is_a_jpeg(kind: str) -> None:
    rendition = rendered(Variant.WATERMARK, encoded(ground(kind)))
    assert outline_contrast(seen(rendition)) >= 3


def test_a_faint_mark_would_fail_that_measure() -> None:
    picture = ground("#808080")
    draw_mark(picture, "@mira", 0.15)
    assert outline_contrast(picture) < 3


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 2048),
    st.integers(1, 2048),
    st.sampled_from(["@a", "@painter", "@a_name_of_thirty_characters_xx", "@" + "W" * 60]),
)
def test_the_mark_is_inside_the_lower_right_corner(width: int, height: int, text: str) -> None:
    mark = place(Size(width, height), text)
    if min(width, height) >= NARROWEST and max(width, height) >= SHORTEST:
        assert mark is not None
    if mark is not None:
        assert 0 <= mark.left < mark.right < width
        assert 0 <= mark.top < mark.bottom < height
        assert mark.right > width - mark.font_size
        assert mark.bottom > height - mark.font_size
        assert mark.font_size >= SMALLEST


@pytest.mark.parametrize("size", [(31, 400), (400, 31), (63, 50), (1, 1)])
def test_a_tiny_picture_stays_unmarked(size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, "teal")
    draw_mark(picture, "@mira", 0.8)
    assert picture.getcolors() == [(size[0] * size[1], (0, 128, 128))]


@pytest.mark.parametrize("size", [(64, 48), (300, 200), (48, 700), (2048, 1365), (2048, 60)])
def test_only_the_place_of_the_mark_is_changed(size: tuple[int, int]) -> None:
    before = scene(*size)
    after = before.copy()
    draw_mark(after, "@mira", 0.8)
    mark = place(Size(*size), "@mira")
    assert mark is not None
    changed = (np.asarray(before) != np.asarray(after)).any(2)
    rows, columns = np.nonzero(changed)
    # A letter's own side bearing may leave a few columns of its place bare.
    assert 0 <= columns.min() - mark.left <= 4
    assert 0 <= rows.min() - mark.top <= 4
    assert 0 <= mark.right - 1 - columns.max() <= 4
    assert 0 <= mark.bottom - 1 - rows.max() <= 4


def test_its_height_grows_with_the_picture() -> None:
    marks = [place(Size(side, side * 3 // 4), "@mira") for side in (600, 1200, 2048)]
    heights = [mark.font_size for mark in marks if mark]
    assert heights[0] * 2 == pytest.approx(heights[1], abs=2)
    assert heights[2] / 2048 == pytest.approx(heights[0] / 600, rel=0.1)


def test_a_tall_narrow_picture_carries_it_on_its_side() -> None:
    mark = place(Size(60, 600), "@a_rather_long_name")
    assert mark is not None
    assert mark.turned
    assert mark.bottom - mark.top > mark.right - mark.left


def test_a_name_too_long_for_any_side_loses_its_middle() -> None:
    mark = place(Size(90, 80), "@a_name_that_is_much_too_long_for_this")
    assert mark is not None
    assert "…" in mark.line.text
    assert mark.line.text.startswith("@a")
    assert mark.line.text.endswith("s")


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr"])
def test_it_is_neutral_in_every_mode(mode: str) -> None:
    picture = Image.new("RGB", (400, 300), "#808080").convert(mode)
    draw_mark(picture, "@mira", 1.0)
    levels = np.asarray(picture.convert("RGB"), int)
    assert np.ptp(levels, axis=2).max() <= 2
    assert levels.max() > 250 > 5 > levels.min()


def test_opacity_lets_the_ground_through() -> None:
    brightest = []
    for opacity in (0.5, 1.0):
        picture = Image.new("L", (400, 300), 0)
        draw_mark(picture, "@mira", opacity)
        brightest.append(picture.getextrema()[1])
    assert brightest == [pytest.approx(127, abs=1), 255]


def test_text_opacity_and_template_are_options() -> None:
    data = encoded(scene(500, 400))
    plain = rendered(Variant.WATERMARK, data, Options(text=""))
    marked = rendered(Variant.WATERMARK, data, Options(text="© mira", opacity=0.4))
    assert psnr(seen(plain), picture_of(Variant.WATERMARK, data)) > 30
    assert 20 < psnr(seen(plain), seen(marked)) < 60


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("@mira", "@mira", "@mira"),
        ("@é", "@e\u0301", "@e\u0301"),
        ("@ﬁx", "@fix", "@fix"),
        ("@画家", "@", "@U+753B·U+5BB6"),
        ("@a画b", "@ab", "@aU+753Bb"),
        ("@\u202ea\u200bb", "@ab", "@ab"),
        ("@می\u200cخ", "@میخ", "@می\u200cخ"),
        ("@a\u200db", "@ab", "@ab"),
        ("@a  \n b", "@ab", "@a b"),
        ("", "", ""),
    ],
)
def test_letters_that_the_font_lacks_fall_back_visibly(text: str, known: str, expected: str) -> None:
    assert drawable(text, lambda character: character in known) == expected


@pytest.mark.parametrize("name", ["Zoë Łukasiewicz", "Ωμέγα ϊ", "Жанна Ђорђе Ґ", "Nguyễn", "O’Neil_2"])
def test_latin_greek_and_cyrillic_are_drawn_as_they_are(name: str) -> None:
    mark = place(Size(2000, 1500), f"@{name}")
    assert mark is not None
    assert mark.line.text == f"@{name}"


@pytest.mark.parametrize(
    "name", ["فنان", "رسام_12", "אמן", "चित्रकार", "श्रीमती", "ศิลปิน", "น้ำ", "მხატვარი", "Նկարիչ", "mara_فنان_x"]
)
def test_scripts_with_a_bundled_font_are_drawn_as_they_are(name: str) -> None:
    mark = place(Size(2000, 1500), f"@{name}")
    assert mark is not None
    assert mark.line.text == f"@{name}"


@pytest.mark.parametrize("name", ["画家", "絵描き", "화가", "শিল্পী", "கலைஞர்"])
def test_scripts_of_the_pack_are_drawn_with_it_and_show_codes_without(name: str) -> None:
    shards = {shard: PACK[shard.offset : shard.offset + shard.length] for shard in needed_shards(name)}
    drawn = place(Size(2000, 1500), f"@{name}", Fonts(shards))
    coded = place(Size(2000, 1500), f"@{name}")
    broken = place(Size(2000, 1500), f"@{name}", Fonts(dict.fromkeys(shards, b"no font")))
    assert drawn is not None
    assert coded is not None
    assert broken is not None
    assert drawn.line.text == f"@{name}"
    assert coded.line.text.startswith("@U+")
    assert broken.line.text == coded.line.text


@pytest.mark.parametrize("name", ["🎨", "𝌆", "\ue000x"])
def test_what_no_font_has_shows_its_code_and_no_boxes(name: str) -> None:
    mark = place(Size(2000, 1500), f"@{name}")
    assert mark is not None
    assert mark.line.text in (f"@U+{ord(name[0]):04X}", "@x")


def test_letters_that_touch_are_outlined_as_one() -> None:
    picture = Image.new("L", (2000, 1500), 128)
    draw_mark(picture, "@ســــــــم", 1.0)
    mark = place(Size(2000, 1500), "@ســــــــم")
    assert mark is not None
    strip = np.asarray(picture)[mark.top : mark.bottom, mark.left : mark.right]
    longest = max(max(map(len, bytes(row > 240).split(b"\0"))) for row in strip)
    assert longest > mark.font_size * 2


def test_shortening_keeps_both_ends_and_gets_ever_shorter() -> None:
    texts = list(shortened("@abcdefgh"))
    assert [len(text) for text in texts] == sorted((len(text) for text in texts), reverse=True)
    assert (texts[0], texts[-1]) == ("@abc…fgh", "@…h")
    assert all(text.startswith("@") and text.endswith("h") for text in texts)


def test_shortening_keeps_marks_with_their_letters() -> None:
    assert list(shortened("@कि\u200dतीन")) == ["@…न"]
    assert list(shortened("@कितीन")) == ["@…न"]
    assert list(shortened("@कितीनमु")) == ["@कि…मु", "@…मु"]
