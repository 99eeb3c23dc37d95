"""The chunks of a WebP and the blocks of a GIF: what they mean, and how many of them there may be."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.profiles import matrix_profile
from tests.support.imaging.rendering import picture_of
from tests.unit.imaging.test_orientation import exif_block, stored

from imaging import heap
from imaging.errors import TooLarge, UnreadableImage
from imaging.variants import Variant

PARTS = heap.MOST_PARTS + 1
SIX, ONE = exif_block(6)[6:], exif_block(1)[6:]


def gif_palette(data: bytes) -> int:
    """Where the blocks of a GIF begin."""
    return 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)


def gif(extra: bytes = b"", behind: bytes = b"", **options: object) -> bytes:
    """A scene as a GIF with more blocks before its frame and behind it."""
    data = encoded(scene(60, 40).quantize(64), "GIF", **options)
    return data[: gif_palette(data)] + extra + data[gif_palette(data) : -1] + behind + data[-1:]


def gif_frame(data: bytes, *, canvas: tuple[int, int] | None = None, at: tuple[int, int] = (0, 0)) -> bytes:
    """The GIF with another canvas, and its frame moved on it."""
    start = data.index(b",\0\0\0\0", gif_palette(data)) + 1
    moved = data[:start] + struct.pack("<2H", *at) + data[start + 4 :]
    return moved if canvas is None else moved[:6] + struct.pack("<2H", *canvas) + moved[10:]


def shown(data: bytes, background: str = "#ffffff") -> Image.Image:
    return picture_of(Variant.WATERMARK, data, background).convert("RGB")


COMMENT = b"!\xfe\x01a\0"
CONTROL = b"!\xf9\x04\0\0\0\0\0"
GIF_REFUSED: dict[str, Callable[[], bytes]] = {
    "comments": lambda: gif(COMMENT * PARTS),
    "extensions without a block": lambda: gif(b"!\xfe\0" * PARTS),
    "controls": lambda: gif(CONTROL * PARTS),
    "one comment of many blocks": lambda: gif(b"!\xfe" + b"\x01a" * PARTS + b"\0"),
    "a comment without an end": lambda: gif(b"!\xfe" + b"\xffa" * PARTS * 130),
}


@pytest.mark.parametrize("case", GIF_REFUSED)
def test_more_blocks_than_an_honest_gif_has_are_refused(case: str) -> None:
    with pytest.raises(TooLarge, match="more than 40000 blocks before its frame"):
        picture_of(Variant.ICON, GIF_REFUSED[case]())


def test_what_an_honest_gif_says_before_its_frame_is_passed_over() -> None:
    xmp = b"!\xff\x0bXMP DataXMP" + b"\x40" + bytes(64) + b"\xff" + bytes(255) + b"\0"
    assert (
        shown(gif(COMMENT * 500 + xmp + b"!\x01\x0c" + bytes(12) + b"\x03abc\0")).tobytes()
        == shown(gif()).tobytes()
    )


def test_frames_behind_the_first_cost_nothing() -> None:
    one = encoded(Image.new("P", (16, 16)), "GIF")
    frames = one[gif_palette(one) : -1] * 200_000
    assert shown(gif(behind=frames)).tobytes() == shown(gif()).tobytes()
    assert shown(gif(behind=b"not even blocks")).tobytes() == shown(gif()).tobytes()


@pytest.mark.parametrize("interlace", [0, 1])
def test_what_a_frame_leaves_bare_is_transparent(interlace: int) -> None:
    data = gif_frame(gif(interlace=interlace), canvas=(100, 90), at=(30, 20))
    expected = Image.new("RGB", (100, 90), "#204060")
    expected.paste(shown(gif()), (30, 20))
    assert shown(data, "#204060").tobytes() == expected.tobytes()


def test_a_frame_that_begins_beyond_its_canvas_enlarges_it() -> None:
    picture = shown(gif_frame(gif(), at=(30, 20)))
    assert picture.size == (90, 60)
    assert picture.crop((30, 20, 90, 60)).tobytes() == shown(gif()).tobytes()


def test_a_frame_without_extent_is_as_large_as_its_canvas() -> None:
    data = gif()
    start = data.index(b",\0\0\0\0", gif_palette(data)) + 5
    assert shown(data[:start] + bytes(4) + data[start + 4 :]).tobytes() == shown(data).tobytes()
    with pytest.raises(UnreadableImage):
        shown(gif_frame(data[:start] + bytes(4) + data[start + 4 :], canvas=(0, 0)))


def test_the_last_control_before_the_frame_says_what_is_transparent() -> None:
    original = scene(60, 40).quantize(64)
    level = original.getpixel((5, 5))
    data = encoded(original, "GIF")
    at = gif_palette(data)
    control = b"!\xf9\x04\x01\0\0" + bytes([int(level)]) + b"\0"  # type: ignore[arg-type]
    expected = np.where(np.asarray(original)[..., None] == level, 0, np.asarray(original.convert("RGB")))
    cleared = shown(data[:at] + CONTROL + control + data[at:], "#000000")
    assert (np.asarray(cleared) == expected).all()
    kept = shown(data[:at] + control + CONTROL + data[at:], "#000000")
    assert kept.tobytes() == original.convert("RGB").tobytes()


def test_a_frames_own_palette_counts() -> None:
    data = gif()
    start = data.index(b",\0\0\0\0", gif_palette(data)) + 9
    inverted = bytes(255 - level for level in data[13 : gif_palette(data)])
    local = data[:start] + bytes([data[start] & 0x40 | 0x80 | data[10] & 7]) + inverted + data[start + 1 :]
    assert (np.asarray(shown(local)) == 255 - np.asarray(shown(data))).all()


def test_a_huge_frame_of_few_codes_is_cut_short() -> None:
    data = gif()
    start = data.index(b",\0\0\0\0", gif_palette(data)) + 5
    huge = data[:start] + struct.pack("<2H", 6000, 4000) + data[start + 4 : start + 200]
    with pytest.raises(UnreadableImage, match="cut short"):
        shown(huge)


@pytest.mark.parametrize("bits", [12, 255])
def test_codes_of_an_impossible_width_are_reported(bits: int) -> None:
    data = gif()
    start = data.index(b",\0\0\0\0", gif_palette(data)) + 10
    with pytest.raises(UnreadableImage):
        shown(data[:start] + bytes([bits]) + data[start + 1 :])


def riff(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)


def webp(
    before: bytes = b"", behind: bytes = b"", flags: int = 0x08, picture: Image.Image | None = None
) -> bytes:
    """A scene as a lossless WebP with more chunks before its pixels and behind them."""
    original = picture or scene(80, 60)
    pixels = encoded(original, "WEBP", lossless=True)[12:]
    sides = b"".join((side - 1).to_bytes(3, "little") for side in original.size)
    body = b"WEBP" + riff(b"VP8X", bytes([flags, 0, 0, 0]) + sides) + before + pixels + behind
    return b"RIFF" + len(body).to_bytes(4, "little") + body


TURNED: dict[str, tuple[bytes, bytes]] = {
    "before the pixels": (riff(b"EXIF", SIX), b""),
    "behind the pixels": (b"", riff(b"EXIF", SIX)),
    "prefixed": (riff(b"EXIF", b"Exif\0\0" + SIX), b""),
    "behind a text and a profile": (
        riff(b"XMP ", b"<x/>") + riff(b"ICCP", b"none") + riff(b"EXIF", SIX),
        b"",
    ),
    "the first of two before": (riff(b"EXIF", SIX) + riff(b"EXIF", ONE), b""),
    "the first of two behind": (b"", riff(b"EXIF", SIX) + riff(b"EXIF", ONE)),
    "before, and another behind": (riff(b"EXIF", SIX), riff(b"EXIF", ONE)),
    "in front of a megabyte": (riff(b"EXIF", SIX + bytes(1 << 20)), b""),
    "behind, in front of a cut": (b"", riff(b"EXIF", SIX) + b"XMP \xff\xff\0\0abc"),
}


@pytest.mark.parametrize("case", TURNED)
def test_a_webp_is_turned_wherever_its_orientation_stands(case: str) -> None:
    before, behind = TURNED[case]
    data = webp(before, behind, picture=stored(scene(80, 60), 6))
    assert shown(data).tobytes() == scene(80, 60).tobytes()


@pytest.mark.parametrize(
    "behind", [b"XMP \xff\xff\0\0abc", b"EXIF\xff\xff\xff\xffII", b"EX", riff(b"EXIF", b"")]
)
def test_what_is_behind_a_frame_cannot_spoil_it(behind: bytes) -> None:
    assert shown(webp(behind=behind)).tobytes() == scene(80, 60).tobytes()


def test_no_orientation_is_looked_for_where_none_is_announced() -> None:
    assert shown(webp(behind=riff(b"EXIF", SIX), flags=0)).tobytes() == scene(80, 60).tobytes()


def test_the_first_profile_of_a_webp_counts() -> None:
    p3, adobe = (riff(b"ICCP", matrix_profile(name)) for name in ("Display P3", "Adobe RGB"))
    assert shown(webp(p3 + adobe)).tobytes() == shown(webp(p3)).tobytes() != shown(webp(adobe)).tobytes()


JUNK = riff(b"JUNK", b"")
WEBP_REFUSED: dict[str, Callable[[], bytes]] = {
    "empty chunks": lambda: webp(JUNK * PARTS),
    "EXIF blocks": lambda: webp(riff(b"EXIF", ONE) * PARTS),
    "chunks behind the pixels": lambda: webp(behind=JUNK * PARTS),
    "headers": lambda: webp(webp()[12:30] * PARTS),
}


@pytest.mark.parametrize("case", WEBP_REFUSED)
def test_more_chunks_than_an_honest_webp_has_are_refused(case: str) -> None:
    with pytest.raises(TooLarge, match="more than 40000 chunks"):
        picture_of(Variant.ICON, WEBP_REFUSED[case]())


@pytest.mark.parametrize("length", [0, 9])
def test_a_header_too_short_is_reported(length: int) -> None:
    data = webp()
    with pytest.raises(UnreadableImage):
        picture_of(Variant.ICON, data[:16] + length.to_bytes(4, "little") + data[20:])


def test_alpha_and_colours_may_have_something_between_them() -> None:
    original = scene(80, 60).convert("RGBA")
    original.putalpha(Image.linear_gradient("L").resize((80, 60)))
    data = encoded(original, "WEBP", quality=90)
    at = data.index(b"VP8 ")
    assert b"ALPH" in data[:at]
    assert shown(data[:at] + JUNK + riff(b"abcd", b"abc") + data[at:]).tobytes() == shown(data).tobytes()


def test_the_colours_behind_an_alpha_count_in_what_fits() -> None:
    """The alpha's chunk alone says little of how long the frame is."""
    size = (2500, 2000)
    data = encoded(Image.new("RGBA", size, (10, 20, 30, 99)), "WEBP", quality=50)
    at = data.index(b"VP8 ")
    long = data[: at + 4] + (20_000_000).to_bytes(4, "little") + data[at + 8 :]
    with pytest.raises(TooLarge, match="the limit for a WebP of this shape"):
        picture_of(Variant.ICON, long)
    assert picture_of(Variant.ICON, data).size == (128, 128)


@pytest.mark.parametrize("lossless", [False, True])
def test_a_first_frame_that_is_a_part_of_its_canvas_is_laid_on_the_background(lossless: bool) -> None:
    pixels = encoded(scene(40, 30), "WEBP", lossless=lossless, quality=95)[12:]
    numbers = (10 // 2, 6 // 2, 39, 29, 100)
    frame = b"".join(number.to_bytes(3, "little") for number in numbers) + b"\0" + pixels
    sides = (99).to_bytes(3, "little") + (79).to_bytes(3, "little")
    body = b"WEBP" + riff(b"VP8X", b"\x02\0\0\0" + sides) + riff(b"ANIM", bytes(6)) + riff(b"ANMF", frame) * 2
    picture = shown(b"RIFF" + len(body).to_bytes(4, "little") + body, "#204060")
    expected = Image.new("RGB", (100, 80), "#204060")
    expected.paste(scene(40, 30), (10, 6))
    assert psnr(picture, expected) > (25 if not lossless else 98)
