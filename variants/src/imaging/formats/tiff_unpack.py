"""The strips and tiles of a TIFF → its samples, unpacked.

Deflate is inflated here, a few lines at a time. libtiff, through Pillow, unpacks LZW, PackBits and fax
codings; it gets a directory of our own, in which the bytes of samples are grey pixels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import cast

from PIL import Image

from imaging.errors import UnreadableImage
from imaging.formats.raster import BROKEN, Raster
from imaging.formats.tiff_layout import (
    BITS,
    COMPRESSION,
    COUNTS,
    DEFLATE,
    FAX,
    FAX3_OPTIONS,
    FAX4_OPTIONS,
    FILL_ORDER,
    LENGTH,
    OFFSETS,
    PHOTOMETRIC,
    PLAIN,
    ROWS,
    SAMPLES,
    WIDTH,
    Layout,
)
from imaging.geometry import Size
from imaging.heap import check_room
from imaging.source import CUT_SHORT

ROOM = 16 << 10  # bytes before the file, for a directory of our own
_MOST_AT_ONCE = (ROOM - 256) // 8
BAND = 1 << 19  # bytes of samples in progress, at eight bits each, where the blocks allow it
LARGEST_BAND = 1 << 21
_CHUNK = 1 << 16  # packed bytes at once: zlib copies what it does not use
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def rows_at_once(layout: Layout) -> int:
    """How many rows are unpacked together: whole blocks where these are small, parts of one where not."""
    group = layout.group.height
    # Many narrow blocks cost more than few wide ones, and every row has a fixed cost.
    band = BAND if layout.across == 1 else LARGEST_BAND
    lines = max(1, band // max(layout.spread_line, 64))
    rows = min(lines * group, layout.size.height)
    if rows >= layout.block.height:
        return rows // layout.block.height * layout.block.height
    if layout.lines(layout.block_rows) * layout.spread_line <= LARGEST_BAND:
        return layout.block_rows
    return rows


def unpacked(layout: Layout, file: bytearray, plane: int, column: int) -> Iterator[bytes]:
    """The samples of one plane's column of blocks, top to bottom, `rows_at_once` rows at a time.

    `file` begins with ROOM bytes that may be written to, and offsets count from there.
    """
    rows = rows_at_once(layout)
    first = (plane * layout.down) * layout.across + column
    if rows < layout.block_rows:
        for down in range(layout.down):
            height = min(layout.block.height, layout.size.height - down * layout.block.height)
            yield from _parts(layout, file, first + down * layout.across, height, rows)
    else:
        step = max(1, rows // layout.block.height)
        for down in range(0, layout.down, step):
            indices = [first + at * layout.across for at in range(down, min(layout.down, down + step))]
            height = min(rows, layout.size.height - down * layout.block.height)
            yield _blocks(layout, file, indices, height)


def _blocks(layout: Layout, file: bytearray, indices: list[int], height: int) -> bytes:
    """Whole blocks below each other, `height` rows in all."""
    if layout.compression not in (PLAIN, *DEFLATE):
        parts = [
            _by_libtiff(layout, file, indices[at : at + _MOST_AT_ONCE], rows).tobytes()
            for at, rows in _batches(layout, len(indices), height)
        ]
        return b"".join(parts)
    joined: list[bytes] = []
    for index in indices:
        rows = min(layout.block.height, height)
        height -= rows
        joined.extend(_parts(layout, file, index, rows, rows))
    return b"".join(joined)


def _batches(layout: Layout, count: int, height: int) -> Iterator[tuple[int, int]]:
    """The first block and the rows of each lot that libtiff is given."""
    for at in range(0, count, _MOST_AT_ONCE):
        yield at, min(height - at * layout.block.height, _MOST_AT_ONCE * layout.block.height)


def _parts(layout: Layout, file: bytearray, index: int, height: int, rows: int) -> Iterator[bytes]:
    """One block, `rows` rows at a time."""
    sizes = [layout.lines(min(rows, height - top)) * layout.line for top in range(0, height, rows)]
    if layout.compression == PLAIN:
        return _plain(layout, file, index, sizes)
    if layout.compression in DEFLATE:
        return _inflated(layout, file, index, sizes)
    return _sliced(_by_libtiff(layout, file, [index], height), layout.lines(rows))


def packed_block(layout: Layout, file: bytearray, index: int) -> memoryview:
    """The bytes of one block, not copied."""
    offset, length = layout.places[index]
    return memoryview(file)[ROOM + offset : ROOM + offset + length]


def _plain(layout: Layout, file: bytearray, index: int, sizes: list[int]) -> Iterator[bytes]:
    packed = packed_block(layout, file, index)
    at = 0
    for size in sizes:
        part = bytes(packed[at : at + size])
        at += size
        if len(part) < size:
            raise UnreadableImage(CUT_SHORT)
        yield part.translate(_REVERSED) if layout.reversed_bits else part


def _inflated(layout: Layout, file: bytearray, index: int, sizes: list[int]) -> Iterator[bytes]:
    packed = packed_block(layout, file, index)
    inflate = zlib.decompressobj()
    at, rest = 0, b""
    for size in sizes:
        held: list[bytes] = []
        while size:
            if not rest:
                rest = bytes(packed[at : at + _CHUNK])
                at += _CHUNK
                if not rest or inflate.eof:
                    raise UnreadableImage(CUT_SHORT)
                rest = rest.translate(_REVERSED) if layout.reversed_bits else rest
            try:
                held.append(inflate.decompress(rest, size))
            except zlib.error as error:
                raise UnreadableImage(BROKEN) from error
            size -= len(held[-1])
            rest = inflate.unconsumed_tail
        yield held[0] if len(held) == 1 else b"".join(held)


def _by_libtiff(layout: Layout, file: bytearray, indices: list[int], height: int) -> Image.Image:
    """Blocks below each other, unpacked as a picture whose pixels are the samples' bytes."""
    fax = layout.compression in FAX
    size = Size(layout.block.width if fax else layout.line, layout.lines(height))
    places = [layout.places[index] for index in indices]
    directory = _directory(
        {
            WIDTH: [size.width],
            LENGTH: [size.height],
            BITS: [1 if fax else 8],
            COMPRESSION: [layout.compression],
            PHOTOMETRIC: [1],
            FILL_ORDER: [2 if layout.reversed_bits else 1],
            OFFSETS: [ROOM + offset for offset, _ in places],
            SAMPLES: [1],
            ROWS: [layout.lines(min(height, layout.block.height))],
            COUNTS: [length for _, length in places],
            FAX4_OPTIONS if layout.compression == 4 else FAX3_OPTIONS: [layout.fax_options],
        }
    )
    file[: len(directory)] = directory
    mode = "1" if fax else "L"
    raster = Raster(mode, size, "libtiff", (mode, "", 0, 0))
    # Of one block. A decoder that runs out of memory reports a broken file, so memory is checked before.
    lines = layout.lines(min(height, layout.block.height))
    check_room([lines * layout.line, _reversed_bytes(layout, indices)])
    raster.feed(cast("bytes", file))  # any buffer will do
    return raster.image


def _reversed_bytes(layout: Layout, indices: list[int]) -> int:
    """Bytes that libtiff allocates for a packed block with reversed bits."""
    return max(layout.places[index][1] for index in indices) if layout.reversed_bits else 0


def _sliced(carrier: Image.Image, lines: int) -> Iterator[bytes]:
    for top in range(0, carrier.height, lines):
        yield carrier.crop((0, top, carrier.width, min(carrier.height, top + lines))).tobytes()


def _directory(tags: dict[int, list[int]]) -> bytes:
    """The beginning of a TIFF with these tags, all of 32-bit integers."""
    entries, arrays, at = b"", b"", 8 + 2 + 12 * len(tags) + 4
    for tag, values in sorted(tags.items()):
        array = struct.pack(f"<{len(values)}I", *values)
        entries += struct.pack("<HHI", tag, 4, len(values))
        if len(values) == 1:
            entries += array
        else:
            entries += struct.pack("<I", at + len(arrays))
            arrays += array
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + arrays
