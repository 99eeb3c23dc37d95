"""A JPEG's bytes, as they arrive → its header, then scan headers and entropy-coded data.

Everything else in the file is checked and kept here."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Self

from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.jpeg_segments import (
    DNL,
    EOI,
    FRAMES,
    METADATA,
    RESTARTS,
    SOI,
    SOS,
    TABLES,
    Coding,
    Component,
    Frame,
    Metadata,
    Scan,
    Tables,
    coefficient_arrays,
    parse_frame,
    parse_scan,
)
from imaging.formats.raster import BROKEN
from imaging.geometry import Size
from imaging.source import CUT_SHORT, Feed

MOST_SEGMENTS = 2_000  # a 30 MB file of full segments has 480
MOST_SCANS = 100  # ten are usual; refinement scans cost 80 ms a megabyte, whatever the picture's size
# Blocks that all scans of a progressive picture visit, each of which takes 0.1 µs and more in WebAssembly.
# The largest picture that fits in memory has 6 million in the usual ten scans.
MOST_BLOCKS = 12_000_000
BLOCKS_OF_A_SCAN = 300  # the header and the tables of a scan take as long as so many blocks
_TEM = 0x01
_NEVER = 99  # bits missing of a coefficient that no scan has begun
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
GROWING = 2  # times a buffer's length: it exists twice while it is moved to grow


class JpegReader:
    """Reads one JPEG.

    `ended` is true when no more bytes are needed, `closed` when the file has its end marker. A file without
    one has ended when every component's last bit is in a scan; only the decoder can tell whether that scan
    is complete. `most_blocks` is lowered where the picture is read more than once.
    """

    def __init__(
        self,
        tables: Tables | None = None,
        metadata: Metadata | None = None,
        most_segments: int = MOST_SEGMENTS,
    ) -> None:
        self.frame: Frame | None = None
        self.scan: Scan | None = None
        self.tables = tables or Tables()
        self.ended = self.closed = False
        self.most_blocks = MOST_BLOCKS
        self._metadata = metadata
        self._most_segments = most_segments
        self._held = b""
        self._segments = 0
        self._blocks = self._scans = 0
        self._inside = False
        self._restarts = 0
        self._missing: list[list[int]] = []

    def feed(self, data: bytes) -> Iterator[Scan | bytes]:
        """The scan headers, and the pieces of their data, that these bytes complete.

        `tables` are those of the last scan header that was returned, so results must be used in order.

        Raises:
            UnreadableImage: the file is broken.
            TooLarge: it has more segments or more scans than a picture of its size may have.
        """
        self._held += data
        while not self.ended:
            if self._inside:
                piece = self._entropy()
                if piece:
                    yield piece
                if self._inside:
                    return
            elif not self._step():
                return
            elif self._inside and self.scan:
                yield self.scan

    def finish(self) -> None:
        """There are no more bytes.

        Raises:
            UnreadableImage: Some are certainly missing.
        """
        if not self.ended and not self._is_complete():
            raise UnreadableImage(CUT_SHORT)
        self.ended = True

    @property
    def shows_its_end(self) -> bool:
        """Whether the behaviour of a decoder shows that a last scan without an end marker is complete.

        It does not where any bytes are valid data, nor between two restarts.
        """
        if not self.frame or not self.scan or self.frame.arithmetic:
            return False
        bits_only = self.scan.first == 0 and self.scan.refines
        return not bits_only and self._restarts >= self._most_restarts() - 1

    def _entropy(self) -> bytes:
        data = self._held
        found = (_MARKER_IN_SCAN if self.tables.interval else _MARKER).search(data)
        end = found.start() if found else len(data)
        if self.tables.interval:
            places = [place.start() for place in _RESTART.finditer(data, 0, end)]
            left = self._most_restarts() - self._restarts
            if len(places) > left:
                end, found = places[left], _MARKER.match(data, places[left])
            self._restarts += min(len(places), left)
        piece = data[:end].rstrip(b"\xff")
        self._held = data[end:] if found else data[max(len(piece), len(data) - 1) :]
        self._inside = not found
        # A decoder accepts any number of fill bytes, but would keep them while it waits for more.
        while b"\xff\xff" in piece:
            piece = piece.replace(b"\xff\xff", b"\xff")
        return piece

    def _most_restarts(self) -> int:
        if not self.frame or not self.scan or not self.tables.interval:
            return 0
        return -(-self.frame.units(self.scan.parts) // self.tables.interval)

    def _step(self) -> bool:
        """Read the next segment; False when it is incomplete."""
        if not self._segments and not self._read_start():
            return False
        found = _MARKER.search(self._held)
        if not found:
            self._held = self._held[-1:] if self._held.endswith(b"\xff") else b""
            return False
        self._held = self._held[found.start() :]
        complete = self._is_complete()
        marker = self._held[1]
        if complete and marker != EOI and self.frame and not self.frame.progressive:
            self.ended = True
            return True
        try:
            return self._read_segment(marker)
        except UnreadableImage:
            if not complete:
                raise
            self.ended = True
            return True

    def _read_start(self) -> bool:
        if len(self._held) < 2:
            return False
        if not self._held.startswith(bytes([0xFF, SOI])):
            raise UnreadableImage(BROKEN)
        self._held = self._held[2:]
        self._segments = 1
        return True

    def _read_segment(self, marker: int) -> bool:
        length = 0
        if marker == EOI:
            self._close()
        elif marker != _TEM and marker not in RESTARTS:
            if len(self._held) < 4:
                return False
            length = int.from_bytes(self._held[2:4], "big")
            if length < 2:
                raise UnreadableImage(BROKEN)
            if len(self._held) < 2 + length:
                return False
            self._keep(marker, self._held[4 : 2 + length])
        self._held = self._held[2 + length :]
        self._segments += 1
        if self._segments > self._most_segments:
            raise TooLarge(f"The JPEG has more than {self._most_segments:,} segments, which is the limit.")
        return True

    def _close(self) -> None:
        if not all(missing[0] < _NEVER for missing in self._missing):
            raise UnreadableImage(CUT_SHORT)
        self.ended = self.closed = True

    def _keep(self, marker: int, data: bytes) -> None:
        if marker == SOS:
            self._start_scan(data)
        elif marker in FRAMES:
            if self.frame:
                raise UnreadableImage(BROKEN)
            self.frame = parse_frame(marker, data)
            self._missing = [[_NEVER] * 64 for _ in self.frame.components]
        elif marker in TABLES:
            self.tables.parse(marker, data)
        elif marker in METADATA:
            if self._metadata and not self.scan:
                self._metadata.add(marker, data)
        elif marker != DNL:
            raise UnreadableImage(BROKEN)

    def _start_scan(self, data: bytes) -> None:
        if not self.frame:
            raise UnreadableImage(BROKEN)
        scan = parse_scan(data, self.frame)
        for part in scan.parts:
            missing = self._missing[part]
            if not self.frame.progressive and missing[0] < _NEVER:
                raise UnreadableImage(BROKEN)
            missing[scan.first : scan.last + 1] = [scan.low] * (scan.last + 1 - scan.first)
        if self.frame.progressive:
            self._count_scan(self.frame, scan)
        self.scan, self._inside, self._restarts = scan, True, 0

    def _count_scan(self, frame: Frame, scan: Scan) -> None:
        self._scans += 1
        if self._scans > MOST_SCANS:
            raise TooLarge(f"The progressive JPEG has more than {MOST_SCANS} scans, which is the limit.")
        self._blocks += frame.work(scan.parts) + BLOCKS_OF_A_SCAN
        if self._blocks > self.most_blocks:
            most = self.most_blocks // frame.work(tuple(range(len(frame.components))))
            raise TooLarge(
                f"The picture has {frame.size.width} × {frame.size.height} pixels in many scans; "
                f"the limit for a progressive JPEG of this size is {most} full scans."
            )

    def _is_complete(self) -> bool:
        return bool(self.scan) and not any(map(any, self._missing))


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """The properties by which the way to decode is chosen."""

    size: Size
    coding: Coding
    components: tuple[Component, ...]
    progressive: bool
    buffered: bool  # several scans: every coefficient is kept until the last one
    arithmetic: bool
    kept: int  # bytes that must be in memory before decoding starts: with arithmetic coding, the file
    orientation: int
    profile: bytes | None

    @property
    def halved(self) -> bool:
        """Whether chroma is stored at half of luma's size both ways, as by most cameras."""
        samplings = [(part.across, part.down) for part in self.components]
        return self.coding is Coding.YCC and samplings == [(2, 2), (1, 1), (1, 1)]

    @property
    def separable(self) -> bool:
        """Whether each component can be decoded alone."""
        luma = self.components[0]
        largest = all(part.across <= luma.across and part.down <= luma.down for part in self.components)
        return self.progressive and not self.arithmetic and self.coding is Coding.YCC and largest

    def reduction(self, part: int) -> tuple[int, int]:
        """The number of columns and of rows of the picture that one sample of a component covers."""
        across = max(each.across for each in self.components)
        down = max(each.down for each in self.components)
        return across // self.components[part].across, down // self.components[part].down

    def coefficients(self) -> list[int]:
        """Bytes of each component's coefficient array, if the picture is buffered."""
        return coefficient_arrays(self.size, self.components) if self.buffered else []


