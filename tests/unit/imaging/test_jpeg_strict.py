"""What a JPEG's headers may say, and what reaches the decoder of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image
from tests.support.fuzz.jpeg_cases import bases
from tests.support.imaging.jpegs import (
    ADOBE,
    COMMENT,
    DAC,
    DHT,
    DNL,
    DQT,
    DRI,
    SOS,
    changed,
    photograph,
    put_together,
    segment,
    taken_apart,
    with_segments,
    without,
)
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import picture_of
from tests.unit.imaging.test_jpeg import decoded, header_of

from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.jpeg_plan import Plan, choose
from imaging.formats.jpeg_reader import GROWING, MOST_SEGMENTS, JpegReader
from imaging.formats.jpeg_segments import Metadata, Scan
from imaging.formats.jpeg_writer import JpegWriter
from imaging.geometry import Box
from imaging.resample import Target
from imaging.variants import Variant

BASELINE = photograph(200, 150)
PROGRESSIVE = photograph(200, 150, progressive=True)
GREY = photograph(200, 150, mode="L")
FRAME = dict(taken_apart(BASELINE)[0])[0xC0]
FULL_TABLE = b"\0" + bytes([2, *[0] * 15]) + b"\x01\x02"  # its two codes of one bit leave none


def rewritten(data: bytes) -> bytes:
    """What a decoder would get of a file."""
    metadata = Metadata()
    reader = JpegReader(metadata=metadata)
    writer: JpegWriter | None = None
    out = b""
    for piece in reader.feed(data):
        if writer is None:
            assert reader.frame
            writer = JpegWriter(reader.frame, metadata.coding(reader.frame.components))
        out += writer.scan(piece, reader.tables) if isinstance(piece, Scan) else writer.data(piece)
    reader.finish()
    return out + b"\xff\xd9"


def between_scans(data: bytes, added: bytes) -> bytes:
    """With bytes in front of the second scan's tables."""
    start = data.index(b"\xff\xda")
    end = data.index(b"\xff\xc4", start)
    return data[:end] + added + data[end:]


