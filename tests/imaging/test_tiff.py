"""TIFF, in its many packings."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin
from tests.imaging.originals import encoded, psnr, scene, sixteen_bits
from tests.imaging.rendering import picture_of

from imaging.errors import TooLarge, UnreadableImage
from imaging.raster import quietly
from imaging.renditions import Variant

ENTRY = struct.Struct("<HHI4s")


def tiff_file(tags: dict[int, int | tuple[int, ...]], blocks: list[bytes], tiled: bool = False) -> bytes:
    """A little-endian TIFF from its tags and its blocks' bytes."""
    offsets, body = [], b""
    for block in blocks:
        offsets.append(8 + len(body))
        body += block + bytes(len(block) % 2)
    places, lengths = (324, 325) if tiled else (273, 279)
    tags = {**tags, places: tuple(offsets), lengths: tuple(map(len, blocks))}
    entries, extra, at = b"", b"", 8 + len(body)
    directory = at
    at += 2 + 12 * len(tags) + 4
    for tag, value in sorted(tags.items()):
        values = value if isinstance(value, tuple) else (value,)
        code, kind = ("H", 3) if tag in (258, 262, 259, 317, 277, 284, 338, 339) else ("I", 4)
        data = struct.pack(f"<{len(values)}{code}", *values)
        if len(data) <= 4:
            entries += ENTRY.pack(tag, kind, len(values), data.ljust(4, b"\0"))
        else:
            entries += ENTRY.pack(tag, kind, len(values), struct.pack("<I", at + len(extra)))
            extra += data
    return (
        b"II*\0"
        + struct.pack("<I", directory)
        + body
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
        + extra
    )


def basic(width: int, height: int, samples: int = 3, bits: int = 8, **more: int) -> dict[int, Any]:
    named = {
        "compression": 259,
        "predictor": 317,
        "planar": 284,
        "rows": 278,
        "tile_width": 322,
        "tile_height": 323,
    }
    tags = {256: width, 257: height, 258: (bits,) * samples, 262: 2 if samples >= 3 else 1, 277: samples}
    return {**tags, **{named[name]: value for name, value in more.items()}}


def differences(levels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The horizontal predictor."""
    out = levels.copy()
    out[:, 1:] -= levels[:, :-1]
    return out


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


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("samples", [1, 3, 4])
@pytest.mark.parametrize("rows", [7, 1000])
def test_deflate_with_predictor(bits: int, samples: int, rows: int) -> None:
    original = scene(61, 45)
    levels = (
        np.asarray(original.convert("RGBA"))[..., :samples]
        if samples != 1
        else np.asarray(original.convert("L"))[..., None]
    )
    levels = np.ascontiguousarray(levels) if bits == 8 else sixteen_bits(Image.fromarray(levels.squeeze()))
    tags = basic(61, 45, samples, bits, compression=8, predictor=2, rows=rows)
    if samples == 4:
        tags[338] = 2
    blocks = [zlib.compress(differences(levels[top : top + rows]).tobytes()) for top in range(0, 45, rows)]
    expected = original.convert("L") if samples == 1 else original
    assert psnr(picture_of(Variant.WATERMARK, tiff_file(tags, blocks)), expected) > 48


@pytest.mark.parametrize("compression", [1, 8])
def test_tiles(compression: int) -> None:
    original = scene(100, 70)
    padded = Image.new("RGB", (128, 96))
    padded.paste(original)
    levels = np.asarray(padded)
    tiles = [levels[y : y + 32, x : x + 32].tobytes() for y in range(0, 96, 32) for x in range(0, 128, 32)]
    tags = basic(100, 70, compression=compression, tile_width=32, tile_height=32)
    data = tiff_file(tags, [zlib.compress(tile) if compression == 8 else tile for tile in tiles], tiled=True)
    assert picture_of(Variant.WATERMARK, data).tobytes() == original.tobytes()


@pytest.mark.parametrize("bits", [8, 16])
def test_planes_kept_apart(bits: int) -> None:
    original = scene(50, 40)
    levels = np.asarray(original) if bits == 8 else sixteen_bits(original)
    blocks = [
        zlib.compress(levels[top : top + 16, :, plane].tobytes()) for plane in range(3) for top in (0, 16, 32)
    ]
    data = tiff_file(basic(50, 40, 3, bits, compression=8, planar=2, rows=16), blocks)
    assert psnr(picture_of(Variant.WATERMARK, data), original) > 48


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
    ("changes", "named"),
    [
        ({259: 50000}, "compression"),
        ({258: (32, 32, 32), 339: (3, 3, 3)}, "bits|floating"),
        ({262: 8}, "colour space"),
        ({317: 3, 259: 8}, "predictor"),
    ],
)
def test_what_is_not_supported_is_named(changes: dict[int, Any], named: str) -> None:
    blocks = [zlib.compress(bytes(4 * 3 * 4 * 4))]
    with pytest.raises(UnreadableImage, match=f"broken|{named}"):
        picture_of(Variant.ICON, tiff_file({**basic(4, 4, rows=4), **changes}, blocks))


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

    from tests.imaging.rendering import OPTIONS

    from imaging.renditions import render

    with pytest.raises(TooLarge, match="84 MB; the limit is"):
        asyncio.run(render(Variant.ICON, Huge(), OPTIONS[Variant.ICON]))


def test_pillow_reads_the_files_this_test_makes() -> None:
    """The hand-made files above are real ones."""
    assert TiffImagePlugin.COMPRESSION_INFO[8] == "tiff_adobe_deflate"
    data = tiff_file(basic(5, 4, rows=4), [np.asarray(scene(5, 4)).tobytes()])
    assert Image.open(BytesIO(data)).convert("RGB").tobytes() == scene(5, 4).tobytes()


def test_an_offset_further_than_memory_reaches_is_damage() -> None:
    with pytest.raises(UnreadableImage), quietly():
        BytesIO().seek(2**64)
