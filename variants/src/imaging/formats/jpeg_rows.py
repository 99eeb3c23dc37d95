"""A baseline JPEG decoded and resized row by row by vfa_kernels: no plane of it is ever whole in memory."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from math import ceil
from typing import TYPE_CHECKING

from PIL import Image

from imaging import kernels
from imaging.errors import UnreadableImage
from imaging.formats.jpeg_plan import coarser
from imaging.formats.jpeg_reader import Begun, JpegHeader
from imaging.formats.jpeg_segments import EOI
from imaging.formats.jpeg_writer import JpegWriter
from imaging.formats.raster import BROKEN
from imaging.geometry import Size, area
from imaging.planes import Planes
from imaging.resample import Target
from imaging.source import CUT_SHORT

if TYPE_CHECKING:
    import vfa_kernels

_END = bytes([0xFF, EOI])


class _Rows:
    """The rows of one component for one target: a resizer, and the plane that it fills."""

    def __init__(self, resizer: vfa_kernels.Resizer, size: Size) -> None:
        self.resizer = resizer
        self.plane = bytearray(area(size))
        self._width = size.width
        self._at = 0

    def take(self) -> None:
        """Move finished rows into the plane."""
        self._at += self.resizer.take_into(self.plane, self._at) * self._width


async def decode_rows(
    begun: Begun,
    header: JpegHeader,
    scales: tuple[int, int],
    targets: Sequence[Target],
    filters: Sequence[Sequence[Image.Resampling]],
) -> list[Planes]:
    """Decode the file whose reading has begun, and return every target.

    `scales` are those of luma and of the stored chroma; `filters` has the resizing filter of each component
    for each target.

    Raises:
        UnreadableImage: The file is damaged or cut short.
        NotImplementedError: The kernel cannot decode it.
    """
    reading, frame, first = begun
    decoder = kernels.jpeg_decoder(*scales)
    rows = [
        [
            _Rows(_resizer(header, part, scales[min(part, 1)], target, each), target.size)
            for part, each in enumerate(chosen)
        ]
        for target, chosen in zip(targets, filters, strict=True)
    ]
    for components in rows:
        for part, component in enumerate(components):
            decoder.attach(part, component.resizer)
    everything = [component for components in rows for component in components]
    writer = JpegWriter(frame, header.coding)
    _feed(decoder, writer.scan(first, reading.reader.tables), everything)
    async with aclosing(reading.pieces()) as pieces:
        async for piece in pieces:
            data = piece if isinstance(piece, bytes) else writer.scan(piece, reading.reader.tables)
            _feed(decoder, data, everything)
    if reading.reader.closed:
        _feed(decoder, _END, everything)
    if not decoder.done:
        decoder.end()
        _feed(decoder, b"", everything, CUT_SHORT)
    return [
        Planes(target.size, [component.plane for component in components])
        for target, components in zip(targets, rows, strict=True)
    ]


def _feed(decoder: vfa_kernels.JpegDecoder, data: bytes, rows: Sequence[_Rows], error: str = BROKEN) -> None:
    if decoder.done:
        return
    if data:
        decoder.feed(data)
    try:
        while decoder.step():
            for each in rows:
                each.take()
    except ValueError as problem:
        raise UnreadableImage(error) from problem


def _resizer(
    header: JpegHeader, part: int, scale: int, target: Target, resampling: Image.Resampling
) -> vfa_kernels.Resizer:
    across, down = (scale * reduction for reduction in header.reduction(part))
    size = Size(ceil(header.size.width / across), ceil(header.size.height / down))
    box = coarser(target, (across, down)).box
    return kernels.resizer(size, box, target.size, resampling)
