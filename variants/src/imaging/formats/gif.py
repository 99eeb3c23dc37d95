"""GIF originals: the first frame, decoded as its bytes arrive; the rest of the file is not read."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from PIL import Image

from imaging import heap
from imaging.color.convert import workable
from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.raster import BROKEN, Raster
from imaging.geometry import Size, area
from imaging.resample import STRIP, Target, Treatment, resample, slices
from imaging.source import CUT_SHORT, Feed

_EXTENSION, _FRAME = b"!", b","
_CONTROL = 0xF9
_PALETTE, _INTERLACED, _TRANSPARENT = 0x80, 0x40, 0x01
_MOST_BITS = 11  # of the first codes; the last ones have 12


@dataclass(frozen=True, slots=True)
class _Frame:
    """The place of a frame on its canvas, and the coding of its pixels; `clear` is the transparent level."""

    left: int
    top: int
    size: Size
    interlaced: bool
    palette: bytes
    clear: int | None

    def with_palette(self, strip: Image.Image) -> Image.Image:
        """Rows of levels with their palette and transparency."""
        if any(self.palette[at : at + 3] != bytes([at // 3] * 3) for at in range(0, len(self.palette), 3)):
            strip.putpalette(self.palette)
        if self.clear is not None:
            strip.info["transparency"] = self.clear
        return strip


class Gif:
    """An original whose header has been read."""

    orientation = 1
    profile = None

    def __init__(self, feed: Feed, size: Size, frame: _Frame) -> None:
        self._feed = feed
        self._frame = frame
        self.size = size

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> list[Image.Image]:
        """Every target; raises TooLarge before any decoding when it would not fit in memory."""
        outcome = sum(area(target.size) for target in targets) * 4

        def needed(size: Size) -> int:
            return heap.held(size, 1) + heap.DECODING + outcome + heap.RESAMPLING

        heap.admit(self.size, "a GIF", needed)
        frame = await _decoded(self._feed, self._frame)
        return resample(_strips(self._frame, frame, self.size), self.size, targets, treatment)


async def open_gif(feed: Feed) -> Gif:
    """Read up to the first frame's codes; refuses pictures that are too large, decodes nothing."""
    screen = await feed.take(13)
    palette = await feed.take(_palette_size(screen[10]))
    clear: int | None = None
    count = 0
    while (kind := await feed.take(1)) == _EXTENSION:
        label, length = await feed.take(2)
        while True:
            count += 1
            if count > heap.MOST_PARTS:
                raise TooLarge(
                    f"The GIF has more than {heap.MOST_PARTS} blocks before its frame, which is the limit."
                )
            if not length:
                break
            *block, length = await feed.take(length + 1)
            if label == _CONTROL and len(block) >= 4:
                clear = block[3] if block[0] & _TRANSPARENT else None
    if kind != _FRAME:
        raise UnreadableImage(BROKEN)
    left, top, *sides, flags = struct.unpack("<4HB", await feed.take(9))
    canvas = Size(*struct.unpack("<2H", screen[6:10]))
    # Browsers give a frame without extent the size of its canvas.
    extent = Size(*sides) if min(sides) else canvas
    size = Size(max(canvas.width, left + extent.width), max(canvas.height, top + extent.height))
    if min(extent) < 1:
        raise UnreadableImage(BROKEN)
    heap.check_pixels(size, heap.MOST_PIXELS_INFLATED)
    palette = await feed.take(_palette_size(flags)) or palette
    return Gif(feed, size, _Frame(left, top, extent, bool(flags & _INTERLACED), palette, clear))


def _palette_size(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & _PALETTE else 0


async def _decoded(feed: Feed, frame: _Frame) -> Image.Image:
    bits = (await feed.take(1))[0]
    if bits > _MOST_BITS:
        raise UnreadableImage(BROKEN)
    mode = frame.with_palette(Image.new("L", (1, 1))).mode
    raster = Raster(mode, frame.size, "gif", (bits, frame.interlaced, -1))
    async with aclosing(feed.rest()) as chunks:
        async for chunk in chunks:
            raster.feed(chunk)
            if raster.done:
                return raster.image
    raise UnreadableImage(CUT_SHORT)


def _strips(frame: _Frame, picture: Image.Image, size: Size) -> Iterator[Image.Image]:
    """The rows of the canvas, transparent around the frame."""
    if frame.size == size:
        yield from map(frame.with_palette, slices(picture))
        return
    rows = max(1, STRIP // (4 * size.width))
    for top in range(0, size.height, rows):
        strip = Image.new("RGBA", (size.width, min(rows, size.height - top)), 0)
        first, last = max(top, frame.top), min(top + strip.height, frame.top + frame.size.height)
        if first < last:
            part = picture.crop((0, first - frame.top, frame.size.width, last - frame.top))
            strip.paste(workable(frame.with_palette(part)).convert("RGBA"), (frame.left, first - top))
        yield strip
