"""TIFF originals: the file in memory, the pixels a strip at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from io import BytesIO

from PIL import Image

from imaging import limits
from imaging.errors import TooLarge
from imaging.exif import ORIENTATION
from imaging.geometry import Size, area
from imaging.raster import opened, quietly
from imaging.resample import Target, Treatment, resample, slices
from imaging.source import Feed, Source
from imaging.tiff_blocks import strips
from imaging.tiff_layout import DEFLATE, PLAIN, Layout, read_layout

_PROFILE = 34675
_ROWS = 64


class Tiff:
    """An original whose tags have been read."""

    def __init__(self, data: bytes, layout: Layout) -> None:
        self._data = data
        self._layout = layout
        self.size = layout.size
        turn = layout.tags.get(ORIENTATION, 1)
        self.orientation = turn if isinstance(turn, int) and 1 <= turn <= 8 else 1
        profile = layout.tags.get(_PROFILE)
        self.profile = profile if isinstance(profile, bytes) else None

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> list[Image.Image]:
        """Every target, as it is to be stored; raises TooLarge before any decoding when it would not fit."""
        length = len(self._data)
        outcome = sum(area(target.size) for target in targets) * 4

        def needed(size: Size) -> int:
            file = length * area(size) // area(self.size)
            return file + _decoding(self._layout, size) + outcome + limits.RESAMPLING

        limits.admit(self.size, "a TIFF", needed)
        rows = strips(self._layout, memoryview(self._data), _ROWS)
        parts = (part for strip in rows for part in slices(strip))
        return resample(parts, self.size, targets, treatment)


async def open_tiff(source: Source, feed: Feed) -> Tiff:
    """Read the file, whose tags may stand at its end, and the tags; refuses bombs, decodes nothing."""
    most = limits.BUDGET - limits.WORKING
    if source.size > most:
        raise TooLarge(f"The TIFF has {source.size / 1e6:.0f} MB; the limit is {most / 1e6:.0f} MB.")
    data = await _whole(source, feed)
    with quietly():
        layout = read_layout(opened(BytesIO(data), "TIFF").tag_v2)  # type: ignore[attr-defined]
    limits.check_pixels(layout.size, limits.MOST_PIXELS_INFLATED)
    return Tiff(data, layout)


async def _whole(source: Source, feed: Feed) -> bytes:
    """The file, in memory that is taken once and never grows."""
    file = BytesIO()
    file.seek(max(0, source.size - 1))
    file.write(b"\0")
    file.seek(0)
    async with aclosing(feed.rest()) as chunks:
        async for chunk in chunks:
            file.write(chunk)
    return file.getvalue()  # its own memory, not a copy


def _decoding(layout: Layout, size: Size) -> int:
    """Bytes that the rows being decoded take."""
    block_rows = layout.block.height
    if layout.compression in (PLAIN, *DEFLATE) and layout.across == layout.planes == 1 and not layout.tiled:
        block_rows = min(block_rows, _ROWS)
    rows = min(size.height, block_rows)
    # The packed block, its copy in a file of its own, the decoder's picture, the whole row of blocks.
    return size.width * rows * (3 * layout.planes * layout.samples * layout.bits // 8 + 8)
