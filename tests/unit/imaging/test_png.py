"""PNG, in strips and interlaced."""

from collections.abc import Callable
from io import BytesIO
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.support.imaging.originals import encoded, png_chunk, png_file, psnr, scene, sixteen_bits
from tests.support.imaging.rendering import picture_of, reference

from imaging import resample
from imaging.errors import UnreadableImage
from imaging.formats import png
from imaging.variants import Variant


def as_pillow_sees(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    return picture.convert("RGB")


@pytest.mark.parametrize("filters", [0, 1, 2])
@pytest.mark.parametrize("channels", [1, 3])
def test_strips_give_pillows_own_pixels(channels: int, filters: int) -> None:
    levels = np.asarray(scene(333, 257))[..., :channels]
    data = png_file(levels, filters=filters)
    with mock.patch.object(png, "STRIP", 3000):
        picture = picture_of(Variant.WATERMARK, data)
    assert picture.convert("RGB").tobytes() == as_pillow_sees(data).tobytes()


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA"]),
    st.integers(1, 400),
)
def test_every_size_and_mode_comes_out_as_it_went_in(width: int, height: int, mode: str, strip: int) -> None:
    original = scene(width, height).convert(mode)
    with mock.patch.object(png, "STRIP", strip):
        picture = picture_of(Variant.WATERMARK, encoded(original))
    assert picture.convert("RGB").tobytes() == original.convert("RGB").tobytes()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_small_palettes_are_unpacked(bits: int) -> None:
    original = scene(101, 67).quantize(2**bits)
    data = encoded(original, bits=bits)
    assert picture_of(Variant.WATERMARK, data).tobytes() == original.convert("RGB").tobytes()


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_sixteen_bits_are_scaled_and_not_clipped(mode: str, interlaced: bool) -> None:
    original = scene(120, 90).convert(mode)
    data = png_file(sixteen_bits(original), interlaced=interlaced, filters=1)
    assert psnr(picture_of(Variant.WATERMARK, data), original) > 48


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_interlaced_pictures_are_put_together(mode: str) -> None:
    original = scene(203, 97).convert(mode)
    levels = np.asarray(original)
    data = png_file(levels if levels.ndim == 3 else levels[..., None], interlaced=True)
    assert picture_of(Variant.WATERMARK, data).convert("RGB").tobytes() == original.convert("RGB").tobytes()


def test_a_large_picture_is_averaged_and_resized() -> None:
    original = scene(2600, 1900)
    data = encoded(original, compress_level=1)
    for variant, least in ((Variant.WATERMARK, 54), (Variant.THUMBNAIL, 48), (Variant.ICON, 48)):
        assert psnr(picture_of(variant, data), reference(variant, original)) > least


def test_pixels_may_be_cut_into_any_number_of_chunks() -> None:
    data = encoded(scene(64, 64))
    at = data.index(b"IDAT") - 4
    packed = data[at + 8 : at + 8 + int.from_bytes(data[at : at + 4], "big")]
    pieces = b"".join(png_chunk(b"IDAT", packed[start : start + 7]) for start in range(0, len(packed), 7))
    cut = data[:at] + pieces + png_chunk(b"IEND", b"")
    assert picture_of(Variant.WATERMARK, cut).tobytes() == picture_of(Variant.WATERMARK, data).tobytes()


def test_the_first_picture_of_an_animation_is_taken() -> None:
    first, second = scene(40, 30, seed=1), scene(40, 30, seed=2)
    data = encoded(first, save_all=True, append_images=[second])
    assert picture_of(Variant.WATERMARK, data).tobytes() == first.tobytes()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut in the pixels": lambda data: data[: len(data) // 2],
    "cut in the header": lambda data: data[:20],
    "no pixels": lambda data: data[: data.index(b"IDAT") - 4] + png_chunk(b"IEND", b""),
    "broken stream": lambda data: data[:5000] + b"\xff" * 1000 + data[6000:],
    "wrong checksum": lambda data: data[:29] + bytes(4) + data[33:],
    "impossible depth": lambda data: data[:24] + b"\x03" + data[25:],
    "no height": lambda data: data[:20] + bytes(4) + data[24:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_reported(damage: str) -> None:
    with pytest.raises(UnreadableImage):
        picture_of(Variant.ICON, DAMAGES[damage](encoded(scene(200, 150))))


def test_strips_are_small() -> None:
    """The reason for all this: no strip of a large picture is more than a sliver of it."""
    assert resample.STRIP <= 1 << 19
