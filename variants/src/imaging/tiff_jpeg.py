"""JPEG inside TIFF (Adobe's Technical Note 2): each strip or tile is a JPEG whose tables may stand apart.

What the components mean is told by the TIFF's tags, and the decoder is told so.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace

from PIL import Image

from imaging.errors import UnreadableImage
from imaging.geometry import Size
from imaging.jpeg import MOST_ARITHMETIC, Jpeg
from imaging.jpeg_header import read_header
from imaging.jpeg_metadata import Coding
from imaging.jpeg_strip import read_strip
from imaging.limits import CHUNK, check_pixels
from imaging.raster import BROKEN, Raster
from imaging.resample import Target, Treatment
from imaging.source import Feed
from imaging.tiff_layout import JPEG, Ink, Layout
from imaging.tiff_unpack import packed_block

_MODES = {
    Ink.GREY: ("L", "L"),
    Ink.RGB: ("RGB", "RGB"),
    Ink.YCC: ("RGB", "YCbCr"),
    Ink.CMYK: ("CMYK", "CMYK"),
}
_CODINGS = {Ink.GREY: Coding.GREY, Ink.RGB: Coding.RGB, Ink.YCC: Coding.YCC}
_FILLED = 16  # rows to whose next multiple a writer may have filled a JPEG up
_START, _END = b"\xff\xd8", b"\xff\xd9"


def jpeg_blocks(layout: Layout, file: bytearray, plane: int, column: int) -> Iterator[Image.Image]:
    """The blocks of one column, each decoded once its size is known to be the block's."""
    mode, coding = _MODES[Ink.GREY if layout.planes > 1 else layout.ink]
    for down in range(layout.down):
        rows = min(layout.block.height, layout.size.height - down * layout.block.height)
        packed = packed_block(layout, file, (plane * layout.down + down) * layout.across + column)
        strip = read_strip(packed, layout.tables, len(layout.places))
        if strip.arithmetic:
            check_pixels(layout.size, MOST_ARITHMETIC)
        _check(layout, strip.size, len(strip.components), rows)
        raster = Raster(mode, strip.size, "jpeg", (mode, coding, 1, 0))
        strip.decode(raster)
        whole = strip.size.height == rows
        yield raster.image if whole else raster.image.crop((0, 0, layout.block.width, rows))


def is_one_jpeg(layout: Layout) -> bool:
    """Whether the picture is a single JPEG, which can be decoded as such: scaled, luma apart from chroma."""
    whole = layout.block.width == layout.size.width and len(layout.places) == 1
    return layout.compression == JPEG and whole and layout.ink in _CODINGS and not layout.inverted


async def resampled_jpeg(
    layout: Layout, file: bytearray, targets: Sequence[Target], treatment: Treatment
) -> list[Image.Image]:
    """Every target of a picture that is a single JPEG."""
    source = _OneJpeg(layout, file)
    async with Feed(source) as feed:
        header, begun = await read_header(feed, source.size)
        _check(layout, header.size, len(header.components), layout.size.height)
        if header.arithmetic:
            check_pixels(header.size, MOST_ARITHMETIC)
        header = replace(header, coding=_CODINGS[layout.ink])
        return await Jpeg(source, header, begun, held=len(file)).resampled(targets, treatment)


class _OneJpeg:
    """The tables and the block as one JPEG file, read where they lie."""

    def __init__(self, layout: Layout, file: bytearray) -> None:
        self._tables = layout.tables.removesuffix(_END) or _START
        self._packed = packed_block(layout, file, 0)
        if self._packed[:2] != _START:
            raise UnreadableImage(BROKEN)
        self.size = len(self._tables) + len(self._packed) - len(_START)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield self._tables
        for start in range(len(_START), len(self._packed), CHUNK):
            yield bytes(self._packed[start : start + CHUNK])


def _check(layout: Layout, size: Size, components: int, rows: int) -> None:
    """A JPEG is as wide as its block, holds the rows wanted and hardly more, and has the samples of a pixel.

    Raises:
        UnreadableImage: it is not so.
    """
    most = -(-layout.block.height // _FILLED) * _FILLED
    fits = size.width == layout.block.width and rows <= size.height <= most
    if not fits or components != layout.samples:
        raise UnreadableImage(BROKEN)
