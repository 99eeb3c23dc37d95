"""The directory of a TIFF, and files whose tags are missing, wrong or elsewhere."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from tests.support.imaging.originals import scene
from tests.support.imaging.profiles import matrix_profile
from tests.support.imaging.rendering import picture_of, rendered
from tests.support.imaging.tiffs import DEFLATE, LZW, PACKBITS, Packing, file_of, packed, tiff

from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.tiff_tags import MOST_ENTRIES, read_directory
from imaging.geometry import Size
from imaging.variants import Variant

SCENE = scene(60, 40)
LEVELS = np.asarray(SCENE)
COMPRESSIONS = [1, LZW, DEFLATE, PACKBITS]


def is_the_scene(data: bytes) -> bool:
    return picture_of(Variant.WATERMARK, data).tobytes() == SCENE.tobytes()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
def test_both_orders_of_both_formats(order: str, big: bool) -> None:
    assert is_the_scene(tiff(LEVELS, 2, Packing(order=order, big=big, rows=9)))


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("rows", [None, 9])
@pytest.mark.parametrize("counts", [None, 0, 1 << 31, 0xFFFFFFFF])
def test_lengths_that_are_missing_or_impossible(
    compression: int, rows: int | None, counts: int | None
) -> None:
    strips = 1 if rows is None else -(-40 // rows)
    packing = Packing(compression=compression, rows=rows)
    if counts is None:
        assert is_the_scene(tiff(LEVELS, 2, replace(packing, without=(279,))))
    else:
        assert is_the_scene(tiff(LEVELS, 2, replace(packing, tags={279: (counts,) * strips})))


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_lengths_that_are_too_large_but_inside_the_file(compression: int) -> None:
    assert is_the_scene(tiff(LEVELS, 2, Packing(compression=compression, rows=9, tags={279: (4000,) * 5})))


def test_a_length_that_is_too_small_is_damage() -> None:
    for compression in COMPRESSIONS:
        with pytest.raises(UnreadableImage):
            is_the_scene(tiff(LEVELS, 2, Packing(compression=compression, tags={279: 50})))


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_tiles_whose_places_are_called_strips(compression: int) -> None:
    packing = Packing(compression=compression, tile=(32, 16), big=True)
    blocks = [
        packed(np.pad(LEVELS, ((0, 8), (0, 4), (0, 0)))[top : top + 16, left : left + 32], packing)
        for top in (0, 16, 32)
        for left in (0, 32)
    ]
    offsets = np.cumsum([16, *(len(block) + len(block) % 2 for block in blocks)])[:-1]
    tags = {256: 60, 257: 40, 258: (8, 8, 8), 259: compression, 262: 2, 277: 3, 322: 32, 323: 16}
    tags |= {273: tuple(map(int, offsets)), 279: tuple(map(len, blocks))}
    assert is_the_scene(file_of(tags, blocks, replace(packing, without=(324, 325))))


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_rows_of_a_strip_may_be_missing(compression: int) -> None:
    assert is_the_scene(tiff(LEVELS, 2, Packing(compression=compression, without=(278,))))
    assert is_the_scene(tiff(LEVELS, 2, Packing(compression=compression, rows=10, without=(278,))))
    assert is_the_scene(tiff(LEVELS, 2, Packing(compression=compression, tags={278: 0xFFFFFFFF})))


@pytest.mark.parametrize(("photometric", "mode"), [(1, "L"), (2, "RGB")])
def test_the_meaning_of_samples_may_be_missing(photometric: int, mode: str) -> None:
    picture = SCENE.convert(mode)
    levels = np.asarray(picture).reshape(40, 60, -1)
    made = picture_of(Variant.WATERMARK, tiff(levels, photometric, Packing(without=(262,))))
    assert made.convert("RGB").tobytes() == picture.convert("RGB").tobytes()


def test_one_bit_depth_may_stand_for_all_samples() -> None:
    assert is_the_scene(tiff(LEVELS, 2, Packing(tags={258: 8})))


@pytest.mark.parametrize("kind", [1, 2, 4])
@pytest.mark.parametrize("bits", [8, 16])
def test_signed_and_void_samples_are_taken_as_they_lie(kind: int, bits: int) -> None:
    levels = LEVELS.astype(int) * (257 if bits == 16 else 1)
    assert is_the_scene(tiff(levels, 2, Packing(bits=bits, tags={339: (kind,) * 3})))


@pytest.mark.parametrize("turn", range(1, 9))
def test_the_orientation_counts(turn: int) -> None:
    size = rendered(Variant.WATERMARK, tiff(LEVELS, 2, Packing(tags={274: turn}, order=">"))).size
    assert size == (Size(60, 40) if turn < 5 else Size(40, 60))


@pytest.mark.parametrize("turn", [0, 9, 60000])
def test_an_orientation_that_means_nothing_is_none(turn: int) -> None:
    assert is_the_scene(tiff(LEVELS, 2, Packing(tags={274: turn})))


def test_the_profile_counts() -> None:
    profile = matrix_profile("Display P3")
    with_one = picture_of(Variant.WATERMARK, tiff(LEVELS, 2, Packing(tags={34675: profile})))
    assert with_one.tobytes() != SCENE.tobytes()


def test_of_a_tag_that_comes_again_the_first_counts() -> None:
    data = bytearray(tiff(LEVELS, 2))
    [at] = struct.unpack_from("<I", data, 4)
    [count] = struct.unpack_from("<H", data, at)
    data += bytes(len(data) % 2)
    struct.pack_into("<I", data, 4, len(data))
    again = struct.pack("<HHII", 262, 3, 1, 0) + struct.pack("<HHII", 256, 3, 1, 7)
    data += struct.pack("<H", count + 2) + data[at + 2 : at + 2 + 12 * count] + again + bytes(4)
    assert is_the_scene(bytes(data))


def test_other_directories_are_never_looked_at() -> None:
    data = bytearray(tiff(LEVELS, 2))
    [at] = struct.unpack_from("<I", data, 4)
    [count] = struct.unpack_from("<H", data, at)
    struct.pack_into("<I", data, at + 2 + 12 * count, at)  # the next is this one
    assert is_the_scene(bytes(data))


def test_a_tag_that_is_not_needed_may_be_damaged() -> None:
    assert is_the_scene(
        tiff(
            LEVELS,
            2,
            Packing(tags={700: (1 << 30,) * 5}),
        ).replace(b"\xbc\x02\x04\0", b"\xbc\x02\x63\0")
    )


def directory(entries: bytes, count: int) -> bytes:
    return b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4)


@pytest.mark.parametrize(
    "data",
    [
        b"II*\0",
        b"II*\0\xff\xff\xff\xff",
        b"II+\0\x08\0\0\0" + b"\xff" * 8,
        b"MM\0*\0\0\0\x08\0\x05",
        directory(b"", 3),
        directory(struct.pack("<HHII", 256, 4, 0xFFFFFFFF, 0xFFFFFFFF), 1),
        directory(struct.pack("<HHII", 256, 3, 1, 5) + struct.pack("<HHII", 257, 2, 4, 5), 2),
    ],
    ids=["header", "offset", "big offset", "big-endian", "entries", "values", "text for a number"],
)
def test_a_directory_that_is_not_there_is_damage(data: bytes) -> None:
    with pytest.raises(UnreadableImage):
        rendered(Variant.ICON, data)


def test_too_many_entries_are_refused() -> None:
    for order, big in (("<", False), (">", True)):
        data = bytearray(tiff(LEVELS, 2, Packing(order=order, big=big)))
        pointer, count = (("Q", 8), "Q") if big else (("I", 4), "H")
        [at] = struct.unpack_from(order + pointer[0], data, pointer[1])
        struct.pack_into(order + count, data, at, MOST_ENTRIES + 1)
        with pytest.raises(TooLarge, match=r"directory has 4,097 entries; the limit is 4,096\."):
            rendered(Variant.ICON, bytes(data))


def test_values_are_bounded_by_who_asks() -> None:
    data = tiff(LEVELS, 2, Packing(tags={700: bytes(range(200)), 529: (1, 2, 3), 34675: bytes(90)}))
    tags = read_directory(memoryview(data))
    assert tags.numbers(258, 2) == (8, 8)
    assert tags.count(258) == 3
    assert tags.content(34675, 89) is None
    assert tags.content(34675, 90) == bytes(90)
    assert tags.reals(529, 3) == ()
    assert tags.number(40000, 7) == 7
