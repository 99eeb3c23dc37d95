"""JPEG inside TIFF: one strip or tile, whose tables may stand apart."""

from __future__ import annotations

from collections.abc import Iterator

from imaging.errors import UnreadableImage
from imaging.geometry import Size
from imaging.jpeg_metadata import Coding
from imaging.jpeg_reader import JpegReader
from imaging.jpeg_segments import Component, Scan, Tables
from imaging.jpeg_writer import Decoding, JpegWriter
from imaging.raster import BROKEN, Raster

_STEP = 1 << 18
_MOST_SEGMENTS = 60  # a strip has about ten, a progressive one thirty, and there may be thousands of strips
_CODINGS = {1: Coding.GREY, 3: Coding.YCC, 4: Coding.CMYK}


class JpegStrip:
    """A strip whose header has been read; what its components mean is TIFF's to say.

    Where it is `buffered`, decoding takes 2 bytes a sample beside the raster.
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
        decoding = Decoding(raster, self._reader, JpegWriter(self._frame, _CODINGS[len(self.components)]))
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
