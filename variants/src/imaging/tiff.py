"""TIFF originals: the file in memory, the pixels a band of rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from PIL import Image

from imaging import limits
from imaging.errors import TooLarge, UnreadableImage
from imaging.exif import ORIENTATION
from imaging.geometry import Size, area
from imaging.raster import BROKEN
from imaging.resample import Target, Treatment, resample, slices
from imaging.source import CUT_SHORT, Feed, Source
from imaging.tiff_blocks import strips
from imaging.tiff_jpeg import is_one_jpeg, resampled_jpeg
from imaging.tiff_layout import DEFLATE, FAX, JPEG, PLAIN, Ink, Layout, read_layout
from imaging.tiff_tags import Directory, read_directory
from imaging.tiff_unpack import ROOM, rows_at_once

_PROFILE = 34675
_PROFILE_LIMIT = 4 << 20
_STREAM, _INFLATING = 4 << 10, 112 << 10  # bytes that a column of blocks takes beside its pixels


class Tiff:
    """An original whose tags have been read. `file` has ROOM bytes in front."""

    def __init__(self, file: bytearray, tags: Directory, layout: Layout) -> None:
        self._file = file
        self._layout = layout
        self.size = layout.size
        turn = tags.number(ORIENTATION, 1)
        self.orientation = turn if 1 <= turn <= 8 else 1
        self.profile = tags.content(_PROFILE, _PROFILE_LIMIT)

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> list[Image.Image]:
        """Every target, as it is to be stored; raises TooLarge before any decoding when it would not fit."""
        if is_one_jpeg(self._layout):
            return await resampled_jpeg(self._layout, self._file, targets, treatment)
        outcome = sum(area(target.size) for target in targets) * 4

        def needed(size: Size) -> int:
            return _peak(self._layout, size, len(self._file), outcome)

        limits.admit(self.size, "a TIFF", needed)
        parts = (part for strip in strips(self._layout, self._file) for part in slices(strip))
        return resample(parts, self.size, targets, treatment)


async def open_tiff(source: Source, feed: Feed) -> Tiff:
    """Read the file, whose tags may stand at its end, and the tags; refuses bombs, decodes nothing."""
    most = limits.BUDGET - limits.WORKING
    if source.size > most:
        raise TooLarge(f"The TIFF has {source.size / 1e6:.0f} MB; the limit is {most / 1e6:.0f} MB.")
    file = await _whole(source, feed)
    data = memoryview(file)[ROOM:]
    tags = read_directory(data)
    layout = read_layout(tags, len(data))
    limits.check_pixels(layout.size, limits.MOST_PIXELS_INFLATED)
    return Tiff(file, tags, layout)


async def _whole(source: Source, feed: Feed) -> bytearray:
    """The file behind ROOM bytes, in memory that is taken once and never grows."""
    file = bytearray(ROOM + source.size)
    at = ROOM
    async with aclosing(feed.rest()) as chunks:
        async for chunk in chunks:
            if at + len(chunk) > len(file):
                raise UnreadableImage(BROKEN)
            file[at : at + len(chunk)] = chunk
            at += len(chunk)
    if at < len(file):
        raise UnreadableImage(CUT_SHORT)
    return file


def _peak(whole: Layout, size: Size, length: int, outcome: int) -> int:
    """Bytes that a picture of another size would take, packed as this one is."""
    width = size.width if whole.block.width == whole.size.width else whole.block.width
    layout = replace(whole, size=size, block=Size(width, whole.block.height), places=())
    file = length * area(size) // area(whole.size)
    rows, lines = rows_at_once(layout), layout.lines(layout.block_rows)
    # Samples as unpacked and at eight bits, and the pixels: of each block, and of all beside each other.
    passing = 3 * layout.lines(rows) * layout.spread_line + 8 * rows * size.width
    carried, block = 0, 0
    if layout.compression == JPEG:
        pixels = layout.block_rows * layout.block.width * layout.across
        carried = (
            pixels * (1 if layout.ink is Ink.GREY else 4) * (1 if layout.across == layout.planes == 1 else 2)
        )
        # Were it progressive, its coefficients would be kept.
        block = layout.block.width * (6 * layout.block_rows * layout.samples + 100)
        passing = 0
    elif layout.compression not in (PLAIN, *DEFLATE):
        block = lines * layout.line
        if layout.reversed_bits:  # what libtiff turns round, it copies
            block += max(packed for _, packed in whole.places) * area(size) // area(whole.size)
        if rows < layout.block_rows:
            carried = lines * layout.whole_line * (8 if layout.compression in FAX else 1)
    streams = layout.across * layout.planes
    inflating = layout.compression in DEFLATE and rows < layout.block_rows
    passing += streams * (_INFLATING if inflating else _STREAM)
    resampling = outcome + limits.RESAMPLING + passing
    if layout.down == 1:
        return file + carried + max(block, resampling)
    return file + carried + block + resampling
