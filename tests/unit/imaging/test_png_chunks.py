"""What the chunks of a PNG mean, and how many of them there may be."""

import struct
import time
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.originals import empty_blocks, encoded, png_chunk, png_file, psnr, scene
from tests.support.imaging.profiles import grey_profile, matrix_profile
from tests.support.imaging.rendering import picture_of
from tests.unit.imaging.test_orientation import exif_block, stored

from imaging import heap
from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.png import half_of
from imaging.variants import Variant

SIZE = (61, 43)
P3, ADOBE = matrix_profile("Display P3"), matrix_profile("Adobe RGB")
HIDDEN = png_chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))


def levels() -> np.ndarray:
    return np.asarray(scene(*SIZE))


def seen(extra: bytes = b"", behind: bytes = b"", **options: object) -> Image.Image:
    """A scene as a PNG with more chunks, as its display shows it."""
    data = png_file(levels(), extra=extra, **options)  # type: ignore[arg-type]
    end = data.index(b"IEND") - 4
    return picture_of(Variant.WATERMARK, data[:end] + behind + data[end:])


def iccp(profile: bytes) -> bytes:
    return png_chunk(b"iCCP", b"name\0\0" + zlib.compress(profile))


def broken(chunk: bytes) -> bytes:
    return chunk[:-1] + bytes([chunk[-1] ^ 1])


def cicp(primaries: int, transfer: int, matrix: int = 0, full_range: int = 1) -> bytes:
    return png_chunk(b"cICP", bytes([primaries, transfer, matrix, full_range]))


def gama(gamma: float) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(*numbers: float) -> bytes:
    return png_chunk(b"cHRM", struct.pack(">8I", *(round(number * 100_000) for number in numbers)))


SRGB_CHRM = chrm(0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
ADOBE_CHRM = chrm(0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
SRGB = png_chunk(b"sRGB", b"\0")


@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"acTL", bytes(8)),
        iccp(P3),
        cicp(12, 13),
        HIDDEN,
        png_chunk(b"eXIf", exif_block(6)[6:]),
        png_chunk(b"tEXt", b"Comment\0text"),
        png_chunk(b"xyZz", b"something"),
    ],
    ids=lambda chunk: chunk[4:8].decode(),
)
def test_an_ancillary_chunk_with_a_wrong_checksum_is_left_out(chunk: bytes) -> None:
    assert seen(broken(chunk)).tobytes() == seen().tobytes()


@pytest.mark.parametrize("chunk", [iccp(P3), cicp(12, 13)], ids=["iCCP", "cICP"])
def test_a_good_chunk_behind_a_broken_one_counts(chunk: bytes) -> None:
    assert seen(broken(chunk) + chunk).tobytes() == seen(chunk).tobytes() != seen().tobytes()


def test_a_palette_with_a_wrong_checksum_is_reported() -> None:
    data = encoded(scene(*SIZE).quantize(16))
    at = data.index(b"PLTE")
    end = at + 4 + int.from_bytes(data[at - 4 : at], "big")
    with pytest.raises(UnreadableImage):
        picture_of(Variant.ICON, data[:end] + bytes(4) + data[end + 4 :])


def test_display_p3_by_its_code_points_is_display_p3_by_its_profile() -> None:
    assert psnr(seen(cicp(12, 13)), seen(iccp(P3))) > 45
    assert psnr(seen(cicp(12, 13)), seen()) < 35


def test_code_points_of_srgb_change_no_level() -> None:
    assert seen(cicp(1, 13)).tobytes() == seen().tobytes()


def test_a_narrow_range_is_stretched() -> None:
    narrow = np.round(levels() * (219 / 255) + 16).astype(np.uint8)
    picture = picture_of(Variant.WATERMARK, png_file(narrow, extra=cicp(1, 13, full_range=0)))
    assert psnr(picture, scene(*SIZE)) > 40


