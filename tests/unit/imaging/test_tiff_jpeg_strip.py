"""JPEG inside TIFF: a strip and its tables."""

import pytest
from PIL import Image
from tests.support.imaging.jpegs import (
    COMMENT,
    DHT,
    DQT,
    abbreviated,
    photograph,
    segment,
    taken_apart,
    with_segments,
)

from imaging.errors import UnreadableImage
from imaging.formats.raster import Raster
from imaging.formats.tiff_jpeg import JpegStrip, read_strip
from imaging.geometry import Size

MODES = {1: ("L", "L", "L"), 3: ("RGB", "RGB", "YCbCr"), 4: ("CMYK", "CMYK", "CMYK")}


def decoded(strip: JpegStrip) -> Image.Image:
    mode, rawmode, coded = MODES[len(strip.components)]
    raster = Raster(mode, strip.size, "jpeg", (rawmode, coded, 1, 0))
    strip.decode(raster)
    return raster.image


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_tables_may_stand_apart(mode: str) -> None:
    data = photograph(mode=mode)
    tables, picture = abbreviated(data)
    strip = read_strip(picture, tables)
    assert strip.size == Size(96, 64)
    assert len(strip.components) == len(mode)
    assert decoded(strip).tobytes() == decoded(read_strip(memoryview(data))).tobytes()


def test_tables_of_the_strip_itself_count_more() -> None:
    coarse, fine = photograph(quality=20), photograph(quality=95)
    assert decoded(read_strip(fine, abbreviated(coarse)[0])).tobytes() == decoded(read_strip(fine)).tobytes()


def test_missing_tables_are_refused() -> None:
    with pytest.raises(UnreadableImage):
        decoded(read_strip(abbreviated(photograph())[1]))


@pytest.mark.parametrize(
    "tables",
    [
        b"\xff",
        b"not a table",
        photograph(),
        abbreviated(photograph())[0][:-9],
        b"\xff\xd8" + segment(DQT, b"\0"),
    ],
)
def test_broken_tables_are_refused(tables: bytes) -> None:
    with pytest.raises(UnreadableImage):
        decoded(read_strip(abbreviated(photograph())[1], tables))


def test_the_size_is_the_first_frame_headers_own() -> None:
    """Fill bytes before it, and another one inside a comment, where a careless reader lands."""
    segments, rest = taken_apart(photograph())
    [frame] = [data for marker, data in segments if marker == 0xC0]
    false = segment(0xC0, frame[:1] + b"\0\x10\0\x10" + frame[5:])
    rest = b"".join(segment(*each) for each in segments if each[0] in (DQT, DHT, 0xDA)) + rest
    data = b"\xff\xd8\xff" + segment(0xC0, frame) + segment(COMMENT, bytes(9) + false) + rest
    strip = read_strip(data)
    assert strip.size == Size(96, 64)
    assert decoded(strip).tobytes() == decoded(read_strip(photograph())).tobytes()


@pytest.mark.parametrize("keep", [0, 1, 300, -40])
def test_a_strip_that_is_cut_short_is_refused(keep: int) -> None:
    with pytest.raises(UnreadableImage):
        decoded(read_strip(photograph()[:keep]))


def test_a_second_frame_header_is_refused() -> None:
    data = photograph()
    [frame] = [each for each in taken_apart(data)[0] if each[0] == 0xC0]
    with pytest.raises(UnreadableImage):
        read_strip(with_segments(data, frame))
