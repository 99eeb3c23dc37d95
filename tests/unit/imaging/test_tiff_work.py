"""Small TIFFs that would cost much are refused by a named limit, and honest ones in their shapes are fast."""

import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.jpegs import DQT, SOS, segment
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import picture_of, rendered, seen
from tests.support.imaging.tiffs import DEFLATE, LZW, Packing, file_of, lzw, tiff

from imaging import heap
from imaging.errors import TooLarge, UnreadableImage
from imaging.geometry import Size
from imaging.variants import Variant

SECONDS = 5.0


def tags(width: int, height: int, samples: int = 1, bits: int = 8, **more: Any) -> dict[int, Any]:
    named = {"compression": 259, "rows": 278, "tile_width": 322, "tile_height": 323, "planar": 284}
    found = {256: width, 257: height, 258: (bits,) * samples, 262: 1 if samples < 3 else 2, 277: samples}
    return {**found, **{named[name]: value for name, value in more.items()}}


def sharing(found: dict[int, Any], block: bytes, blocks: int) -> bytes:
    """A file whose blocks are all the same bytes."""
    places, lengths = (324, 325) if 322 in found else (273, 279)
    return file_of({**found, places: (8,) * blocks, lengths: (len(block),) * blocks}, [block])


def blank(width: int, height: int, rows: int) -> bytes:
    """Deflated black, whose strips are all the same bytes."""
    packed = zlib.compress(bytes(width * rows), 9)
    return sharing(tags(width, height, compression=8, rows=rows), packed, -(-height // rows))


def progressive_strips(width: int, height: int, rows: int) -> bytes:
    """JPEGs of several scans each, all of them the same bytes."""
    strip = encoded(Image.new("RGB", (width, rows)), "JPEG", progressive=True, subsampling=0)
    count = height // rows
    found = {
        **tags(width, height, 3, rows=rows),
        259: 7,
        262: 6,
        273: (8,) * count,
        279: (len(strip),) * count,
    }
    return file_of(found, [strip, bytes(count * len(strip))])


def arithmetic(width: int, height: int) -> bytes:
    """A grey JPEG with arithmetic coding, for which any bytes are data."""
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    tables, frame = segment(DQT, b"\0" + bytes([9] * 64)), segment(0xC9, b"\x08" + size + b"\x01\x01\x11\0")
    return b"\xff\xd8" + tables + frame + segment(SOS, b"\x01\x01\0\0\x3f\0") + bytes(99) + b"\xff\xd9"


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "rows": (lambda: blank(1, 1_000_001, 1_000_001), "1,000,001 rows; the limit is 1,000,000"),
    "strips": (lambda: blank(1, 100_001, 1), "100,001 strips or tiles; the limit is 100,000"),
    "tiles": (
        lambda: sharing(tags(600, 600, tile_width=1, tile_height=1), b"a", 360_000),
        "360,000 strips or tiles; the limit is 100,000",
    ),
    "tiles side by side": (
        lambda: sharing(tags(2000, 10, tile_width=1, tile_height=10), bytes(10), 2000),
        "2,000 tiles side by side; the limit is 1,024",
    ),
    "JPEGs": (
        lambda: sharing(
            {**tags(1280, 1280, tile_width=16, tile_height=16), 259: 7}, encoded(scene(16, 16), "JPEG"), 6400
        ),
        "6,400 strips or tiles; the limit is 5,000",
    ),
    "scans of JPEGs": (lambda: progressive_strips(1_600, 40_000, 8), "many scans"),
    "JPEGs with arithmetic coding": (
        lambda: sharing({**tags(8000, 8000, rows=16), 259: 7}, arithmetic(8000, 16), 500),
        "64.0 megapixels.; the limit is 50 megapixels",
    ),
    "samples": (
        lambda: sharing(tags(8, 8, 60_000, rows=8), bytes(64), 1),
        "60,000 samples a pixel; the limit is 32",
    ),
    "unpacked": (
        lambda: sharing(tags(9000, 9000, 4, 16, compression=8, rows=9000), zlib.compress(bytes(1000)), 1),
        "pixels are 648 MB when unpacked; the limit is 200 MB",
    ),
    "pixels": (lambda: blank(20_000, 10_000, 100), "200.0 megapixels.; the limit is 100 megapixels"),
    "the same bytes": (
        lambda: sharing(tags(2000, 2000, compression=8, rows=1), bytes(8000), 2000),
        "strips or tiles of the TIFF add up to 16 MB; the limit is",
    ),
    "memory": (
        lambda: sharing(tags(9000, 9000, compression=LZW, rows=9000), lzw(bytes(100)), 1),
        "a TIFF of this shape",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_too_much_is_refused_and_named(kind: str) -> None:
    data = REFUSED[kind][0]()
    started = time.process_time()
    for variant in Variant:
        with pytest.raises(TooLarge, match=REFUSED[kind][1]):
            rendered(variant, data)
    assert time.process_time() - started < SECONDS


HOSTILE: dict[str, Callable[[], bytes]] = {
    "one row a strip": lambda: blank(1000, 5000, 1),
    "a million rows": lambda: blank(1, 1_000_000, 1_000_000),
    "a hundred thousand strips": lambda: blank(10, 100_000, 1),
    "blocks without content": lambda: sharing(
        tags(3000, 3000, compression=8, rows=3000), b"\x78\x01" + b"\0\0\0\xff\xff" * 2_000_000, 1
    ),
    "one blob named again and again": lambda: tiff(
        np.asarray(scene(8, 8)), 2, Packing(tags=dict.fromkeys(range(30_000, 34_000), (8,) * 9))
    ),
    "samples that nobody looks at": lambda: sharing(
        {**tags(1500, 1500, 32, compression=8, rows=100), 317: 2, 338: (0,) * 29},
        zlib.compress(bytes(4_800_000)),
        15,
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("variant", [Variant.ICON, Variant.WATERMARK])
def test_what_is_accepted_is_done_soon(kind: str, variant: Variant) -> None:
    data = HOSTILE[kind]()
    started = time.process_time()
    if kind == "blocks without content":
        with pytest.raises(UnreadableImage):
            rendered(variant, data)
    else:
        rendered(variant, data)
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("packing", [DEFLATE, LZW])
def test_rows_a_strip_make_no_difference(packing: int) -> None:
    levels = np.asarray(scene(200, 150))
    made = {
        picture_of(
            Variant.WATERMARK, tiff(levels, 2, Packing(compression=packing, predictor=2, rows=rows))
        ).tobytes()
        for rows in (1, 2, 16, 149, None)
    }
    assert made == {levels.tobytes()}


PAGE = (2480, 3508)
PAGES: dict[str, tuple[str, str | None]] = {
    "fax": ("1", "group4"),
    "fax 3": ("1", "group3"),
    "two levels": ("1", "tiff_lzw"),
    "grey": ("L", "tiff_lzw"),
    "grey, run lengths": ("L", "packbits"),
    "palette": ("P", "tiff_lzw"),
    "colour": ("RGB", None),
    "colour, deflate": ("RGB", "tiff_adobe_deflate"),
    "colour, LZW": ("RGB", "tiff_lzw"),
    "colour, JPEG": ("RGB", "jpeg"),
}


@pytest.mark.parametrize("kind", PAGES)
def test_a_whole_page_in_one_strip_is_accepted(kind: str) -> None:
    mode, packing = PAGES[kind]
    page = scene(310, 438).resize(PAGE).convert(mode)
    info = {317: 2} if mode == "RGB" and packing == "tiff_lzw" else {}
    data = encoded(page, "TIFF", compression=packing, strip_size=1 << 30, tiffinfo=info)
    shown = page.convert("L" if mode == "1" else "RGB").resize((1448, 2048), Image.Resampling.LANCZOS)
    for variant in (Variant.THUMBNAIL, Variant.WATERMARK):
        assert rendered(variant, data).original_size == Size(*PAGE)
    assert psnr(picture_of(Variant.WATERMARK, data), shown) > 28


def test_what_a_page_takes_is_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the model says that a page does not fit, it says how large one may be."""
    page = encoded(scene(310, 438).resize(PAGE), "TIFF", compression="tiff_lzw", strip_size=1 << 30)
    monkeypatch.setattr(heap, "BUDGET", 40 * heap.MIB)
    with pytest.raises(TooLarge, match=r"the limit for a TIFF of this shape is \d\.\d megapixels"):
        rendered(Variant.WATERMARK, page)


def test_a_wide_band_of_tiles() -> None:
    picture = scene(1600, 60)
    data = tiff(np.asarray(picture), 2, Packing(compression=DEFLATE, tile=(16, 16)))
    assert seen(rendered(Variant.WATERMARK, data)).size == (1600, 60)
    assert picture_of(Variant.WATERMARK, data).tobytes() == picture.tobytes()
