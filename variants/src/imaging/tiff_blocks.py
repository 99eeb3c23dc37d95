"""The strips and tiles of a TIFF → rows of pixels.

The WebAssembly build of libtiff knows neither Deflate nor JPEG, so these two are unpacked here; what is left
goes to Pillow as a small TIFF of its own, which keeps the meaning of every tag in one place.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

from PIL import Image, ImageChops
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from imaging.errors import UnreadableImage
from imaging.geometry import Size
from imaging.modes import workable
from imaging.raster import BROKEN, Raster, loaded, quietly
from imaging.source import CUT_SHORT
from imaging.tiff_layout import (
    BITS,
    COMPRESSION,
    COUNTS,
    EXTRA,
    JPEG,
    LENGTH,
    OFFSETS,
    PHOTOMETRIC,
    PLAIN,
    PREDICTOR,
    ROWS,
    SAMPLES,
    SUBSAMPLING,
    TABLES,
    UNPACKED_HERE,
    WIDTH,
    YCC,
    Layout,
)

# Tags that say what the samples mean; the others say where they are, or are metadata.
_MEANING = (BITS, PHOTOMETRIC, 266, SAMPLES, 292, 293, 320, EXTRA, 339, SUBSAMPLING, 532)
_CARRIERS = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_JPEG_MODES = {
    1: ("L", "L", "L"),
    2: ("RGB", "RGB", "RGB"),
    6: ("RGB", "RGB", "YCbCr"),
    5: ("CMYK", "CMYK", "CMYK"),
}
_MERGED = {(2, 2): "LA", (2, 3): "RGB", (2, 4): "RGBA", (1, 2): "LA", (5, 4): "CMYK"}


def strips(layout: Layout, data: memoryview, rows: int) -> Iterator[Image.Image]:
    """The picture's rows, top to bottom, about `rows` at a time where the packing allows it."""
    for down in range(layout.down):
        height = min(layout.block.height, layout.size.height - down * layout.block.height)
        if layout.across == layout.planes == 1 and not layout.tiled:
            yield from _block(layout, data, down, height, rows)
        else:
            yield _row_of_blocks(layout, data, down, height)


def _row_of_blocks(layout: Layout, data: memoryview, down: int, height: int) -> Image.Image:
    planes = [_plane(layout, data, plane, down, height) for plane in range(layout.planes)]
    if layout.planes == 1:
        return planes[0]
    return Image.merge(_MERGED[layout.photometric, layout.planes], [workable(plane) for plane in planes])


def _plane(layout: Layout, data: memoryview, plane: int, down: int, height: int) -> Image.Image:
    """One row of blocks side by side, of one plane."""
    full = layout.block.height if layout.tiled else height
    first = (plane * layout.down + down) * layout.across
    tiles = [next(_block(layout, data, index, full, full)) for index in range(first, first + layout.across)]
    strip = Image.new(tiles[0].mode, (layout.size.width, height), None)
    if tiles[0].mode == "P":
        strip.putpalette(tiles[0].getpalette() or [])
    for across, tile in enumerate(tiles):
        strip.paste(tile, (across * layout.block.width, 0))
    return strip


