"""A WebP's container: what it says before the pixels, and a file of its first frame alone."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.errors import UnreadableImage
from imaging.exif import orientation_of
from imaging.geometry import Size
from imaging.raster import BROKEN
from imaging.source import Feed

_ALPHA, _ANIMATED = 0x10, 0x02
_PICTURE = (b"VP8 ", b"VP8L", b"ALPH")
_BLOCK_LIMIT = 4 << 20


@dataclass(slots=True)
class WebpHeader:
    """`length` is how many bytes the first frame has, coded."""

    size: Size
    alpha: bool
    animated: bool
    length: int = 0
    profile: bytes | None = None
    orientation: int = 1


async def read_header(feed: Feed) -> WebpHeader:
    """Read up to the first frame; the feed then stands at its chunk."""
    await feed.take(12)
    header: WebpHeader | None = None
    while True:
        start = await feed.take(8)
        name, length = start[:4], int.from_bytes(start[4:], "little")
        if name in _PICTURE or name == b"ANMF":
            begin = await feed.up_to(10)
            feed.put_back(start + begin)
            header = header or _plain(name, begin)
            header.length = length
            return header
        if name == b"VP8X":
            header = _extended(await feed.take(length + length % 2))
        elif name == b"ICCP" and header and length <= _BLOCK_LIMIT:
            header.profile = (await feed.take(length + length % 2))[:length]
        else:
            await feed.skip(length + length % 2)


async def first_frame(feed: Feed, header: WebpHeader) -> bytes:
    """A file that has the first frame only; notes the orientation, which stands behind the pixels."""
    start = await feed.take(8)
    frame = start + await feed.take(_padded(start))
    # Every chunk is held once more while it is joined, so the parts are let go of as soon as may be.
    if not header.animated and start[:4] == b"ALPH":
        start = await feed.take(8)
        frame += start + await feed.take(_padded(start))
    await _look_behind(feed, header)
    kind = b"WEBP" + _canvas(header)
    if header.animated:
        kind += b"ANIM" + (6).to_bytes(4, "little") + bytes(6)
    return b"".join([b"RIFF", (len(kind) + len(frame)).to_bytes(4, "little"), kind, frame])


async def _look_behind(feed: Feed, header: WebpHeader) -> None:
    while len(start := await feed.up_to(8)) == 8:
        if start[:4] == b"EXIF" and int.from_bytes(start[4:], "little") <= _BLOCK_LIMIT:
            header.orientation = orientation_of(await feed.up_to(int.from_bytes(start[4:], "little")))
            return
        if len(await feed.up_to(min(_padded(start), 1 << 30))) < _padded(start):
            return


def _padded(start: bytes) -> int:
    length = int.from_bytes(start[4:8], "little")
    return length + length % 2


def _canvas(header: WebpHeader) -> bytes:
    flags = _ALPHA * header.alpha | _ANIMATED * header.animated
    edges = ((side - 1).to_bytes(3, "little") for side in header.size)
    return b"VP8X" + (10).to_bytes(4, "little") + bytes([flags, 0, 0, 0]) + b"".join(edges)


def _extended(data: bytes) -> WebpHeader:
    if len(data) < 10:
        raise UnreadableImage(BROKEN)
    size = Size(int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1)
    animated = bool(data[0] & _ANIMATED)
    # A first frame may leave a part of its canvas bare.
    return WebpHeader(size, bool(data[0] & _ALPHA) or animated, animated)


def _plain(name: bytes, begin: bytes) -> WebpHeader:
    if name == b"VP8 " and begin[3:6] == b"\x9d\x01\x2a":
        sides = (int.from_bytes(begin[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        size = Size(*sides)
        if min(size) > 0:
            return WebpHeader(size, alpha=False, animated=False)
    if name == b"VP8L" and begin[:1] == b"\x2f":
        bits = int.from_bytes(begin[1:5], "little")
        return WebpHeader(Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), bool(bits >> 28 & 1), False)
    raise UnreadableImage(BROKEN)
