"""One reading of a JPEG: what it says before its first scan, then the scans."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Self

from imaging.errors import UnreadableImage
from imaging.geometry import Size
from imaging.jpeg_metadata import Coding, Metadata
from imaging.jpeg_reader import JpegReader
from imaging.jpeg_segments import Component, Frame, Scan, coefficient_arrays
from imaging.raster import BROKEN
from imaging.source import CUT_SHORT, Feed

GROWING = 2  # times a buffer's length: while it is moved to where it may grow, it is there twice


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What the way to decode is chosen by."""

    size: Size
    coding: Coding
    components: tuple[Component, ...]
    progressive: bool
    buffered: bool  # several scans: every coefficient is kept until the last one
    arithmetic: bool
    kept: int  # bytes taken for what has to be there before decoding begins: with arithmetic coding, the file
    orientation: int
    profile: bytes | None

    @property
    def halved(self) -> bool:
        """Whether chroma is stored at half of luma's scale both ways, as most cameras do."""
        samplings = [(part.across, part.down) for part in self.components]
        return self.coding is Coding.YCC and samplings == [(2, 2), (1, 1), (1, 1)]

    @property
    def separable(self) -> bool:
        """Whether each component can be decoded alone."""
        luma = self.components[0]
        largest = all(part.across <= luma.across and part.down <= luma.down for part in self.components)
        return self.progressive and not self.arithmetic and self.coding is Coding.YCC and largest

    def reduction(self, part: int) -> tuple[int, int]:
        """How many columns and rows of the picture one sample of a component stands for."""
        across = max(each.across for each in self.components)
        down = max(each.down for each in self.components)
        return across // self.components[part].across, down // self.components[part].down

    def coefficients(self) -> list[int]:
        """Bytes of each component's coefficient array, which a buffered picture needs."""
        return coefficient_arrays(self.size, self.components) if self.buffered else []


class JpegReading:
    """A file on its way through a reader."""

    def __init__(self, feed: Feed, metadata: Metadata | None = None) -> None:
        self.reader = JpegReader(metadata=metadata)
        self._chunks = feed.rest()
        self._pieces: Iterator[Scan | bytes] = iter(())

    @classmethod
    async def begin(cls, feed: Feed, metadata: Metadata | None = None) -> tuple[Self, Frame, Scan]:
        """Read up to the first scan's header; raises UnreadableImage, or TooLarge."""
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
        """What follows the first scan's header; stops fetching when the picture has ended."""
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
    """Read up to the first scan's header of a file of `length` bytes; raises UnreadableImage, or TooLarge."""
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
