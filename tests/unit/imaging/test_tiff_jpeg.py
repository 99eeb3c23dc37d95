"""JPEG inside TIFF: strips, tiles and planes, and sizes that are not what they should be."""

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.jpegs import ADOBE, abbreviated, without
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import picture_of
from tests.support.imaging.tiffs import file_of

from imaging.errors import RenderError, UnreadableImage
from imaging.variants import Variant

WIDTH, HEIGHT = 96, 80
SCENE = scene(WIDTH, HEIGHT)
SAVED: dict[str, Any] = {"quality": 95, "subsampling": 0}


def jpeg(picture: Image.Image, **options: Any) -> bytes:
    return encoded(picture, "JPEG", **{**SAVED, **options})


def coded_as_rgb(picture: Image.Image) -> bytes:
    """A JPEG whose components are red, green and blue; Adobe's marker, which says so, is left out."""
    return without(encoded(picture, "JPEG", keep_rgb=True, **SAVED), ADOBE)


def tags(photometric: int = 6, samples: int = 3, **more: int) -> dict[int, Any]:
    named = {"rows": 278, "tile_width": 322, "tile_height": 323, "planar": 284}
    found = {256: WIDTH, 257: HEIGHT, 258: (8,) * samples, 259: 7, 262: photometric, 277: samples}
    return {**found, **{named[name]: value for name, value in more.items()}}


def alike(data: bytes, picture: Image.Image = SCENE, least: float = 33) -> bool:
    return psnr(picture_of(Variant.WATERMARK, data), picture) > least


