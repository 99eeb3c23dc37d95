"""Profiles to sRGB, against littlecms."""

import tracemalloc
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage.color import deltaE_ciede2000, rgb2lab
from tests.support.imaging.originals import encoded, scene
from tests.support.imaging.profiles import (
    SPACES,
    grey_profile,
    matrix_profile,
    of_the_old_xyz_type,
    table_profile,
    with_swapped_primaries,
)
from tests.support.imaging.rendering import picture_of, rendered, seen

from imaging.color.convert import conversion
from imaging.color.icc import read_profile
from imaging.variants import Variant


def littlecms(picture: Image.Image, profile: bytes) -> Image.Image:
    opened = ImageCms.ImageCmsProfile(BytesIO(profile))
    converted = ImageCms.profileToProfile(picture, opened, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None
    return converted


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean ΔE2000 of two RGB pictures."""
    labs = [rgb2lab(np.asarray(picture.convert("RGB"))) for picture in (one, other)]
    return float(deltaE_ciede2000(*labs).mean())  # type: ignore[no-untyped-call]


def colours() -> Image.Image:
    """Random colours, greys, and shadows."""
    random = np.random.default_rng(5)
    anything = random.integers(0, 256, (60, 100, 3))
    greys = np.repeat(random.integers(0, 256, (20, 100, 1)), 3, axis=2)
    shadows = random.integers(0, 40, (20, 100, 3))
    return Image.fromarray(np.concatenate([anything, greys, shadows]).astype(np.uint8))


@pytest.mark.parametrize("name", SPACES)
def test_a_matrix_profile_is_converted_as_littlecms_does(name: str) -> None:
    profile = matrix_profile(name)
    assert difference(conversion(profile, 3)(colours()), littlecms(colours(), profile)) < 0.5


@pytest.mark.parametrize("name", ["Display P3", "Adobe RGB", "ProPhoto RGB"])
def test_an_unconverted_picture_would_be_wrong(name: str) -> None:
    """Guards the test above: its bound must be far below what is lost by ignoring a profile."""
    assert difference(colours(), littlecms(colours(), matrix_profile(name))) > 1.0


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_format_brings_its_profile(kind: str) -> None:
    profile = matrix_profile("ProPhoto RGB")
    original = scene(300, 200)
    options = (
        {"lossless": True} if kind == "WEBP" else {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    )
    picture = picture_of(Variant.WATERMARK, encoded(original, kind, icc_profile=profile, **options))
    assert difference(picture, littlecms(original, profile)) < 2


def test_a_large_jpeg_is_converted_after_luma_and_chroma_are_joined() -> None:
    profile, original = matrix_profile("Adobe RGB"), scene(3400, 300)
    picture = picture_of(Variant.WATERMARK, encoded(original, "JPEG", quality=95, icc_profile=profile))
    expected = littlecms(original, profile).resize(picture.size, Image.Resampling.LANCZOS)
    assert difference(picture, expected) < 2


def test_any_profile_of_srgb_changes_no_level() -> None:
    picture = colours()
    assert conversion(matrix_profile("sRGB"), 3)(picture) is picture


@pytest.mark.parametrize("data", [b"", b"nonsense", matrix_profile("Display P3")[:300], bytes(4000)])
def test_a_damaged_profile_is_ignored(data: bytes) -> None:
    picture = colours()
    assert conversion(data, 3)(picture).tobytes() == picture.tobytes()


def test_a_profile_of_senseless_numbers_is_ignored() -> None:
    data = bytearray(matrix_profile("Adobe RGB"))
    at = data.index(b"XYZ ", data.index(b"curv") - 100) + 8
    data[at : at + 12] = b"\x7f\xff\xff\xff" * 3
    steep = bytearray(matrix_profile("Display P3"))
    at = steep.index(b"para") + 12
    steep[at : at + 8] = b"\x7f\xff\xff\xff" * 2
    for damaged in (bytes(data), bytes(steep)):
        assert conversion(damaged, 3)(colours()).mode == "RGB"


def test_a_grey_profile_is_applied_and_grey_stays_grey() -> None:
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    profile = grey_profile(1.8)
    picture = conversion(profile, 1)(ramp)
    assert picture.mode == "L"
    assert difference(picture, littlecms(ramp, profile)) < 0.5


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_a_grey_profile_may_connect_through_lab(gamma: float) -> None:
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    profile = grey_profile(gamma, b"Lab ")
    assert difference(conversion(profile, 1)(ramp), littlecms(ramp, profile)) < 0.5
    assert difference(ramp, littlecms(ramp, profile)) > 1.0


def test_colorants_of_the_old_xyz_type_are_read() -> None:
    profile = matrix_profile("Adobe RGB")
    old = of_the_old_xyz_type(profile)
    assert old != profile
    assert conversion(old, 3)(colours()).tobytes() == conversion(profile, 3)(colours()).tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_swapped_primaries_swap_the_colours(kind: str) -> None:
    original = scene(300, 200)
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    profile = with_swapped_primaries(matrix_profile("sRGB"))
    picture = picture_of(Variant.WATERMARK, encoded(original, kind, icc_profile=profile, **options))
    red, green, blue = original.split()
    assert difference(picture, Image.merge("RGB", (blue, green, red))) < 3


def test_a_profile_whose_every_tag_is_the_whole_of_it_takes_no_room() -> None:
    profile = bytearray(matrix_profile("sRGB") + bytes(4 << 20))
    profile[128:132] = (100).to_bytes(4, "big")
    for index in range(100):
        at = 132 + 12 * index
        profile[at : at + 12] = (
            f"{index:04}".encode() + (0).to_bytes(4, "big") + len(profile).to_bytes(4, "big")
        )
    tracemalloc.start()
    try:
        assert read_profile(bytes(profile)) is None
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_curve_of_a_million_points_is_no_curve() -> None:
    profile = matrix_profile("Adobe RGB")
    at = profile.index(b"curv", 132 + 12 * 9)
    senseless = profile[: at + 8] + (1 << 20).to_bytes(4, "big") + bytes(2 << 20)
    assert read_profile(senseless) is None


def test_a_grey_original_makes_a_grey_rendition() -> None:
    rendition = rendered(Variant.THUMBNAIL, encoded(scene(400, 300).convert("L"), "JPEG"))
    assert seen(rendition).mode == "L"


@pytest.mark.parametrize("wide", [True, False])
def test_a_table_profile_of_a_scanner_is_understood(wide: bool) -> None:
    def lab(rgb: Sequence[float]) -> tuple[float, float, float]:
        lightness = 100 * (0.3 * rgb[0] + 0.6 * rgb[1] + 0.1 * rgb[2])
        return lightness, 50 * (rgb[0] - rgb[1]), 50 * (rgb[1] - rgb[2])

    profile = table_profile(b"RGB ", lab, wide=wide)
    assert difference(conversion(profile, 3)(colours()), littlecms(colours(), profile)) < 1


def test_renditions_carry_no_profile_because_they_are_srgb() -> None:
    data = encoded(scene(300, 200), "JPEG", icc_profile=matrix_profile("Display P3"))
    assert "icc_profile" not in seen(rendered(Variant.WATERMARK, data)).info
