"""CMYK and YCCK."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, scene
from tests.support.imaging.profiles import table_profile
from tests.support.imaging.rendering import picture_of
from tests.unit.imaging.test_convert import difference, littlecms

from imaging.color.cmyk import overprint
from imaging.variants import Variant

ADOBE = b"\xff\xee"


def press(inks: Sequence[float]) -> tuple[float, float, float]:
    """L*, a*, b* of a made-up press, for littlecms and for us to read from the same profile."""
    c, m, y, k = inks
    light = (1 - 0.85 * k) * (1 - 0.4 * c) * (1 - 0.5 * m) * (1 - 0.07 * y)
    return (
        95 * light,
        (1 - k) * (70 * m * (1 - 0.5 * c) - 40 * c),
        (1 - k) * (85 * y - 50 * c * (1 - 0.3 * y) - 5 * m),
    )


def inked(width: int = 320, height: int = 240) -> Image.Image:
    return scene(width, height).convert("CMYK")


def without_adobe(jpeg: bytes) -> bytes:
    """The file without the marker that says its inks are inverted."""
    at = jpeg.index(ADOBE)
    return jpeg[:at] + jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big") :]


def test_a_press_profile_is_converted_as_littlecms_does() -> None:
    profile = table_profile(b"CMYK", press)
    data = encoded(inked(), "JPEG", quality=95, icc_profile=profile)
    decoded = Image.open(BytesIO(data))

    assert difference(picture_of(Variant.WATERMARK, data), littlecms(decoded, profile)) < 1.5


def test_without_a_profile_the_colours_are_those_of_coated_paper() -> None:
    levels = {
        "white": (0, 0, 0, 0),
        "cyan": (255, 0, 0, 0),
        "magenta": (0, 255, 0, 0),
        "yellow": (0, 0, 255, 0),
    }
    levels |= {
        "red": (0, 255, 255, 0),
        "green": (255, 0, 255, 0),
        "blue": (255, 255, 0, 0),
        "black": (0, 0, 0, 255),
    }
    for name, inks in levels.items():
        picture = Image.new("CMYK", (40, 40), inks)
        r, g, b = np.asarray(picture_of(Variant.WATERMARK, encoded(picture, "TIFF")).convert("RGB"))[20, 20]
        bright = {"white": "rgb", "cyan": "gb", "magenta": "rb", "yellow": "rg", "black": ""}.get(
            name, name[0]
        )
        for channel, level in zip("rgb", (r, g, b), strict=True):
            assert (level > 90) == (channel in bright), (name, r, g, b)


@pytest.mark.parametrize("adobe", [True, False])
def test_inks_are_inverted_with_and_without_the_marker_of_adobe(adobe: bool) -> None:
    light = Image.new("CMYK", (64, 64), (20, 10, 5, 0))
    data = encoded(light, "JPEG", quality=95)
    picture = picture_of(Variant.WATERMARK, data if adobe else without_adobe(data)).convert("RGB")
    assert min(np.asarray(picture).mean((0, 1))) > 180


def test_ycck_is_read_as_the_inks_it_codes() -> None:
    """The same picture as inks and as YCCK, which takes three inks for red, green and blue."""
    inks = inked(64, 48)
    y, cb, cr = Image.merge("RGB", inks.split()[:3]).convert("YCbCr").split()
    black = inks.getchannel("K")
    # Pillow inverts all four when it writes; the first three must come out as they are.
    parts = [Image.eval(band, lambda level: 255 - level) for band in (y, cb, cr)]
    data = bytearray(encoded(Image.merge("CMYK", [*parts, black]), "JPEG", quality=100, subsampling=0))
    data[data.index(ADOBE) + 15] = 2
    expected = picture_of(Variant.WATERMARK, encoded(inks, "JPEG", quality=100, subsampling=0))
    assert difference(picture_of(Variant.WATERMARK, bytes(data)), expected) < 2


def test_overprints_meet_at_their_corners() -> None:
    assert overprint((0, 0, 0, 0)) == pytest.approx((1, 1, 1), abs=0.01)
    assert max(overprint((0, 0, 0, 1))) < 0.25
    assert max(overprint((1, 1, 1, 1))) < 0.15


def test_grey_inks_stay_nearly_grey() -> None:
    for black in range(0, 256, 51):
        picture = Image.new("CMYK", (8, 8), (0, 0, 0, black))
        rgb = picture_of(Variant.WATERMARK, encoded(picture, "TIFF")).convert("RGB")
        levels = [int(level) for level in np.asarray(rgb)[4, 4]]
        assert max(levels) - min(levels) <= 6
