"""The display in narrower widths: one decode, the same mark in proportion."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import rendered, seen

from imaging import heap
from imaging.geometry import Size, area, display_size
from imaging.render import Encoded, Options
from imaging.variants import Variant

TEXT = "@mira"


def picture_of(narrower: Encoded) -> Image.Image:
    picture = Image.open(BytesIO(narrower.data), formats=["JPEG"])
    picture.load()
    return picture


@pytest.mark.parametrize(
    ("size", "widths", "expected"),
    [
        ((1600, 1200), (640, 1280), [(640, 480), (1280, 960)]),
        ((1600, 1200), (1280, 640), [(640, 480), (1280, 960)]),
        ((1000, 1500), (640, 1280), [(640, 960)]),
        ((1280, 900), (640, 1280), [(640, 450)]),
        ((640, 900), (640, 1280), []),
        ((300, 300), (640,), []),
        ((3000, 60), (640,), [(640, 13)]),
        ((4100, 3), (2,), [(2, 1)]),
    ],
)
def test_only_widths_below_the_displays_own_are_rendered_in_ascending_order(
    size: tuple[int, int], widths: tuple[int, ...], expected: list[tuple[int, int]]
) -> None:
    data = encoded(scene(*size), "JPEG", quality=90)
    rendition = rendered(Variant.WATERMARK, data, Options(text=TEXT, narrower=widths))
    assert [each.size for each in rendition.narrower] == expected
    assert [picture_of(each).size for each in rendition.narrower] == expected


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_a_narrower_width_is_the_marked_display_scaled_down(mode: str, format_name: str) -> None:
    options = {"quality": 92} if format_name == "JPEG" else {}
    data = encoded(scene(1700, 1200).convert(mode), format_name, **options)
    rendition = rendered(Variant.WATERMARK, data, Options(text=TEXT, narrower=(640, 1280)))
    display = seen(rendition).convert("RGB")
    for narrower in rendition.narrower:
        expected = display.resize(narrower.size, Image.Resampling.LANCZOS)
        assert psnr(picture_of(narrower).convert("RGB"), expected) > 32
        corner = (narrower.size.width * 3 // 4, narrower.size.height * 7 // 8, *narrower.size)
        assert psnr(picture_of(narrower).convert("RGB").crop(corner), expected.crop(corner)) > 30


def test_a_turned_original_has_narrower_widths_of_the_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(scene(1600, 1200), "JPEG", quality=90, exif=exif)
    rendition = rendered(Variant.WATERMARK, data, Options(text=TEXT, narrower=(640,)))
    assert rendition.size == (1200, 1600)
    assert [each.size for each in rendition.narrower] == [Size(640, 853)]


def test_the_display_itself_does_not_depend_on_narrower_widths() -> None:
    data = encoded(scene(1600, 1200), "JPEG", quality=90)
    alone = rendered(Variant.WATERMARK, data, Options(text=TEXT))
    assert alone.narrower == ()
    assert rendered(Variant.WATERMARK, data, Options(text=TEXT, narrower=(640, 1280))).data == alone.data


@given(st.integers(1, 60_000), st.integers(1, 60_000), st.integers(1, 8192))
def test_narrowing_takes_less_memory_than_a_plan_may(width: int, height: int, narrow: int) -> None:
    display = display_size(Size(width, height))
    wide = min(narrow, display.width)
    narrower = Size(wide, display.height * wide // display.width)
    halfway = Size(narrower.width, display.height)  # Pillow resizes across first
    encoded_bytes = 2 * area(display)
    assert heap.fits(4 * (area(display) + area(halfway) + area(narrower)) + encoded_bytes + heap.WORKING)
