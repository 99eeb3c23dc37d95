"""Small originals that cost a careless renderer much, or made its decoder write past its memory.

A function each, which gives the bytes; the content type goes with it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from PIL import Image
from tests.support.pictures import encode, photo

JPEG, PNG, GIF, TIFF, WEBP = "image/jpeg", "image/png", "image/gif", "image/tiff", "image/webp"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
SHORT, LONG = 3, 4
Entries = list[tuple[int, int, int, int]]


def segments(data: bytes) -> list[tuple[int, int, int]]:
    """Marker, start and end of each segment of a JPEG up to its first scan's header."""
    found: list[tuple[int, int, int]] = []
    at = 2
    while not found or found[-1][0] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        found.append((data[at + 1], at, end))
        at = end
    return found


def more_scans(side: int, count: int) -> bytes:
    """A progressive JPEG whose last scan, of one colour, comes again and again."""
    data = encode(Image.new("L", (side, side), 90), "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * count + data[-2:]


def many_segments(marker: int, count: int, contents: bytes = b"") -> bytes:
    data = encode(photo(64, 64), "JPEG")
    segment = bytes([0xFF, marker]) + (len(contents) + 2).to_bytes(2, "big") + contents
    return data[:2] + segment * count + data[2:]


def another_block_size(side: int) -> bytes:
    """A sequential JPEG whose scan ends at coefficient 0: IJG's libjpeg 9 takes another size of block."""
    data = bytearray(encode(Image.new("L", (side, side), 90), "JPEG"))
    for marker, at, end in segments(bytes(data)):
        if marker == 0xC0:
            data[at + 1] = 0xC1
        elif marker == 0xDA:
            data[end - 2] = 0
    return bytes(data)


def two_frames(declared: int, width: int, before: bytes) -> bytes:
    """A TIFF whose JPEG is far wider than it says: a careless reader finds a frame inside of a comment."""
    data = encode(photo(width, 16), "JPEG", subsampling=0)
    [(at, end)] = [(at, end) for marker, at, end in segments(data) if marker == 0xC0]
    false = bytearray(data[at:end])
    false[7:9] = declared.to_bytes(2, "big")
    comment = b"\xff\xfe" + (len(false) + 2).to_bytes(2, "big") + bytes(false)
    block = data[:2] + before + data[at:end] + comment + data[2:at] + data[end:]
    return tiff(declared, 16, block, 1, 16, compression=7, samples=3)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, depth: int = 8, before: bytes = b"", empty: int = 0) -> bytes:
    """Grey rows of zeros; `before` are chunks, `empty` is how many chunks of no pixels come first."""
    packing, row = zlib.compressobj(9), bytes(1 + width * depth // 8)
    rows = [packing.compress(row * min(10_000, height - top)) for top in range(0, height, 10_000)]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", b"") * empty + chunk(b"IDAT", b"".join(rows) + packing.flush())
    return SIGNATURE + header + before + pixels + chunk(b"IEND", b"")


def profile(length: int) -> bytes:
    return chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(length), 9))


def tiff(
    width: int, height: int, block: bytes, blocks: int, rows: int, *, compression: int = 8, samples: int = 1
) -> bytes:
    """Strips that all lie in one place."""
    at = 8 + len(block) + len(block) % 2
    arrays = at + 2 + 9 * 12 + 4
    entries: Entries = [
        (256, LONG, 1, width),
        (257, LONG, 1, height),
        (258, SHORT, 1, 8),
        (259, SHORT, 1, compression),
        (262, SHORT, 1, 6 if samples == 3 else 1),
        (273, LONG, blocks, arrays if blocks > 1 else 8),
        (277, SHORT, 1, samples),
        (278, LONG, 1, rows),
        (279, LONG, blocks, arrays + 4 * blocks if blocks > 1 else len(block)),
    ]
    values = struct.pack("<I", 8) * blocks + struct.pack("<I", len(block)) * blocks
    return (
        struct.pack("<4sI", b"II*\0", at)
        + block.ljust(at - 8, b"\0")
        + directory(entries)
        + (values if blocks > 1 else b"")
    )


def directory(entries: Entries) -> bytes:
    packed = (struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + b"".join(packed) + bytes(4)


def rows_as_strips(width: int, height: int) -> bytes:
    return tiff(width, height, zlib.compress(bytes(width), 9), height, 1)


def one_blob(times: int, length: int) -> bytes:
    """A TIFF whose directory names the same bytes so often."""
    start = tiff(8, 8, bytes(64), 1, 8, compression=1)
    entries: Entries = [struct.unpack_from("<HHII", start, 74 + 12 * at) for at in range(9)]
    blob = 72 + 2 + 12 * (9 + times) + 4
    entries += [(700, 1, length, blob)] * times
    return start[:72] + directory(entries) + bytes(length)


def gif(before: bytes) -> bytes:
    """A small GIF with more blocks before its frame."""
    data = encode(Image.new("P", (64, 64)), "GIF")
    at = 13 + (3 << (data[10] & 7) + 1)
    return data[:at] + before + data[at:]


def webp(before: bytes) -> bytes:
    """A small WebP with more chunks before its pixels."""
    pixels = encode(photo(64, 64), "WEBP")[12:]
    head = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (63).to_bytes(3, "little") * 2
    body = b"WEBP" + head + before + pixels
    return b"RIFF" + struct.pack("<I", len(body)) + body


FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a hundred more scans": (lambda: more_scans(5000, 100), JPEG),
    "EXIF again and again": (lambda: many_segments(0xE1, 30_000, b"Exif\0\0II*\0\x08\0\0\0\0\0"), JPEG),
    "comments without end": (lambda: many_segments(0xFE, 100_000), JPEG),
    "another block size": (lambda: another_block_size(8000), JPEG),
    "two frames behind a fill byte": (lambda: two_frames(16, 60_000, b"\xff"), TIFF),
    "two frames behind TEM": (lambda: two_frames(16, 60_000, b"\xff\x01"), TIFF),
    "a pixel wide": (lambda: png(1, 5_000_000, 16), PNG),
    "200 profiles of 4 MiB": (lambda: png(64, 64, before=profile(4 << 20) * 200), PNG),
    "50,000 EXIF chunks": (lambda: png(64, 64, before=chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0") * 50_000), PNG),
    "4 MiB of EXIF prefixes": (lambda: png(64, 64, before=chunk(b"eXIf", b"Exif\0\0" * 700_000)), PNG),
    "50,000 chunks without pixels": (lambda: png(64, 64, empty=50_000), PNG),
    "a row a strip": (lambda: rows_as_strips(1000, 5000), TIFF),
    "a million rows": (lambda: rows_as_strips(1, 1_000_000), TIFF),
    "one blob named 20,000 times": (lambda: one_blob(20_000, 1 << 20), TIFF),
    "half a million comments": (lambda: gif(b"!\xfe\x01a\0" * 500_000), GIF),
    "a comment of half a million blocks": (lambda: gif(b"!\xfe" + b"\x01a" * 500_000 + b"\0"), GIF),
    "half a million chunks": (lambda: webp(b"JUNK\0\0\0\0" * 500_000), WEBP),
}
