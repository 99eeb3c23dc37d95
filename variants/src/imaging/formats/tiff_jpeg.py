"""JPEG inside TIFF (Adobe's Technical Note 2): each strip or tile is a JPEG whose tables may stand apart.

The TIFF's tags say what the components mean.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace

from PIL import Image

from imaging.errors import UnreadableImage
from imaging.formats.jpeg import Jpeg
from imaging.formats.jpeg_plan import MOST_ARITHMETIC
from imaging.formats.jpeg_reader import JpegReader, read_header
from imaging.formats.jpeg_segments import Coding, Component, Scan, Tables
from imaging.formats.jpeg_writer import Decoding, JpegWriter
from imaging.formats.raster import BROKEN, Raster
from imaging.formats.tiff_layout import JPEG, Ink, Layout
from imaging.formats.tiff_unpack import packed_block
from imaging.geometry import Size
from imaging.heap import CHUNK, check_pixels
from imaging.planes import Picture
from imaging.resample import Target, Treatment
from imaging.source import Feed

_MODES = {
    Ink.GREY: ("L", "L"),
    Ink.RGB: ("RGB", "RGB"),
    Ink.YCC: ("RGB", "YCbCr"),
    Ink.CMYK: ("CMYK", "CMYK"),
}
_CODINGS = {Ink.GREY: Coding.GREY, Ink.RGB: Coding.RGB, Ink.YCC: Coding.YCC}
_CODING_OF_COUNT = {1: Coding.GREY, 3: Coding.YCC, 4: Coding.CMYK}
_STEP = 1 << 18
_MOST_SEGMENTS = 60  # a strip has about ten, a progressive one thirty, and there may be thousands of strips
_FILLED = 16  # rows to whose next multiple a writer may have filled a JPEG up
_START, _END = b"\xff\xd8", b"\xff\xd9"


def jpeg_blocks(layout: Layout, file: bytearray, plane: int, column: int) -> Iterator[Image.Image]:
    """The blocks of one column of one plane; each is decoded only if its size is the block's."""
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
    """Whether the picture is a single JPEG, which is decoded as a JPEG file is: scaled, chroma separately."""
    whole = layout.block.width == layout.size.width and len(layout.places) == 1
    return layout.compression == JPEG and whole and layout.ink in _CODINGS and not layout.inverted


async def resampled_jpeg(
    layout: Layout, file: bytearray, targets: Sequence[Target], treatment: Treatment
) -> Sequence[Picture]:
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
    """Check that a JPEG has its block's width, at least its rows and hardly more, and a pixel's samples.

    Raises:
        UnreadableImage: One of these does not hold.
    """
    most = -(-layout.block.height // _FILLED) * _FILLED
    fits = size.width == layout.block.width and rows <= size.height <= most
    if not fits or components != layout.samples:
        raise UnreadableImage(BROKEN)


class JpegStrip:
    """A strip whose header has been read; the TIFF's tags say what its components mean.

    If it is `buffered`, decoding takes 2 bytes a sample in addition to the raster.
    """

    def __init__(self, pieces: Iterator[Scan | bytes], reader: JpegReader, first: Scan) -> None:
        frame = reader.frame
        if not frame:
            raise UnreadableImage(BROKEN)
        self.size: Size = frame.size
        self.components: tuple[Component, ...] = frame.components
        self.buffered = frame.progressive or len(first.parts) < len(frame.components)
        self.arithmetic = frame.arithmetic
        self._frame = frame
        self._reader = reader
        self._first = first
        self._pieces = pieces

    def decode(self, raster: Raster) -> None:
        """Fill a raster of the strip's size; raises TooLarge, or UnreadableImage when rows are missing."""
        decoding = Decoding(
            raster, self._reader, JpegWriter(self._frame, _CODING_OF_COUNT[len(self.components)])
        )
        decoding.take(self._first)
        for piece in self._pieces:
            decoding.take(piece)
        self._reader.finish()
        decoding.finish()


def read_strip(data: bytes | memoryview, tables: bytes = b"", strips: int = 1) -> JpegStrip:
    """Read a strip's or tile's header; `tables` are the bytes of the tag JPEGTables.

    All `strips` of a picture together may have as much work in their scans as one JPEG.

    Raises:
        UnreadableImage: broken, or of a kind that is not supported.
        TooLarge: more segments or scans than a picture of its size may have.
    """
    reader = JpegReader(read_tables(tables), most_segments=_MOST_SEGMENTS)
    reader.most_blocks //= strips
    pieces = _pieces(reader, data)
    first = next(pieces, None)
    if not isinstance(first, Scan):
        raise UnreadableImage(BROKEN)
    return JpegStrip(pieces, reader, first)


def _pieces(reader: JpegReader, data: bytes | memoryview) -> Iterator[Scan | bytes]:
    for start in range(0, len(data), _STEP):
        yield from reader.feed(bytes(data[start : start + _STEP]))


def read_tables(data: bytes) -> Tables:
    """The tables of the tag JPEGTables, which may be empty; raises UnreadableImage."""
    reader = JpegReader(most_segments=_MOST_SEGMENTS)
    if data and (any(reader.feed(data)) or reader.frame):
        raise UnreadableImage(BROKEN)
    return reader.tables
