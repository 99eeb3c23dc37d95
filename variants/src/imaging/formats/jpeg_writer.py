"""Scans and their data → a JPEG of our own → a decoder."""

from __future__ import annotations

from io import BytesIO

from imaging.errors import UnreadableImage
from imaging.formats.jpeg_reader import JpegReader
from imaging.formats.jpeg_segments import (
    ADOBE,
    DAC,
    DHT,
    DQT,
    DRI,
    EOI,
    SOI,
    Coding,
    Frame,
    Scan,
    Tables,
    coefficient_arrays,
    needed_tables,
    segment,
    written_frame,
    written_scan,
)
from imaging.formats.raster import Raster
from imaging.heap import check_room
from imaging.source import CUT_SHORT

# IJG's libjpeg evaluates the component identifiers before Adobe's marker, libjpeg-turbo after it.
_NAMES = {
    Coding.GREY: (1,),
    Coding.YCC: (1, 2, 3),
    Coding.RGB: tuple(b"RGB"),
    Coding.CMYK: (1, 2, 3, 4),
    Coding.YCCK: (1, 2, 3, 4),
}
_TRANSFORMS = {Coding.YCC: 1, Coding.RGB: 0, Coding.CMYK: 0, Coding.YCCK: 2}
_END = bytes([0xFF, EOI])
_FILLER = b"\xff\x00"  # eight ones: no code begins so, and after the last row every decoder skips it
_AHEAD = 8  # bytes that a decoder reads ahead
LINE = 100  # bytes that it allocates for lines, for each column of the picture


class JpegWriter:
    """Writes one JPEG anew: headers from the parsed ones, each table before the scan that needs it."""

    def __init__(self, frame: Frame, coding: Coding) -> None:
        self.frame = frame
        self._coding = coding
        self._given: dict[tuple[int, int], bytes] = {(DRI, 0): bytes(2)}
        self._started = False

    def scan(self, scan: Scan, tables: Tables) -> bytes:
        """The scan's header, with the segments that must precede it."""
        parts = [b"" if self._started else self._start()]
        self._started = True
        frame, names = self.frame, _NAMES[self._coding]
        for part in scan.parts:
            place = frame.components[part].table
            parts.append(self._unless_given(DQT, place, tables.quantisation(place)))
        for place in needed_tables(scan, frame):
            if frame.arithmetic:
                parts.append(self._unless_given(DAC, place, tables.conditioning(place)))
            else:
                parts.append(self._unless_given(DHT, place, tables.huffman(place)))
        parts.append(self._unless_given(DRI, 0, tables.interval.to_bytes(2, "big")))
        return b"".join(parts) + written_scan(scan, frame, names)

    def data(self, piece: bytes) -> bytes:
        """A piece of the scan's data."""
        return piece

    def finish(self) -> bytes:
        """The last bytes before the end marker."""
        return b""

    def _start(self) -> bytes:
        start = bytes([0xFF, SOI])
        if self._coding in _TRANSFORMS:
            start += segment(ADOBE, b"Adobe\0\x64\0\0\0\0" + bytes([_TRANSFORMS[self._coding]]))
        return start + written_frame(self.frame, _NAMES[self._coding])

    def _unless_given(self, marker: int, place: int, data: bytes) -> bytes:
        if self._given.get((marker, place)) == data:
            return b""
        self._given[marker, place] = data
        return segment(marker, data)


class Decoding:
    """Feeds a raster with the results of a reader."""

    def __init__(self, raster: Raster, reader: JpegReader, writer: JpegWriter) -> None:
        self._raster = raster
        self._reader = reader
        self._writer = writer
        # An arithmetic decoder cannot wait for more bytes.
        self._kept = BytesIO() if writer.frame.arithmetic else None
        self._started = False

    def take(self, piece: Scan | bytes) -> None:
        """Decode one result of the reader; raises UnreadableImage when it is damaged."""
        if isinstance(piece, bytes):
            self._feed(self._writer.data(piece))
        else:
            self._feed(self._writer.scan(piece, self._reader.tables))

    def finish(self) -> None:
        """Nothing more will be fed; raises UnreadableImage when rows are missing."""
        self._feed(self._writer.finish())
        if not self._reader.closed:
            self._check_end()
        if self._kept is not None:
            self._kept.write(_END)
            self._decode(self._kept.getvalue())
        else:
            self._decode(_END)
        if not self._raster.done:
            raise UnreadableImage(CUT_SHORT)

    def _feed(self, data: bytes) -> None:
        if self._kept is not None:
            self._kept.write(data)
        else:
            self._decode(data)

    def _decode(self, data: bytes) -> None:
        if not self._started:
            # A decoder that runs out of memory reports a broken file, so memory is checked before.
            self._started = True
            check_room(self._room())
        self._raster.feed(data)

    def _room(self) -> list[int]:
        """Bytes of each array that the decoder allocates when it starts."""
        frame, scan = self._writer.frame, self._reader.scan
        lines = frame.size.width * LINE
        if frame.progressive or (scan and len(scan.parts) < len(frame.components)):
            return [*coefficient_arrays(frame.size, frame.components), lines]
        return [lines]

    def _check_end(self) -> None:
        """Raise UnreadableImage if a scan without an end marker is incomplete.

        The decoder of a complete scan consumes filler; otherwise it waits for the rest of a code, because
        codes of all ones do not exist (T.81, annex C), so that the smallest block takes more than a byte.
        """
        if not self._reader.shows_its_end:
            raise UnreadableImage(CUT_SHORT)
        for step in range(2 * _AHEAD):
            self._raster.feed(_FILLER)
            if step >= _AHEAD and self._raster.waiting:
                raise UnreadableImage(CUT_SHORT)