class JpegReading:
    """One reading of a file."""

    def __init__(self, feed: Feed, metadata: Metadata | None = None) -> None:
        self.reader = JpegReader(metadata=metadata)
        self._chunks = feed.rest()
        self._pieces: Iterator[Scan | bytes] = iter(())

    @classmethod
    async def begin(cls, feed: Feed, metadata: Metadata | None = None) -> tuple[Self, Frame, Scan]:
        """Read up to the first scan's header.

        Raises:
            UnreadableImage: The file is broken or cut short.
            TooLarge: It has too many segments.
        """
        reading = cls(feed, metadata)
        async for chunk in reading._chunks:
            reading._pieces = reading.reader.feed(chunk)
            first = next(reading._pieces, None)
            if isinstance(first, Scan) and reading.reader.frame:
                return reading, reading.reader.frame, first
            if reading.reader.ended:
                raise UnreadableImage(BROKEN)
        raise UnreadableImage(CUT_SHORT)

    async def pieces(self) -> AsyncGenerator[Scan | bytes, None]:
        """Everything after the first scan's header; fetches no bytes behind the picture's end."""
        for piece in self._pieces:
            yield piece
        self._pieces = iter(())
        if not self.reader.ended:
            async with aclosing(self._chunks) as chunks:
                async for chunk in chunks:
                    for piece in self.reader.feed(chunk):
                        yield piece
                    if self.reader.ended:
                        return
        self.reader.finish()


Begun = tuple[JpegReading, Frame, Scan]


async def read_header(feed: Feed, length: int) -> tuple[JpegHeader, Begun]:
    """Read up to the first scan's header of a file of `length` bytes.

    Raises:
        UnreadableImage: The file is broken or cut short.
        TooLarge: It has too many segments.
    """
    metadata = Metadata()
    reading, frame, first = await JpegReading.begin(feed, metadata)
    header = JpegHeader(
        size=frame.size,
        coding=metadata.coding(frame.components),
        components=frame.components,
        progressive=frame.progressive,
        buffered=frame.progressive or len(first.parts) < len(frame.components),
        arithmetic=frame.arithmetic,
        kept=GROWING * length if frame.arithmetic else 0,
        orientation=metadata.orientation,
        profile=metadata.profile,
    )
    return header, (reading, frame, first)