def _block(layout: Layout, data: memoryview, index: int, height: int, rows: int) -> Iterator[Image.Image]:
    offset, length = layout.places[index]
    packed = data[offset : offset + length]
    if len(packed) < length:
        raise UnreadableImage(CUT_SHORT)
    size = Size(layout.block.width, height)
    if layout.compression == JPEG:
        yield _from_jpeg(layout, packed, size)
    elif layout.compression in UNPACKED_HERE:
        for part in _unpacked(layout, packed, height, rows):
            if layout.predictor == 2:
                part = _summed(layout, part)
            rows_of_part = Size(size.width, len(part) // layout.row)
            if layout.photometric == YCC:  # which Pillow takes for libtiff's own RGB
                yield Image.frombytes("YCbCr", rows_of_part, part)
            else:
                yield _opened(layout, part, rows_of_part, PLAIN)
    else:
        yield _opened(layout, packed, size, layout.compression)


def _unpacked(layout: Layout, packed: memoryview, height: int, rows: int) -> Iterator[bytes]:
    inflate = zlib.decompressobj()
    rest: bytes | memoryview = packed
    for top in range(0, height, rows):
        wanted = min(rows, height - top) * layout.row
        if layout.compression == PLAIN:
            part = bytes(packed[top * layout.row : top * layout.row + wanted])
        else:
            try:
                part = inflate.decompress(rest, wanted)
            except zlib.error as error:
                raise UnreadableImage(BROKEN) from error
            rest = inflate.unconsumed_tail
        if len(part) < wanted:
            raise UnreadableImage(CUT_SHORT)
        yield part


def _summed(layout: Layout, part: bytes) -> bytes:
    """Undo the horizontal predictor."""
    if layout.bits == 8:
        return _summed_bytes(part, layout.row, layout.samples)
    low, high = (0, 1) if layout.tags.prefix == b"II" else (1, 0)
    row = layout.row // 2
    differences = part[low::2]
    sums = _summed_bytes(differences, row, layout.samples)
    size = (row, len(sums) // row)
    # A sum below its last addend has run over, and one more goes into the high byte.
    over = ImageChops.subtract(Image.frombytes("L", size, differences), Image.frombytes("L", size, sums))
    carried = ImageChops.add_modulo(
        Image.frombytes("L", size, part[high::2]), over.point([0] + [1] * 255)
    ).tobytes()
    whole = bytearray(len(part))
    whole[low::2] = sums
    whole[high::2] = _summed_bytes(carried, row, layout.samples)
    return bytes(whole)


def _summed_bytes(part: bytes, row: int, step: int) -> bytes:
    """Running sums along each row: what PNG calls the Sub filter, for which Pillow has a decoder."""
    mode = _CARRIERS[step]
    raster = Raster(mode, Size(row // step, len(part) // row), "zip", (mode, 0))
    lines = (b"\x01" + part[at : at + row] for at in range(0, len(part), row))
    raster.feed(zlib.compress(b"".join(lines), 0))
    return raster.image.tobytes()


def _opened(layout: Layout, packed: bytes | memoryview, size: Size, compression: int) -> Image.Image:
    """The block as a TIFF of its own, read by Pillow."""
    with quietly():
        tags = _tags(layout, size, compression)
        tags[COUNTS] = len(packed)
        file = BytesIO()
        tags.save(file)
        file.write(packed)
        file.seek(0)
        return loaded(file, "TIFF")


def _tags(layout: Layout, size: Size, compression: int) -> ImageFileDirectory_v2:
    order = layout.tags.prefix
    tags = ImageFileDirectory_v2(order + (b"\x2a\0" if order == b"II" else b"\0\x2a") + bytes(4))
    for tag in _MEANING:
        if tag in layout.tags and not (layout.planes > 1 and tag == EXTRA):
            tags[tag] = layout.tags[tag]
    if layout.planes > 1:
        tags[BITS], tags[SAMPLES], tags[PHOTOMETRIC] = (layout.bits,), 1, 1
    tags[WIDTH], tags[LENGTH], tags[ROWS] = size.width, size.height, size.height
    tags[COMPRESSION], tags[OFFSETS] = compression, 0
    if compression != PLAIN and layout.predictor != 1:
        tags[PREDICTOR] = layout.predictor
    return tags


def _from_jpeg(layout: Layout, packed: memoryview, size: Size) -> Image.Image:
    tables = layout.tags.get(TABLES, b"")
    stream = bytes(tables[:-2] or b"\xff\xd8") + bytes(packed[2:])
    if _frame_size(stream) != size:
        raise UnreadableImage(BROKEN)
    mode, rawmode, coded = _JPEG_MODES[1 if layout.planes > 1 else layout.photometric]
    raster = Raster(mode, size, "jpeg", (rawmode, coded, 1, 0))
    raster.feed(stream)
    if not raster.done:
        raise UnreadableImage(CUT_SHORT)
    return raster.image


def _frame_size(stream: bytes) -> Size:
    """What the JPEG itself says its size is; the decoder trusts it."""
    at = 2
    while at + 9 < len(stream) and stream[at] == 0xFF:
        if 0xC0 <= stream[at + 1] <= 0xCF and stream[at + 1] not in (0xC4, 0xC8, 0xCC):
            return Size(*struct.unpack(">HH", stream[at + 5 : at + 9])[::-1])
        at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return Size(0, 0)
