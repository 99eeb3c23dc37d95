"""GIF originals: the first frame, and not a byte of the file behind it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from imaging import limits
from imaging.errors import UnreadableImage
from imaging.geometry import Size, area
from imaging.raster import BROKEN, loaded
from imaging.resample import Target, Treatment, resample, slices
from imaging.source import Feed, Source

_EXTENSION, _FRAME, _END = b"!", b",", b";"
_TRANSPARENCY = 0xF9
_PACKED = 1.6  # bytes that a pixel takes at most, coded in 12 bits


class Gif:
    """An original whose header has been read."""

    orientation = 1
    profile = None

    def __init__(self, feed: Feed, parts: list[bytes], size: Size, length: int) -> None:
        self._feed = feed
        self._parts = parts
        self._length = length
        self.size = size

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> list[Image.Image]:
        """Every target, as it is to be stored; raises TooLarge before any decoding when it would not fit."""
        outcome = sum(area(target.size) for target in targets) * 4

        def needed(size: Size) -> int:
            packed = min(_PACKED * area(size), self._length * area(size) / area(self.size))
            return round(area(size) + 2 * packed) + outcome + limits.RESAMPLING

        limits.admit(self.size, "a GIF", needed)
        # The frame's own palette, how its codes begin, and they themselves
        flags = self._parts[-1][8]
        parts = [
            await self._feed.take(_palette_size(flags)),
            await self._feed.take(1),
            await _blocks(self._feed),
        ]
        picture = loaded(BytesIO(b"".join([*self._parts, *parts, _END])), "GIF")
        return resample(slices(picture), self.size, targets, treatment)


async def open_gif(source: Source, feed: Feed) -> Gif:
    """Read up to the first frame's codes; refuses bombs, decodes nothing."""
    screen = await feed.take(13)
    parts = [screen, await feed.take(_palette_size(screen[10]))]
    while (kind := await feed.take(1)) == _EXTENSION:
        label = await feed.take(1)
        blocks = await _blocks(feed)
        if label[0] == _TRANSPARENCY:
            parts += [kind, label, blocks]
    if kind != _FRAME:
        raise UnreadableImage(BROKEN)
    place = await feed.take(9)
    size = _size(screen, place)
    if min(size) < 1:
        raise UnreadableImage(BROKEN)
    limits.check_pixels(size, limits.MOST_PIXELS_INFLATED)
    return Gif(feed, [*parts, kind, place], size, source.size)


def _size(screen: bytes, place: bytes) -> Size:
    """The screen's, or more where the frame reaches beyond it."""
    left, top, width, height = struct.unpack("<4H", place[:8])
    across, down = struct.unpack("<2H", screen[6:10])
    return Size(max(across, left + width), max(down, top + height))


def _palette_size(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


async def _blocks(feed: Feed) -> bytes:
    parts = []
    while True:
        length = await feed.take(1)
        parts += [length, await feed.take(length[0])]
        if not length[0]:
            return b"".join(parts)
