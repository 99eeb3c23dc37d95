"""EXIF orientations."""

import struct
from itertools import product

import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, png_chunk, psnr, scene
from tests.support.imaging.rendering import picture_of, rendered, seen

from imaging.formats.exif import ORIENTATION, orientation_of, upright
from imaging.geometry import Size
from imaging.planes import as_image
from imaging.render import Options
from imaging.variants import Variant

# What turns an upright picture into one that is stored with this orientation
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def exif_block(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif.tobytes()


def stored(picture: Image.Image, orientation: int) -> Image.Image:
    return picture.transpose(STORED[orientation]) if orientation in STORED else picture


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_undoes_how_a_picture_was_stored(orientation: int) -> None:
    picture = scene(60, 40)
    assert as_image(upright(stored(picture, orientation), orientation)).tobytes() == picture.tobytes()


@pytest.mark.parametrize(("variant", "orientation"), list(product(Variant, range(1, 9))))
def test_all_eight_orientations_give_the_same_pixels(variant: Variant, orientation: int) -> None:
    picture = scene(900, 611)
    plain = picture_of(variant, encoded(picture))
    turned = picture_of(variant, encoded(stored(picture, orientation), exif=exif_block(orientation)))
    # Across and down are resized in turn, and each rounds.
    assert psnr(turned, plain) > 50


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_every_format_is_turned_and_no_tag_is_left(kind: str, orientation: int) -> None:
    picture = scene(300, 200)
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    data = encoded(stored(picture, orientation), kind, exif=exif_block(orientation), **options)
    rendition = rendered(Variant.WATERMARK, data)
    assert rendition.size == rendition.original_size == (300, 200)
    assert ORIENTATION not in seen(rendition).getexif()
    assert psnr(picture_of(Variant.WATERMARK, data), picture) > 30


def test_a_png_may_say_its_orientation_behind_its_pixels() -> None:
    picture = scene(80, 60)
    block = exif_block(6)[6:]
    data = encoded(stored(picture, 6))
    end = data.index(b"IEND") - 4
    assert (
        picture_of(Variant.WATERMARK, data[:end] + png_chunk(b"eXIf", block) + data[end:]).tobytes()
        == picture.tobytes()
    )


def test_a_rectangle_has_its_size_after_the_orientation_is_applied() -> None:
    data = encoded(scene(200, 300), "JPEG", exif=exif_block(6))
    rendition = rendered(Variant.THUMBNAIL, data, Options(size=Size(120, 80)))
    assert seen(rendition).size == (120, 80)


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"garbage" * 9])
def test_a_damaged_block_means_upright(block: bytes) -> None:
    assert orientation_of(block) == 1


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_impossible_value_means_upright(value: int) -> None:
    assert orientation_of(exif_block(value)) == 1


Entry = tuple[int, int, int, bytes]


def raw_exif(entries: list[Entry], order: str = "<", first: int = 8, count: int | None = None) -> bytes:
    """An EXIF block made by hand: each entry is a tag, a type, a count and its last four bytes."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", first)
    directory = struct.pack(f"{order}H", len(entries) if count is None else count)
    directory += b"".join(struct.pack(f"{order}HHI", *entry[:3]) + entry[3] for entry in entries)
    return head.ljust(first, b"\0") + directory + bytes(4)


def turned(value: int = 6, kind: str = "H", order: str = "<") -> Entry:
    types = {"B": 1, "H": 3, "I": 4, "h": 8, "i": 9}
    return 0x0112, types[kind], 1, struct.pack(f"{order}{kind}", value).ljust(4, b"\0")


NOWHERE: Entry = (0x010F, 2, 5000, b"\xff\xff\xff\x7f")
NO_SUCH_TYPE: Entry = (0x0110, 999, 0xFFFFFFFF, b"\xff\xff\xff\xff")
RIGHT = {
    "plain": raw_exif([turned()]),
    "prefixed": b"Exif\0\0" + raw_exif([turned()]),
    "prefixed over and over": b"Exif\0\0" * 9 + raw_exif([turned()]),
    "big-endian": raw_exif([turned(order=">")], ">"),
    "a long": raw_exif([turned(kind="I")]),
    "a big-endian long": raw_exif([turned(kind="I", order=">")], ">"),
    "signed": raw_exif([turned(kind="h")]),
    "at an odd offset": raw_exif([turned()], first=27),
    "behind broken tags": raw_exif([NOWHERE, NO_SUCH_TYPE, turned(), NOWHERE]),
    "behind an impossible value": raw_exif([turned(0), turned(99), turned()]),
    "the first of two": raw_exif([turned(), turned(3)]),
    "more entries promised than there are": raw_exif([NOWHERE, turned()], count=60_000),
    "out of order": raw_exif([(0x8769, 4, 1, b"\xff" * 4), turned()]),
    "more than is looked at": raw_exif([turned()]) + bytes(1 << 20),
}


@pytest.mark.parametrize("case", RIGHT)
def test_nothing_else_in_a_block_hides_its_orientation(case: str) -> None:
    assert orientation_of(RIGHT[case]) == 6


UPRIGHT = {
    "another type": raw_exif([turned(kind="B")]),
    "a rational": raw_exif([(0x0112, 5, 1, struct.pack("<I", 6))]),
    "text": raw_exif([(0x0112, 2, 2, b"6\0\0\0")]),
    "two values": raw_exif([(0x0112, 3, 2, struct.pack("<HH", 6, 6))]),
    "no values": raw_exif([(0x0112, 3, 0, struct.pack("<I", 6))]),
    "another magic number": raw_exif([turned()]).replace(b"II*\0", b"II+\0"),
    "a directory beyond the end": raw_exif([turned()])[:4] + b"\xff\xff\xff\x7f",
    "a directory of which one byte is there": raw_exif([turned()])[:9],
    "cut in the entry": raw_exif([turned()])[:18],
    "no entries": raw_exif([], count=0),
    "prefixes and nothing else": b"Exif\0\0" * 700_000,
}


@pytest.mark.parametrize("case", UPRIGHT)
def test_what_is_no_orientation_means_upright(case: str) -> None:
    assert orientation_of(UPRIGHT[case]) == 1
