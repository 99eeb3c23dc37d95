"""What a PNG says before its pixels."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from imaging.errors import UnreadableImage
from imaging.exif import orientation_of
from imaging.geometry import Size
from imaging.raster import BROKEN
from imaging.source import Feed

_PROFILE_LIMIT = 4 << 20
_READ = (b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"iCCP", b"acTL", b"IEND")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# (depth, colour type) → mode and raw mode, as Pillow's decoder names them
_MODES = {
    (1, 0): ("1", "1"),
    (2, 0): ("L", "L;2"),
    (4, 0): ("L", "L;4"),
    (8, 0): ("L", "L"),
    (16, 0): ("I;16", "I;16B"),
    (8, 2): ("RGB", "RGB"),
    (16, 2): ("RGB", "RGB;16B"),
    (1, 3): ("P", "P;1"),
    (2, 3): ("P", "P;2"),
    (4, 3): ("P", "P;4"),
    (8, 3): ("P", "P"),
    (8, 4): ("LA", "LA"),
    (16, 4): ("RGBA", "LA;16B"),
    (8, 6): ("RGBA", "RGBA"),
    (16, 6): ("RGBA", "RGBA;16B"),
}


@dataclass(slots=True)
class PngHeader:
    """`transparency` is what Pillow keeps under that name: a level, a colour, or the palette's alphas."""

    size: Size
    depth: int
    colour: int
    interlaced: bool
    palette: bytes = b""
    transparency: int | tuple[int, int, int] | bytes | None = None
    profile: bytes | None = None
    orientation: int = 1
    animated: bool = False

    @property
    def mode(self) -> str:
        return _MODES[self.depth, self.colour][0]

    @property
    def rawmode(self) -> str:
        return _MODES[self.depth, self.colour][1]

    @property
    def step(self) -> int:
        """Bytes between a byte and its left neighbour, for the row filters."""
        return max(1, self.depth * _CHANNELS[self.colour] // 8)

    @property
    def row(self) -> int:
        """Bytes of a row, its filter type apart."""
        return (self.size.width * self.depth * _CHANNELS[self.colour] + 7) // 8


async def read_header(feed: Feed) -> PngHeader:
    """Read up to the first pixels; the feed then stands at the first IDAT chunk."""
    await feed.take(8)
    name, data = await read_chunk(feed)
    if name != b"IHDR" or len(data) != 13:
        raise UnreadableImage(BROKEN)
    size = Size(int.from_bytes(data[0:4], "big"), int.from_bytes(data[4:8], "big"))
    depth, colour, interlace = data[8], data[9], data[12]
    known = (depth, colour) in _MODES and data[10] == data[11] == 0 and interlace in (0, 1)
    if not known or not 0 < size.width < 1 << 31 or not 0 < size.height < 1 << 31:
        raise UnreadableImage(BROKEN)
    header = PngHeader(size, depth, colour, interlace == 1)
    while True:
        start = await feed.take(8)
        feed.put_back(start)
        if start[4:] == b"IDAT":
            break
        note(header, *await read_chunk(feed))
    if colour == 3 and not header.palette:
        raise UnreadableImage(BROKEN)
    return header


def note(header: PngHeader, name: bytes, data: bytes) -> None:
    """Take from a chunk what the pixels depend on."""
    if name == b"PLTE":
        header.palette = data[:768]
    elif name == b"tRNS":
        header.transparency = _transparency(header, data)
    elif name == b"eXIf":
        header.orientation = orientation_of(data)
    elif name == b"iCCP":
        header.profile = _profile(data)
    elif name == b"acTL":
        header.animated = True
    elif name == b"IEND":
        raise UnreadableImage(BROKEN)


async def read_chunk(feed: Feed) -> tuple[bytes, bytes]:
    """The next chunk's name and, if it can matter, its content."""
    start = await feed.take(8)
    length = int.from_bytes(start[:4], "big")
    if start[4:] not in _READ or length > _PROFILE_LIMIT:
        await feed.skip(length + 4)
        return start[4:], b""
    data = await feed.take(length)
    if zlib.crc32(data, zlib.crc32(start[4:])) != int.from_bytes(await feed.take(4), "big"):
        raise UnreadableImage(BROKEN)
    return start[4:], data


def _transparency(header: PngHeader, data: bytes) -> int | tuple[int, int, int] | bytes | None:
    if header.colour == 3:
        return data[:256]
    levels = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data) - 1, 2)]
    if header.depth == 16:
        levels = [level >> 8 for level in levels]
    elif header.depth < 8:
        levels = [level * 255 // ((1 << header.depth) - 1) for level in levels]
    if header.colour == 0 and len(levels) == 1:
        return levels[0]
    if header.colour == 2 and len(levels) == 3:
        return levels[0], levels[1], levels[2]
    return None


def _profile(data: bytes) -> bytes | None:
    _, _, packed = data.partition(b"\0")
    try:
        profile = zlib.decompressobj().decompress(packed[1:], _PROFILE_LIMIT)
    except zlib.error:
        return None
    return profile or None