@pytest.mark.parametrize(
    ("chunks", "decisive"),
    [
        (cicp(1, 13) + iccp(P3), b""),
        (iccp(P3) + cicp(1, 13), b""),
        (iccp(P3) + SRGB, iccp(P3)),
        (SRGB + gama(1 / 1.8) + ADOBE_CHRM, b""),
        (gama(1 / 2.2) + ADOBE_CHRM + iccp(P3), iccp(P3)),
        (iccp(P3) + iccp(ADOBE), iccp(P3)),
        (cicp(12, 13) + cicp(1, 13), cicp(12, 13)),
    ],
    ids=[
        "cICP and iCCP",
        "in the other order",
        "sRGB",
        "gAMA and sRGB",
        "gAMA and iCCP",
        "two iCCP",
        "two cICP",
    ],
)
def test_the_better_word_on_colour_counts(chunks: bytes, decisive: bytes) -> None:
    assert seen(chunks).tobytes() == seen(decisive).tobytes()


@pytest.mark.parametrize(
    "chunk",
    [
        cicp(2, 13),
        cicp(1, 2),
        cicp(200, 13),
        cicp(12, 13, matrix=1),
        png_chunk(b"cICP", b"\x0c\x0d\0"),
        png_chunk(b"iCCP", b"name\0\0" + zlib.compress(P3)[:-40]),
        png_chunk(b"iCCP", b"name without an end"),
        iccp(b"no profile at all"),
        gama(1 / 1.8),
        ADOBE_CHRM,
        gama(0) + ADOBE_CHRM,
        gama(1 / 1.8) + chrm(0, 0, 0, 0, 0, 0, 0, 0),
        gama(1 / 1.8) + chrm(0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3),
        gama(1 / 2.2) + SRGB_CHRM,
    ],
)
def test_chunks_without_colour_change_no_level(chunk: bytes) -> None:
    assert seen(chunk).tobytes() == seen().tobytes()


def test_gamma_and_chromaticities_together_are_a_profile() -> None:
    gamma = 2.19921875
    assert psnr(seen(gama(1 / 1.8) + ADOBE_CHRM), seen()) < 30
    bright = matrix_profile("ProPhoto RGB")
    prophoto = chrm(0.3457, 0.3585, 0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001)
    assert psnr(seen(gama(1 / 1.8) + prophoto), seen(iccp(bright))) > 45
    assert psnr(seen(gama(1 / gamma) + ADOBE_CHRM), seen(iccp(ADOBE))) > 25  # sRGB's own curve stands for it


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_a_high_dynamic_range_is_refused_in_words(transfer: int, name: str) -> None:
    with pytest.raises(
        UnreadableImage, match=rf"high dynamic range \({name}\).*send it in sRGB or Display P3"
    ):
        seen(cicp(9, transfer))