REFUSED: dict[str, Callable[[], bytes]] = {
    "a block size of one": lambda: changed(changed(GREY, 0xC0, 0, 8), SOS, -2, 0).replace(
        b"\xff\xc0", b"\xff\xc1"
    ),
    "a spectrum that does not begin at 0": lambda: changed(BASELINE, SOS, -3, 1),
    "a spectrum that ends early": lambda: changed(BASELINE, SOS, -2, 62),
    "bits left out of a sequential scan": lambda: changed(BASELINE, SOS, -1, 0x01),
    "bits refined in a sequential scan": lambda: changed(BASELINE, SOS, -1, 0x10),
    "DC and AC in one progressive scan": lambda: changed(PROGRESSIVE, SOS, -2, 5),
    "a refinement by two bits": lambda: changed(PROGRESSIVE, SOS, -1, 0x31),
    "more bits left out than there are": lambda: changed(PROGRESSIVE, SOS, -1, 0x0E),
    "a scan of nothing": lambda: with_segments(BASELINE, (SOS, b"\0\0\x3f\0")),
    "a component twice in a scan": lambda: changed(BASELINE, SOS, 3, 1),
    "a component of no frame": lambda: changed(BASELINE, SOS, 1, 9),
    "one identifier for two components": lambda: changed(changed(BASELINE, 0xC0, 9, 1), SOS, 1, 2),
    "two components": lambda: changed(BASELINE, 0xC0, 5, 2),
    "five components": lambda: changed(BASELINE, 0xC0, 5, 5),
    "a frame longer than its components": lambda: put_together(
        [(marker, data + b"\0" if marker == 0xC0 else data) for marker, data in taken_apart(BASELINE)[0]],
        taken_apart(BASELINE)[1],
    ),
    "a sampling of 5": lambda: changed(BASELINE, 0xC0, 7, 0x51),
    "a sampling of 0": lambda: changed(BASELINE, 0xC0, 7, 0x02),
    "a sampling that does not divide": lambda: changed(changed(BASELINE, 0xC0, 7, 0x31), 0xC0, 10, 0x21),
    "a unit of more than ten blocks": lambda: changed(changed(BASELINE, 0xC0, 7, 0x44), 0xC0, 10, 0x11),
    "a quantisation table of no place": lambda: changed(BASELINE, 0xC0, 8, 4),
    "a quantisation table that is missing": lambda: changed(BASELINE, 0xC0, 8, 3),
    "a quantisation table that is short": lambda: with_segments(BASELINE, (DQT, b"\0" + bytes(16))),
    "a quantisation table with three bytes a number": lambda: with_segments(
        BASELINE, (DQT, b"\x20" + bytes(256))
    ),
    "a Huffman table of no place": lambda: with_segments(BASELINE, (DHT, b"\x04" + bytes(16))),
    "a Huffman table of no kind": lambda: with_segments(BASELINE, (DHT, b"\x20" + bytes(16))),
    "a Huffman table that is missing": lambda: changed(BASELINE, SOS, 2, 0x33),
    "a Huffman table of too many codes": lambda: with_segments(BASELINE, (DHT, b"\0" + bytes([255] * 16))),
    "a Huffman table whose codes run over": lambda: with_segments(BASELINE, (DHT, FULL_TABLE)),
    "a Huffman table that says more than it has": lambda: with_segments(
        BASELINE, (DHT, b"\0" + bytes([1] * 16))
    ),
    "a DC code for 16 bits": lambda: with_segments(BASELINE, (DHT, b"\0" + bytes([0, 1, *[0] * 14, 16]))),
    "the same table many times": lambda: with_segments(BASELINE, (DHT, (b"\x03" + bytes(16)) * 3000)),
    "a conditioning beyond its range": lambda: with_segments(BASELINE, (DAC, b"\0\x01")),
    "a restart interval of three bytes": lambda: with_segments(BASELINE, (DRI, bytes(3))),
    "a second frame": lambda: with_segments(BASELINE, (0xC0, FRAME)),
    "a second frame of another kind": lambda: with_segments(BASELINE, (0xC2, FRAME)),
    "a scan before the frame": lambda: without(BASELINE, 0xC0),
    "a second start": lambda: BASELINE[:20] + b"\xff\xd8" + BASELINE[20:],
    "an end before the scan": lambda: BASELINE[:20] + b"\xff\xd9" + BASELINE[20:],
    "lossless coding": lambda: BASELINE.replace(b"\xff\xc0", b"\xff\xc3"),
    "differential coding": lambda: BASELINE.replace(b"\xff\xc0", b"\xff\xc6"),
    "a reversible colour transform": lambda: with_segments(BASELINE, (0xF8, bytes(22))),
    "an expansion": lambda: with_segments(BASELINE, (0xDF, b"\x11")),
    "a reserved marker": lambda: with_segments(BASELINE, (0x02, b"")),
    "a length of one": lambda: BASELINE[:20] + b"\xff\xfe\0\1" + BASELINE[20:],
    "a length beyond the file": lambda: BASELINE[:20] + b"\xff\xfe\xff\xff" + BASELINE[20:],
    "no height, but lines counted later": lambda: with_segments(
        changed(changed(BASELINE, 0xC0, 1, 0), 0xC0, 2, 0), (DNL, b"\0\x96")
    ),
    "a frame between scans": lambda: between_scans(PROGRESSIVE, segment(0xC2, FRAME)),
    "a start between scans": lambda: between_scans(PROGRESSIVE, b"\xff\xd8"),
    "a short table between scans": lambda: between_scans(PROGRESSIVE, segment(DQT, b"\0" + bytes(16))),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_decoders_understand_differently_is_refused(kind: str) -> None:
    with pytest.raises(UnreadableImage):
        picture_of(Variant.ICON, REFUSED[kind]())


def test_an_edge_beyond_what_decoders_take_is_too_large() -> None:
    with pytest.raises(TooLarge, match="65,500"):
        picture_of(Variant.ICON, changed(changed(BASELINE, 0xC0, 1, 255), 0xC0, 2, 255))


PASSED: dict[str, Callable[[bytes], bytes]] = {
    "fill bytes": lambda data: data[:2] + b"\xff\xff\xff" + data[2:],
    "bare markers": lambda data: data[:2] + b"\xff\x01\xff\xd3" + data[2:],
    "a frame in a comment": lambda data: with_segments(
        data, (COMMENT, segment(0xC0, FRAME[:1] + b"\0\1\0\1" + FRAME[5:])), before=DQT
    ),
    "tables that nothing uses": lambda data: with_segments(data, (DHT, b"\x13" + FULL_TABLE[1:])),
    "a count of lines": lambda data: with_segments(data, (DNL, b"\0\x01")),
    "conditioning for arithmetic coding": lambda data: with_segments(data, (DAC, b"\0\x10\x11\x05")),
    "empty comments": lambda data: with_segments(data, *[(COMMENT, b"")] * 500),
}


@pytest.mark.parametrize("kind", PASSED)
@pytest.mark.parametrize("data", [BASELINE, GREY], ids=["colour", "grey"])
def test_what_means_nothing_never_reaches_the_decoder(kind: str, data: bytes) -> None:
    odd = PASSED[kind](data)
    assert odd != data
    assert rewritten(odd) == rewritten(data)


def test_metadata_never_reaches_the_decoder() -> None:
    data = encoded(scene(40, 30), "JPEG", comment=b"a comment", exif=b"Exif\0\0" + bytes(40))
    markers = [marker for marker, _ in taken_apart(rewritten(data))[0]]
    assert set(markers) == {ADOBE, 0xC0, DQT, DHT, SOS}


@pytest.mark.parametrize("data", [BASELINE, PROGRESSIVE, GREY, *bases()])
def test_what_is_written_anew_is_the_same_picture(data: bytes) -> None:
    once = rewritten(data)
    assert rewritten(once) == once
    assert decoded(once).tobytes() == decoded(data).tobytes()


def test_fill_bytes_inside_a_scan_are_taken_out() -> None:
    data = photograph(120, 80, restart_marker_blocks=2)
    filled = data.replace(b"\xff\xd1", b"\xff" * 5000 + b"\xd1").replace(b"\xff\0", b"\xff\xff\xff\0")
    assert len(filled) > len(data)
    assert rewritten(filled) == rewritten(data)


def test_one_component_needs_no_sampling() -> None:
    odd = changed(GREY, 0xC0, 7, 0x22)
    assert rewritten(odd) == rewritten(GREY)


def test_identifiers_may_be_alike_where_all_components_are_in_one_scan() -> None:
    alike = BASELINE
    for place in (9, 12):
        alike = changed(alike, 0xC0, place, 1)
    for place in (3, 5):
        alike = changed(alike, SOS, place, 1)
    assert rewritten(alike) == rewritten(BASELINE)


def test_a_scan_for_each_component() -> None:
    [data] = [data for data in bases() if data.count(b"\xff\xda") == 3 and b"\xff\xc0" in data]
    expected = decoded(data)
    assert psnr(picture_of(Variant.WATERMARK, data), expected) > 45


@pytest.mark.parametrize("sampling", [(0x31, 0x11), (0x41, 0x11), (0x14, 0x11), (0x12, 0x11), (0x22, 0x21)])
def test_every_sampling_that_divides_is_decoded(sampling: tuple[int, int]) -> None:
    """Flat pictures, whose data is the same for any number of blocks."""
    data = encoded(Image.new("RGB", (8, 8), "#c86432"), "JPEG", subsampling=0, quality=95)
    segments, rest = taken_apart(data)
    flat = [each for each in segments if each[0] != 0xC0]
    frame = dict(segments)[0xC0]
    luma, chroma = sampling
    frame = (
        frame[:7]
        + bytes([luma])
        + frame[8:10]
        + bytes([chroma])
        + frame[11:13]
        + bytes([chroma])
        + frame[14:]
    )
    odd = put_together([(0xC0, frame), *flat], rest)
    assert rewritten(odd).startswith(b"\xff\xd8\xff\xee")
    assert picture_of(Variant.WATERMARK, odd).size == (8, 8)


def test_segments_without_end_are_too_many() -> None:
    data = with_segments(BASELINE, *[(COMMENT, b"")] * (MOST_SEGMENTS + 1))
    with pytest.raises(TooLarge, match="2,000 segments"):
        picture_of(Variant.ICON, data)
    bare = BASELINE[:2] + b"\xff\x01" * (MOST_SEGMENTS + 1) + BASELINE[2:]
    with pytest.raises(TooLarge, match="2,000 segments"):
        picture_of(Variant.ICON, bare)


def more_scans(data: bytes, count: int) -> bytes:
    """With the last scan again and again."""
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * count + b"\xff\xd9"


def test_scans_are_counted_by_their_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(scene(800, 600).convert("L"), "JPEG", progressive=True)
    assert psnr(picture_of(Variant.ICON, more_scans(data, 50)), picture_of(Variant.ICON, data)) > 20
    monkeypatch.setattr("imaging.formats.jpeg.MOST_BLOCKS", 20 * 7500)
    assert picture_of(Variant.ICON, data)
    with pytest.raises(TooLarge, match="the limit for a progressive JPEG of this size is 20 full scans"):
        picture_of(Variant.ICON, more_scans(data, 50))


def test_a_hundred_more_scans_of_a_large_picture_are_too_many() -> None:
    data = encoded(Image.new("L", (5000, 5000), 128), "JPEG", progressive=True, quality=50)
    with pytest.raises(TooLarge, match="full scans"):
        picture_of(Variant.ICON, more_scans(data, 100))


def test_a_large_picture_may_have_few_interleaved_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imaging.formats.jpeg.choose", lambda *_: Plan(1, 2, 3, 0))
    segments, rest = taken_apart(PROGRESSIVE)
    end = rest.index(b"\xff\xc4")
    scan = segment(*segments[-1]) + rest[:end]
    many = put_together(segments, rest[:end] + scan * 4 + rest[end:])
    with pytest.raises(TooLarge, match="interleaved"):
        picture_of(Variant.WATERMARK, many)


def test_a_second_scan_of_a_component_is_refused() -> None:
    [data] = [data for data in bases() if data.count(b"\xff\xda") == 3 and b"\xff\xc0" in data]
    first = data[data.index(b"\xff\xda") :]
    first = first[: first.index(b"\xff\xda", 2)]
    with pytest.raises(UnreadableImage):
        rewritten(data.replace(first, first * 2))


@pytest.mark.parametrize("number", [-2, -1])
def test_arithmetic_coding_waits_for_the_whole_file(number: int) -> None:
    data = bases()[number]
    assert picture_of(Variant.WATERMARK, data).size == (32, 24)
    with pytest.raises(UnreadableImage):
        picture_of(Variant.WATERMARK, data[:-2])


def test_a_file_that_has_to_be_kept_counts() -> None:
    header = header_of(bases()[-1])
    assert header.kept == GROWING * len(bases()[-1])
    targets = [Target(Box(0, 0, *header.size), header.size)]
    more = replace(header, kept=header.kept + 10**7)
    assert choose(header, targets).peak < 10**7 < choose(more, targets).peak


def test_arithmetic_coding_has_a_limit_of_its_own() -> None:
    data = bases()[-1].replace(b"\x08\0\x18\0\x20\x01", b"\x08\x1f\x40\x1f\x40\x01")
    with pytest.raises(TooLarge, match="50 megapixels"):
        picture_of(Variant.ICON, data)


def test_scans_without_end_are_too_many() -> None:
    with pytest.raises(TooLarge, match="100 scans"):
        picture_of(Variant.ICON, more_scans(PROGRESSIVE, 100))
