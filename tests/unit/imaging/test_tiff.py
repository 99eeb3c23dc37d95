"""TIFF, in its many packings."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, psnr, scene, sixteen_bits
from tests.support.imaging.rendering import picture_of
from tests.support.imaging.tiffs import DEFLATE, LZW, PACKBITS, PLAIN, Packing, tiff

from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.raster import quietly
from imaging.variants import Variant


@pytest.mark.parametrize("packing", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "tiff_deflate"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK", "LA", "P"])
def test_packings_and_modes(packing: str | None, mode: str) -> None:
    original = scene(150, 110).convert(mode)
    picture = picture_of(Variant.WATERMARK, encoded(original, "TIFF", compression=packing))
    expected = picture_of(Variant.WATERMARK, encoded(original, "TIFF"))
    assert picture.tobytes() == expected.tobytes()
    if mode != "CMYK":
        assert picture.convert("RGB").tobytes() == original.convert("RGB").tobytes()


@pytest.mark.parametrize("packing", [None, "group3", "group4", "tiff_ccitt", "packbits"])
def test_fax_codings_of_two_levels(packing: str | None) -> None:
    original = scene(200, 90).convert("1")
    picture = picture_of(Variant.WATERMARK, encoded(original, "TIFF", compression=packing))
    assert picture.convert("L").tobytes() == original.convert("L").tobytes()


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr"])
def test_jpeg_inside_tiff(mode: str) -> None:
    original = scene(160, 120).convert(mode)
    data = encoded(original, "TIFF", compression="jpeg", quality=95)
    with Image.open(BytesIO(data)) as pillows:
        assert psnr(picture_of(Variant.WATERMARK, data), pillows.convert("RGB")) > 40


def test_ycbcr_samples() -> None:
    original = scene(90, 60).convert("YCbCr")
    for packing in (None, "tiff_lzw"):
        picture = picture_of(Variant.WATERMARK, encoded(original, "TIFF", compression=packing))
        assert psnr(picture, original.convert("RGB")) > 35


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_sixteen_bits_of_grey_are_scaled_and_not_clipped(mode: str) -> None:
    original = scene(80, 60).convert("L")
    levels = sixteen_bits(original)[..., 0]
    deep = Image.frombytes(mode, (80, 60), levels.astype("<u2" if mode == "I;16" else ">u2").tobytes())
    assert psnr(picture_of(Variant.WATERMARK, encoded(deep, "TIFF")), original) > 48


def test_white_may_be_zero() -> None:
    original = scene(40, 30).convert("L")
    data = encoded(original, "TIFF", tiffinfo={262: 0})
    assert original.tobytes() not in data
    assert picture_of(Variant.WATERMARK, data).tobytes() == original.tobytes()


def test_only_the_first_page_is_read() -> None:
    pages = [scene(40, 30, seed=seed) for seed in (1, 2)]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert picture_of(Variant.WATERMARK, data).tobytes() == pages[0].tobytes()


@pytest.mark.parametrize(
    ("tags", "named"),
    [
        ({259: 50000}, "Zstandard compression"),
        ({259: 34925}, "LZMA compression"),
        ({259: 32809}, "compression 32809"),
        ({259: 6}, r"JPEG of the old kind \(compression 6\)"),
        ({258: (32, 32, 32), 339: (3, 3, 3)}, "floating point samples"),
        ({258: (16, 16, 16), 339: (3, 3, 3)}, "floating point samples"),
        ({339: (5, 5, 5)}, "complex numbers as samples"),
        ({258: (32, 32, 32)}, "32 bits a sample"),
        ({258: (5, 6, 5)}, "samples of different depths"),
        ({262: 8}, "Lab colours"),
        ({262: 9}, "Lab colours"),
        ({262: 4}, "a transparency mask"),
        ({262: 32803}, "colour space 32803"),
        ({262: 5}, "3 samples a pixel in CMYK"),
        ({259: 8, 317: 3}, "this predictor"),
        ({259: 8, 317: 2, 258: (4, 4, 4)}, "this predictor"),
        ({259: 4}, "a fax coding of more than two levels"),
        ({262: 6, 530: (3, 1)}, "colour subsampled in this way"),
    ],
)
def test_what_is_not_supported_is_named(tags: dict[int, Any], named: str) -> None:
    levels = np.asarray(scene(4, 4))
    with pytest.raises(
        UnreadableImage, match=f"^The picture cannot be read: TIFF with {named} is not supported"
    ):
        picture_of(Variant.ICON, tiff(levels, 2, Packing(tags=tags)))


@pytest.mark.parametrize("kept", [6, 40, 2000])
@pytest.mark.parametrize("packing", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_a_file_cut_short_is_reported(kept: int, packing: str | None) -> None:
    data = encoded(scene(90, 90), "TIFF", compression=packing)
    with pytest.raises(UnreadableImage):
        picture_of(Variant.ICON, data[:kept])


def test_a_file_that_would_not_fit_is_refused_unread() -> None:
    class Huge:
        size = 80 << 20

        async def chunks(self) -> Any:
            yield b"II*\0" + bytes(100)
            raise AssertionError("read on")

    import asyncio

    from tests.support.imaging.rendering import OPTIONS

    from imaging.render import render

    with pytest.raises(TooLarge, match="84 MB; the limit is"):
        asyncio.run(render(Variant.ICON, Huge(), OPTIONS[Variant.ICON]))


@pytest.mark.parametrize("compression", [PLAIN, LZW, DEFLATE, PACKBITS])
@pytest.mark.parametrize("rows", [None, 7])
def test_pillow_reads_the_files_these_tests_make(compression: int, rows: int | None) -> None:
    levels = np.asarray(scene(90, 60))
    for predictor in (1, 2) if compression in (LZW, DEFLATE) else (1,):
        data = tiff(levels, 2, Packing(compression=compression, predictor=predictor, rows=rows))
        with Image.open(BytesIO(data)) as pillows:
            assert pillows.tobytes() == levels.tobytes()


def test_an_offset_further_than_memory_reaches_is_damage() -> None:
    with pytest.raises(UnreadableImage), quietly():
        BytesIO().seek(2**64)