def test_a_grey_picture_may_connect_through_lab() -> None:
    grey = np.asarray(scene(*SIZE).convert("L"))[..., None]
    profile = grey_profile(1.0, b"Lab ")
    picture = picture_of(Variant.WATERMARK, png_file(grey, extra=iccp(profile)))
    lightness = np.linspace(0, 100, 256)
    linear = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness * 27 / 24389)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    expected = np.round(255 * curve)[grey[..., 0]]
    assert np.abs(np.asarray(picture, np.float64) - expected).max() <= 1


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_colour_key_of_16_bits_compares_all_16(channels: int, interlaced: bool) -> None:
    """Every other pixel has the key; its neighbours differ from it in the lowest bit of one channel."""
    key = (0x1234, 0x5678, 0x9ABC)[:channels]
    pixels = np.empty((40, 50, channels), np.uint16)
    pixels[:] = key
    near = np.zeros((40, 50), bool)
    near[::2, 1::2] = near[1::2, ::2] = True
    for channel in range(channels):
        pixels[near & (np.arange(50) % channels == channel)[None], channel] ^= 1
    extra = png_chunk(b"tRNS", struct.pack(f">{channels}H", *key))
    for filters in (0, 1, 2):
        data = png_file(pixels, interlaced=interlaced, extra=extra, filters=filters)
        picture = np.asarray(picture_of(Variant.WATERMARK, data).convert("RGB"))
        assert (picture[~near] == 255).all()
        assert (
            np.abs(picture[near].astype(int) - [level >> 8 for level in key] * (3 // channels)) <= 1
        ).all()


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("above", [0, 0xFF00, 0x4200])
def test_a_colour_key_of_8_bits_leaves_out_what_is_above(above: int, interlaced: bool) -> None:
    pixels = np.full((20, 20, 3), 255, np.uint8)
    pixels[5:15] = (10, 20, 30)
    key = png_chunk(b"tRNS", struct.pack(">3H", above | 10, above | 20, above | 30))
    data = png_file(pixels, interlaced=interlaced, extra=key)
    assert np.asarray(picture_of(Variant.WATERMARK, data)).min() == 255
    assert np.asarray(picture_of(Variant.WATERMARK, data, "#000000"))[10].max() == 0


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("level", [0, -1])
def test_a_grey_level_of_few_bits_may_be_the_key(bits: int, level: int) -> None:
    level %= 1 << bits
    rows = b"".join(b"\0" + bytes([sum(level << at for at in range(0, 8, bits))] * 3) for _ in range(9))
    head = struct.pack(">IIBBBBB", 24 // bits, 9, bits, 0, 0, 0, 0)
    for key, colour in ((level, 200), (level | 0xFF00, 200), (level ^ 1, 255 * level // ((1 << bits) - 1))):
        data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + png_chunk(b"tRNS", struct.pack(">H", key))
        data += png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
        picture = picture_of(Variant.WATERMARK, data, "#c8c8c8")
        assert set(np.asarray(picture.convert("L")).flat) == {colour}


def test_more_alphas_than_colours_are_none() -> None:
    data = encoded(scene(*SIZE).quantize(16))
    at = data.index(b"IDAT") - 4
    for count, changed in ((16, True), (17, False)):
        with_alphas = data[:at] + png_chunk(b"tRNS", bytes(count)) + data[at:]
        differs = (
            picture_of(Variant.WATERMARK, with_alphas).tobytes()
            != picture_of(Variant.WATERMARK, data).tobytes()
        )
        assert differs is changed


def test_the_first_orientation_counts() -> None:
    upright = encoded(scene(80, 60))
    data = encoded(stored(scene(80, 60), 6))
    six, one = (png_chunk(b"eXIf", exif_block(value)[6:]) for value in (6, 1))
    at, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    for changed in (
        data[:at] + six + one + data[at:],
        data[:end] + six + one + data[end:],
        data[:at] + six + data[at:end] + one + data[end:],
        data[:at] + broken(one) + six + data[at:],
        data[:end] + png_chunk(b"tRNS", bytes(6)) + six + data[end:],
    ):
        assert (
            picture_of(Variant.WATERMARK, changed).tobytes()
            == picture_of(Variant.WATERMARK, upright).tobytes()
        )


@pytest.mark.parametrize("behind", [b"\0\0\1\0eXIf", b"\0\0\1\0tEXtabc", b"\xff\xff\xff\xffjunk", b"ab"])
def test_what_is_behind_the_pixels_cannot_spoil_them(behind: bytes) -> None:
    data = png_file(levels())
    end = data.index(b"IEND") - 4
    assert picture_of(Variant.WATERMARK, data[:end] + behind).tobytes() == seen().tobytes()


def test_chunks_that_belong_before_the_pixels_mean_nothing_behind_them() -> None:
    for chunk in (HIDDEN, iccp(P3), cicp(12, 13), cicp(9, 16)):
        for interlaced in (False, True):
            assert seen(behind=chunk, interlaced=interlaced).tobytes() == seen().tobytes()


@pytest.mark.parametrize("size", [(w, h) for w in (1, 2, 3, 4, 5, 8, 9) for h in (1, 2, 3, 4, 5, 8, 9)])
def test_interlaced_rows_of_every_size_are_put_together(size: tuple[int, int]) -> None:
    for channels in (1, 3, 4):
        pixels = np.asarray(scene(*size).convert({1: "L", 3: "RGB", 4: "RGBA"}[channels]))
        data = png_file(pixels.reshape(size[1], size[0], channels), interlaced=True)
        expected = Image.open(BytesIO(data)).convert("RGB")
        assert picture_of(Variant.WATERMARK, data).convert("RGB").tobytes() == expected.tobytes()


@pytest.mark.parametrize(("rows", "row"), [(1, 2), (2, 8), (5, 2), (40, 4), (3, 200)])
def test_halves_of_levels_are_taken_by_rows_or_by_columns(rows: int, row: int) -> None:
    random = np.random.default_rng(rows)
    packed = random.integers(0, 256, (rows, row + 1), np.uint8)
    for half in (0, 1):
        expected = np.hstack([packed[:, :1], packed[:, 1 + half :: 2]]).tobytes()
        assert bytes(half_of(packed.tobytes(), row, half)) == expected


def many(extra: bytes = b"", behind: bytes = b"", pixels: bytes | None = None) -> bytes:
    rows = png_chunk(b"IDAT", zlib.compress(bytes(65 * 64))) if pixels is None else pixels
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + rows + behind + png_chunk(b"IEND", b"")


CHUNKS = heap.MOST_PARTS + 1
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "EXIF blocks": (lambda: many(png_chunk(b"eXIf", exif_block(1)[6:]) * CHUNKS), "40000 chunks"),
    "texts": (lambda: many(png_chunk(b"tEXt", b"a\0b") * CHUNKS), "40000 chunks"),
    "packed texts": (
        lambda: many(png_chunk(b"zTXt", b"a\0\0" + zlib.compress(b"b")) * CHUNKS),
        "40000 chunks",
    ),
    "unknown chunks": (lambda: many(png_chunk(b"juNk", b"") * CHUNKS), "40000 chunks"),
    "empty IDATs": (lambda: many(pixels=png_chunk(b"IDAT", b"") * CHUNKS), "40000 chunks"),
    "chunks behind the pixels": (lambda: many(behind=png_chunk(b"juNk", b"") * CHUNKS), "40000 chunks"),
    "empty deflate blocks": (
        lambda: many(pixels=png_chunk(b"IDAT", empty_blocks(2 << 20))),
        r"1\.\d MB of packed pixels for the first 0\.0 MB of its rows; the limit is",
    ),
    "a gigapixel column": (
        lambda: (
            b"\x89PNG\r\n\x1a\n"
            + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1_000_000_000, 8, 0, 0, 0, 0))
            + png_chunk(b"IDAT", b"")
        ),
        "the limit is",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_more_work_than_an_honest_picture_is_refused_with_the_limit(case: str) -> None:
    make, named = REFUSED[case]
    with pytest.raises(TooLarge, match=named):
        picture_of(Variant.ICON, make())


def test_the_stream_that_comes_to_nothing_is_one() -> None:
    """Guards the case above: a decoder must take it for a sound beginning."""
    inflate = zlib.decompressobj()
    assert inflate.decompress(empty_blocks(50_000)) == b""
    assert not inflate.eof
    assert not inflate.unused_data


@pytest.mark.parametrize(
    "extra",
    [
        png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(4 << 20), 9)) * 200,
        png_chunk(b"eXIf", b"Exif\0\0" * 700_000),
        png_chunk(b"eXIf", exif_block(1)[6:] + bytes(4 << 20)),
    ],
    ids=["profiles", "prefixes", "a long EXIF block"],
)
def test_metadata_cost_no_more_than_reading_them(extra: bytes) -> None:
    data = many(extra)
    started = time.process_time()
    picture_of(Variant.ICON, data)
    assert time.process_time() - started < 2


def test_a_million_rows_of_16_bits_cost_what_their_pixels_cost() -> None:
    pixels = np.full((1_000_000, 1, 1), 0x8040, np.uint16)
    data = png_file(pixels, filters=0)
    started = time.process_time()
    picture = picture_of(Variant.WATERMARK, data)
    assert time.process_time() - started < 5
    assert set(np.asarray(picture).flat) == {0x80}
