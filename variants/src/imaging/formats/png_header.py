"""The chunks of a PNG before its pixels."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from imaging import heap
from imaging.color.png import PROFILE_LIMIT, profile_of
from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.exif import EXIF_LIMIT, orientation_of
from imaging.formats.raster import BROKEN
from imaging.geometry import Size
from imaging.source import Feed

# Chunks that renditions depend on, and the number of bytes that are read of each
_READ = {
    b"PLTE": 768,
    b"tRNS": 256,
    b"eXIf": EXIF_LIMIT,
    b"cICP": 4,
    b"iCCP": PROFILE_LIMIT,
    b"sRGB": 1,
    b"gAMA": 4,
    b"cHRM": 32,
    b"acTL": 8,
}
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
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(slots=True)
class PngHeader:
    """`chunks` has the content of those that the pixels depend on, the first of each; `count` is of all."""

    size: Size
    depth: int
    colour: int
    interlaced: bool
    chunks: dict[bytes, bytes] = field(default_factory=dict)
    count: int = 1
    profile: bytes | None = None

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
        return self._packed(self.size.width)

    @property
    def inflated(self) -> int:
        """Bytes of all rows, their filter types included."""
        width, height = self.size
        if not self.interlaced:
            return (self.row + 1) * height
        passes = ((-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in _PASSES)
        return sum((self._packed(across) + 1) * down for across, down in passes if across > 0 and down > 0)

    @property
    def palette(self) -> bytes:
        return self.chunks.get(b"PLTE", b"")

    @property
    def animated(self) -> bool:
        return b"acTL" in self.chunks

    @property
    def orientation(self) -> int:
        return orientation_of(self.chunks.get(b"eXIf", b""))

    @property
    def key(self) -> tuple[int, ...] | None:
        """The levels, at the picture's own depth, of the one grey or colour that is transparent."""
        wanted = {0: 1, 2: 3}.get(self.colour, 0)
        data = self.chunks.get(b"tRNS", b"")
        if not wanted or len(data) != 2 * wanted:
            return None
        full = (1 << self.depth) - 1  # higher bits are masked (PNG, third edition, section 11.3.1.1)
        return tuple(int.from_bytes(data[at : at + 2], "big") & full for at in range(0, len(data), 2))

    @property
    def transparency(self) -> int | tuple[int, ...] | bytes | None:
        """What Pillow keeps under that name: the palette's alphas, or the key at eight bits."""
        if self.colour == 3:
            alphas = self.chunks.get(b"tRNS", b"")
            return alphas if 0 < len(alphas) <= len(self.palette) // 3 else None
        if self.key is None:
            return None
        full = (1 << min(self.depth, 8)) - 1
        levels = tuple(level * 255 // full for level in self.key)
        return levels if self.colour == 2 else levels[0]

    def _packed(self, width: int) -> int:
        return (width * self.depth * _CHANNELS[self.colour] + 7) // 8


async def read_header(feed: Feed) -> PngHeader:
    """Read up to the first pixels; the feed then stands at the first IDAT chunk.

    Raises:
        UnreadableImage: The header is broken or cut short, or the picture is of a high dynamic range.
        TooLarge: There are more chunks than heap.MOST_PARTS.
    """
    start = await feed.take(8 + 8 + 13 + 4)
    data = start[16:29]
    if start[8:16] != b"\0\0\0\x0dIHDR" or zlib.crc32(start[12:29]) != int.from_bytes(start[29:], "big"):
        raise UnreadableImage(BROKEN)
    size = Size(int.from_bytes(data[0:4], "big"), int.from_bytes(data[4:8], "big"))
    depth, colour, interlace = data[8], data[9], data[12]
    known = (depth, colour) in _MODES and data[10] == data[11] == 0 and interlace in (0, 1)
    if not known or not 0 < size.width < 1 << 31 or not 0 < size.height < 1 << 31:
        raise UnreadableImage(BROKEN)
    header = PngHeader(size, depth, colour, interlace == 1)
    while (start := await feed.take(8))[4:] != b"IDAT":
        if start[4:] == b"IEND":
            raise UnreadableImage(BROKEN)
        await keep_chunk(feed, start, header)
    feed.put_back(start)
    if colour == 3 and not header.palette:
        raise UnreadableImage(BROKEN)
    header.profile = profile_of(header.chunks)
    if b"iCCP" in header.chunks:
        header.chunks[b"iCCP"] = b""  # it was up to 4 MiB, and is not needed again
    return header


async def keep_chunk(feed: Feed, start: bytes, header: PngHeader) -> None:
    """Read the chunk whose length and name are `start`; keep the first of each name that matters.

    An ancillary chunk whose checksum is wrong is ignored.
    """
    count_chunk(header)
    length, name = int.from_bytes(start[:4], "big"), start[4:]
    if name not in _READ or name in header.chunks:
        await feed.skip(length + 4)
        return
    data = await feed.take(min(length, _READ[name]))
    checksum, left = zlib.crc32(data, zlib.crc32(name)), length - len(data)
    while left:
        part = await feed.take(min(left, heap.CHUNK))
        checksum, left = zlib.crc32(part, checksum), left - len(part)
    if checksum == int.from_bytes(await feed.take(4), "big"):
        header.chunks[name] = data
    elif name == b"PLTE":
        raise UnreadableImage(BROKEN)


def count_chunk(header: PngHeader) -> None:
    """Count a chunk.

    Raises:
        TooLarge: There are more than heap.MOST_PARTS.
    """
    header.count += 1
    if header.count > heap.MOST_PARTS:
        raise TooLarge(f"The PNG has more than {heap.MOST_PARTS} chunks, which is the limit.")
