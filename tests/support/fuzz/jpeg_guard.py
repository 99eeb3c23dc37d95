"""Whether a decoder finds the size that was computed: it gets more room, and what it fills is looked at."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from tests.support.fuzz.jpeg_cases import Case

from imaging.errors import RenderError, UnreadableImage
from imaging.formats.jpeg_planes import PlaneWriter
from imaging.formats.jpeg_reader import JpegReader
from imaging.formats.jpeg_segments import Coding, Frame, Metadata, Scan
from imaging.formats.jpeg_writer import Decoding, JpegWriter
from imaging.formats.raster import Raster
from imaging.formats.tiff_jpeg import read_tables
from imaging.geometry import Size

MARGIN = Size(2048, 24)
MOST = 1 << 18  # pixels; of a header that says more, only the reading is tried
UNTOUCHED = 77
_MODES = {Coding.GREY: "L", Coding.YCC: "L", Coding.RGB: "RGB", Coding.CMYK: "CMYK", Coding.YCCK: "CMYK"}
_TIFF_CODINGS = {1: Coding.GREY, 3: Coding.YCC, 4: Coding.CMYK}


class WrongSizeError(AssertionError):
    """The decoder's size is not the one that was computed."""


class Outcome(NamedTuple):
    """`kind` is refused, large, broken, dark (decoded, but the last column is black) or decoded."""

    kind: str
    digest: int = 0


class _Reading:
    """A case read up to its first scan."""

    def __init__(self, case: Case) -> None:
        data, tables = case
        metadata = Metadata()
        self.reader = JpegReader(read_tables(tables), metadata)
        self._pieces = self.reader.feed(data)
        first = next(self._pieces, None)
        if not isinstance(first, Scan) or not self.reader.frame:
            raise UnreadableImage("There is no scan.")
        self._first = first
        self.frame = self.reader.frame
        parts = self.frame.components
        self.coding = _TIFF_CODINGS[len(parts)] if tables else metadata.coding(parts)

    @property
    def separable(self) -> bool:
        return self.frame.progressive and not self.frame.arithmetic and self.coding is Coding.YCC

    def decode(
        self, writer: JpegWriter, size: Size, scale: int, fill: int | None = None
    ) -> tuple[Raster, bool]:
        """A raster of that size, and whether the decoder was content with it."""
        grey = len(writer.frame.components) == 1
        mode = "L" if grey else _MODES[self.coding]
        raster = Raster(mode, size, "jpeg", (mode, "L" if grey else self.coding.value, scale, 0))
        if fill is not None:
            raster.image.paste((fill,) * len(mode) if len(mode) > 1 else fill, (0, 0, *size))
        decoding = Decoding(raster, self.reader, writer)
        try:
            decoding.take(self._first)
            for piece in self._pieces:
                decoding.take(piece)
            self.reader.finish()
            decoding.finish()
        except RenderError:
            return raster, False
        return raster, True


def outcome(case: Case, scale: int = 1) -> Outcome:
    """Read and decode, as a whole and component by component; raises WrongSizeError."""
    try:
        reading = _Reading(case)
    except RenderError:
        return Outcome("refused")
    frame, coding = reading.frame, reading.coding
    if frame.size.width * frame.size.height > MOST:
        return Outcome("large")
    if reading.separable:
        for part in range(len(frame.components)):
            _checked(_Reading(case), partial(_plane_writer, frame, part), case, scale)
    raster = _checked(reading, partial(JpegWriter, frame, coding), case, scale)
    if not raster:
        return Outcome("broken")
    size = Size(*raster.image.size)
    edge = raster.image.crop((size.width - 1, 0, *size)).tobytes()
    return Outcome("decoded" if any(edge) else "dark", zlib.crc32(raster.image.tobytes()))


def _plane_writer(frame: Frame, part: int) -> JpegWriter:
    return PlaneWriter(frame, part, {})


def _checked(reading: _Reading, writer: Callable[[], JpegWriter], case: Case, scale: int) -> Raster | None:
    """Decode with room to spare, then without: the raster, or None when the decoder is not content."""
    first = writer()
    whole = first.frame.size
    size = Size(-(-whole.width // scale), -(-whole.height // scale))
    room = Size(size.width + MARGIN.width, size.height + MARGIN.height)
    roomy, _ = reading.decode(first, room, scale, UNTOUCHED)
    rows = _rows_within(roomy, size)
    raster, done = _Reading(case).decode(writer(), size, scale)
    if done and rows != size.height:
        raise WrongSizeError(f"{rows} rows were decoded where {size} was computed")
    return raster if done else None


def _rows_within(raster: Raster, size: Size) -> int:
    """How many rows were filled; none of them further than the size says."""
    wide, high = raster.image.size
    last = raster.image.crop((wide - 1, 0, wide, high)).getchannel(0).tobytes()
    rows = len(last) - last.count(UNTOUCHED)
    # Behind what was decoded, a line of the decoder's is zeros.
    beside = raster.image.crop((size.width, 0, wide, high)).tobytes()
    if rows > size.height or beside.translate(None, bytes([0, UNTOUCHED])):
        raise WrongSizeError(f"{rows} rows, or a longer row, were decoded where {size} was computed")
    return rows