def parts(width: int, height: int) -> list[Image.Image]:
    padded = Image.new("RGB", (-(-WIDTH // width) * width, -(-HEIGHT // height) * height))
    padded.paste(SCENE)
    return [
        padded.crop((left, top, left + width, top + height))
        for top in range(0, HEIGHT, height)
        for left in range(0, WIDTH, width)
    ]


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("rows", [16, 32, 80, 1000])
def test_strips(rows: int, progressive: bool, subsampling: int) -> None:
    options = {"subsampling": subsampling, "progressive": progressive}
    blocks = [
        jpeg(SCENE.crop((0, top, WIDTH, min(HEIGHT, top + rows))), **options)
        for top in range(0, HEIGHT, rows)
    ]
    assert alike(file_of(tags(rows=rows), blocks), least=24 if subsampling else 33)


@pytest.mark.parametrize("size", [(32, 32), (96, 32), (48, 80), (128, 96)])
def test_tiles(size: tuple[int, int]) -> None:
    blocks = [jpeg(part) for part in parts(*size)]
    assert alike(file_of(tags(tile_width=size[0], tile_height=size[1]), blocks))


def test_a_strip_filled_up_to_whole_blocks() -> None:
    [padded] = parts(WIDTH, 96)
    assert alike(file_of(tags(rows=HEIGHT), [jpeg(padded.crop((0, 0, WIDTH, 80)))]))
    data = file_of({**tags(rows=75), 257: 75}, [jpeg(padded.crop((0, 0, WIDTH, 80)))])
    assert alike(data, SCENE.crop((0, 0, WIDTH, 75)))


def test_tables_apart() -> None:
    pairs = [abbreviated(jpeg(SCENE.crop((0, top, WIDTH, top + 40)))) for top in (0, 40)]
    blocks = [rest for _, rest in pairs]
    assert pairs[0][0] == pairs[1][0]
    assert alike(file_of({**tags(rows=40), 347: pairs[0][0]}, blocks))
    with pytest.raises(UnreadableImage):
        alike(file_of(tags(rows=40), blocks))
    whole, rest = abbreviated(jpeg(SCENE))
    assert alike(file_of({**tags(rows=HEIGHT), 347: whole}, [rest]))


@pytest.mark.parametrize("rows", [40, 80])
def test_colours_are_what_the_tiff_says(rows: int) -> None:
    tops = range(0, HEIGHT, rows)
    strips = [SCENE.crop((0, top, WIDTH, top + rows)) for top in tops]
    assert alike(file_of(tags(2, rows=rows), [coded_as_rgb(strip) for strip in strips]))
    grey = [encoded(strip.convert("L"), "JPEG", quality=95) for strip in strips]
    assert alike(file_of(tags(1, 1, rows=rows), grey), SCENE.convert("L"))
    inverted = [
        encoded(Image.eval(strip.convert("L"), lambda v: 255 - v), "JPEG", quality=95) for strip in strips
    ]
    assert alike(file_of(tags(0, 1, rows=rows), inverted), SCENE.convert("L"))


def test_planes() -> None:
    blocks = [
        encoded(plane.crop((0, top, WIDTH, top + 40)), "JPEG", quality=95)
        for plane in SCENE.split()
        for top in (0, 40)
    ]
    assert alike(file_of(tags(2, rows=40, planar=2), blocks))


def with_size(data: bytes, width: int, height: int) -> bytes:
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def two_frames(data: bytes, before: bytes, false: bytes) -> bytes:
    """The true frame header behind some bytes, and a false one that a careless reader would find."""
    at = data.index(b"\xff\xc0")
    end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    comment = b"\xff\xfe" + (len(false) + 2).to_bytes(2, "big") + false
    return data[:2] + before + data[at:end] + comment + data[2:at] + data[end:]


@pytest.mark.parametrize("rows", [HEIGHT, 40], ids=["one strip", "two strips"])
@pytest.mark.parametrize(
    "change",
    {
        "wider": lambda data: with_size(data, 6000, 40),
        "narrower": lambda data: with_size(data, 48, 40),
        "taller": lambda data: with_size(data, WIDTH, 6000),
        "no height": lambda data: with_size(data, WIDTH, 0),
        "a second frame": lambda data: (
            data[:2] + with_size(data, 60, 40)[2 : data.index(b"\xff\xda")] + data[2:]
        ),
        "a second start": lambda data: data[:2] + data,
        "TEM": lambda data: data[:2] + b"\xff\x01" + with_size(data, 6000, 40)[2:],
        "a restart": lambda data: data[:2] + b"\xff\xd3" + with_size(data, 6000, 40)[2:],
        "fill bytes": lambda data: data[:2] + b"\xff\xff\xff" + with_size(data, 6000, 40)[3:],
        "a frame in a comment": lambda data: two_frames(
            with_size(data, 6000, 40), b"\xff", with_size(data, WIDTH, 40)
        ),
        "one component": lambda _: encoded(SCENE.convert("L"), "JPEG"),
        "four components": lambda _: encoded(SCENE.convert("CMYK"), "JPEG"),
        "nothing": lambda _: b"\0" * 40,
        "cut short": lambda data: data[: len(data) // 2],
    }.items(),
    ids=lambda change: change[0],
)
def test_a_size_or_kind_that_is_not_the_blocks_is_refused(change: Any, rows: int) -> None:
    blocks = [jpeg(SCENE.crop((0, top, WIDTH, top + rows))) for top in range(0, HEIGHT, rows)]
    with pytest.raises(RenderError):
        picture_of(Variant.WATERMARK, file_of(tags(rows=rows), [change[1](block) for block in blocks]))


@pytest.mark.parametrize("rows", [HEIGHT, 40], ids=["one strip", "two strips"])
def test_a_frame_among_the_tables_is_refused(rows: int) -> None:
    blocks = [jpeg(SCENE.crop((0, top, WIDTH, top + rows))) for top in range(0, HEIGHT, rows)]
    frame = with_size(jpeg(SCENE), 6000, rows)
    for tables in (frame[: frame.index(b"\xff\xda")] + b"\xff\xd9", frame):
        with pytest.raises(RenderError):
            picture_of(Variant.WATERMARK, file_of({**tags(rows=rows), 347: tables}, blocks))


def test_a_page_in_one_strip_is_decoded_as_a_jpeg_is() -> None:
    page = scene(620, 877).resize((2480, 3508), Image.Resampling.BICUBIC)
    data = encoded(page, "TIFF", compression="jpeg", quality=90, strip_size=1 << 30)
    with Image.open(BytesIO(data)) as pillows:
        assert len(pillows.tag_v2[273]) == 1
    shown = page.resize((1448, 2048), Image.Resampling.LANCZOS)
    assert psnr(picture_of(Variant.WATERMARK, data), shown) > 38


def test_many_small_strips_are_joined() -> None:
    levels = np.asarray(SCENE)
    blocks = [jpeg(Image.fromarray(levels[top : top + 8])) for top in range(0, HEIGHT, 8)]
    assert alike(file_of(tags(rows=8), blocks))
