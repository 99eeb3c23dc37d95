"""WebP originals: one frame, taken out of its container and decoded a few rows at a time.

The module `vfa_webp` (kernels/webp) does that; it needs the packed bytes and a few MiB. Without the module
Pillow's decoder is used; it decodes the whole frame and takes 12 bytes a pixel, which limits the size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Self

from PIL import Image, _webp

from imaging import heap
from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.exif import EXIF_LIMIT, orientation_of
from imaging.formats.raster import BROKEN
from imaging.geometry import Size, area
from imaging.resample import STRIP, Target, Treatment, resample
from imaging.source import Feed

try:
    import vfa_webp
except ImportError:  # then Pillow decodes
    vfa_webp = None  # type: ignore[assignment]

_PIXEL = 12  # bytes that Pillow takes: two canvases of the decoder, and the copy it returns
# A bound of work, by the time that a display takes.
_MOST_PIXELS, _MOST_PIXELS_ALPHA = 50_000_000, 35_000_000
# Bytes that vfa_webp takes, measured:
_COLUMN = 256  # for each column: a row of macroblocks, and rows in progress
_WINDOW = 6 * heap.MIB  # the pixels that a lossless picture, or alpha, may repeat
_CODES = 3 * heap.MIB  # Huffman tables; it may take all that is left of the budget
_ALPHA, _EXIF, _ANIMATED = 0x10, 0x08, 0x02
_PIXELS = (b"VP8 ", b"VP8L")
_PROFILE_LIMIT = 4 << 20
_FRAME = 16  # bytes before the chunks of an animation's frame


class Webp:
    """An original whose header has been read."""

    def __init__(self, feed: Feed, header: WebpHeader) -> None:
        self._feed = feed
        self._header = header
        self.size = header.size
        self.profile = header.profile

    @property
    def orientation(self) -> int:
        """Final after the pixels have been read: its chunk may follow them."""
        return self._header.orientation or 1

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> list[Image.Image]:
        """Every target; raises TooLarge before any decoding when it would not fit in memory."""
        outcome = sum(area(target.size) for target in targets) * 4

        def packed(size: Size) -> int:
            return self._header.length * area(size) // area(self.size) + len(self.profile or b"")

        def beside(size: Size) -> int:
            return packed(size) + outcome + heap.RESAMPLING

        def needed(size: Size) -> int:
            if vfa_webp:
                return beside(size) + _COLUMN * size.width + _WINDOW + _CODES
            # The decoder's copy of the frame and ours, whose gap is too small to be used again
            decoding = _PIXEL * area(size) + 2 * packed(size) + heap.DECODING
            return max(decoding, 4 * area(size) + outcome + heap.RESAMPLING)

        def check() -> None:
            heap.admit(self.size, "a WebP", needed)

        check()
        file = await first_frame(self._feed, self._header, check)
        if vfa_webp:
            strips = _rows(frame_of(file, self._header), self._header, heap.BUDGET - beside(self.size))
        else:
            strips = _strips(_decoded(file), self._header)
        del file
        return resample(strips, self.size, targets, treatment)


async def open_webp(feed: Feed) -> Webp:
    """Read the header; refuses pictures that are too large, decodes nothing."""
    header = await read_header(feed)
    if header.alpha:
        heap.check_pixels(header.size, _MOST_PIXELS_ALPHA, "a WebP with alpha")
    else:
        heap.check_pixels(header.size, _MOST_PIXELS, "a WebP")
    return Webp(feed, header)


def _rows(frame: Frame, header: WebpHeader, room: int) -> Iterator[Image.Image]:
    """The canvas in strips, transparent outside the frame; the decoder may take `room` bytes."""
    mode = "RGBA" if header.alpha else "RGB"
    whole = (frame.left, frame.top, frame.size) == (0, 0, header.size)
    yield from _transparent(mode, header.size.width, frame.top)
    try:
        decoder = vfa_webp.open(
            frame.pixels, frame.alpha, frame.lossless, *frame.size, len(mode), min(room, heap.CEILING)
        )
        rows = max(1, STRIP // (4 * header.size.width))
        for top in range(0, frame.size.height, rows):
            count = min(rows, frame.size.height - top)
            strip = Image.frombytes(mode, (frame.size.width, count), vfa_webp.rows(decoder, count))
            if not whole:
                canvas = Image.new(mode, (header.size.width, count))
                canvas.paste(strip, (frame.left, 0))
                strip = canvas
            yield strip
    except ValueError as error:
        raise UnreadableImage(BROKEN) from error
    yield from _transparent(mode, header.size.width, header.size.height - frame.top - frame.size.height)


def _transparent(mode: str, width: int, rows: int) -> Iterator[Image.Image]:
    step = max(1, STRIP // (4 * width))
    for top in range(0, rows, step):
        yield Image.new(mode, (width, min(step, rows - top)))


def _decoded(data: bytes) -> bytes:
    """The pixels, four bytes each. The decoder, which is twice as large, is freed on return.

    Pillow's own loader keeps it until the picture is closed.
    """
    try:
        decoder = _webp.WebPAnimDecoder(data)
        del data  # it has made its own copy
        frame = decoder.get_next()
    except (OSError, RuntimeError, ValueError) as error:
        raise UnreadableImage(BROKEN) from error
    if frame is None:
        raise UnreadableImage(BROKEN)
    return bytes(frame[0])


def _strips(pixels: bytes, header: WebpHeader) -> Iterator[Image.Image]:
    width, height = header.size
    mode, rawmode = ("RGBA", "RGBA") if header.alpha else ("RGB", "RGBX")
    rows = max(1, STRIP // (4 * width))
    for top in range(0, height, rows):
        count = min(rows, height - top)
        part = pixels[top * width * 4 : (top + count) * width * 4]
        yield Image.frombytes(mode, (width, count), part, "raw", rawmode)


@dataclass(slots=True)
class WebpHeader:
    """`length` is the number of bytes of the coded first frame, `count` that of the chunks so far.

    `orientation` is None as long as it may still follow the pixels.
    """

    size: Size
    alpha: bool
    animated: bool = False
    length: int = 0
    profile: bytes | None = None
    orientation: int | None = 1
    count: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """The place of a frame on its canvas, and its chunks: pixels, and separate alpha if any."""

    left: int
    top: int
    size: Size
    lossless: bool
    pixels: memoryview
    alpha: memoryview


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The beginning of a chunk; its content, `padded` bytes, has not been read."""

    start: bytes

    @classmethod
    async def read(cls, feed: Feed) -> Self:
        return cls(await feed.take(8))

    @property
    def name(self) -> bytes:
        return self.start[:4]

    @property
    def length(self) -> int:
        return int.from_bytes(self.start[4:], "little")

    @property
    def padded(self) -> int:
        return self.length + self.length % 2


async def read_header(feed: Feed) -> WebpHeader:
    """Read up to the first frame; the feed then stands at its chunk.

    Raises:
        UnreadableImage: The header is broken or cut short.
        TooLarge: There are more chunks than heap.MOST_PARTS.
    """
    await feed.take(12)
    header: WebpHeader | None = None
    count = 0
    while (chunk := await _Chunk.read(feed)).name not in (*_PIXELS, b"ALPH", b"ANMF"):
        count = _counted(count)
        if chunk.name == b"VP8X" and header is None:
            if chunk.length < 10:
                raise UnreadableImage(BROKEN)
            header = _extended(await feed.take(10))
            await feed.skip(chunk.padded - 10)
        elif chunk.name == b"ICCP" and header and not header.profile and chunk.length <= _PROFILE_LIMIT:
            header.profile = (await feed.take(chunk.padded))[: chunk.length]
        elif chunk.name == b"EXIF" and header and header.orientation is None:
            await _read_orientation(feed, chunk, header)
        else:
            await feed.skip(chunk.padded)
    begin = await feed.up_to(10)
    feed.put_back(chunk.start + begin)
    header = header or _plain(chunk.name, begin)
    header.length, header.count = chunk.padded, count
    return header


async def first_frame(feed: Feed, header: WebpHeader, check: Callable[[], None]) -> bytes:
    """A file that has the first frame only; sets the orientation if its chunk follows the pixels.

    `check` is called when the alpha was read and the header's length has become that of both parts.

    Raises:
        UnreadableImage: The frame is cut short.
        TooLarge: There are more chunks than heap.MOST_PARTS.
    """
    chunk = await _Chunk.read(feed)
    file = BytesIO()
    file.write(_beginning(header))
    if chunk.name == b"ALPH":
        await _append(file, chunk, feed)
        while (chunk := await _Chunk.read(feed)).name not in _PIXELS:
            header.count = _counted(header.count)
            await feed.skip(chunk.padded)
        header.length += chunk.padded
        check()
    await _append(file, chunk, feed)
    if header.orientation is None:
        await _read_trailer(feed, header)
    length = file.tell() - 8
    file.seek(4)
    file.write(length.to_bytes(4, "little"))
    return file.getvalue()  # its own memory, not a copy


def frame_of(file: bytes, header: WebpHeader) -> Frame:
    """The frame of a file that `first_frame` made.

    Raises:
        UnreadableImage: The frame has no pixels, or leaves its canvas.
        TooLarge: There are more chunks than heap.MOST_PARTS.
    """
    data = memoryview(file)[len(_beginning(header)) :]
    left, top, size = 0, 0, header.size
    if header.animated:
        data = data[8 : 8 + int.from_bytes(data[4:8], "little")]
        numbers = [int.from_bytes(data[at : at + 3], "little") for at in range(0, 12, 3)]
        left, top, size = numbers[0] * 2, numbers[1] * 2, Size(numbers[2] + 1, numbers[3] + 1)
        data = data[_FRAME:]
    if left + size.width > header.size.width or top + size.height > header.size.height:
        raise UnreadableImage(BROKEN)
    alpha = data[:0]
    while len(data) >= 8:
        header.count = _counted(header.count)
        chunk = _Chunk(bytes(data[:8]))
        content, data = data[8 : 8 + chunk.length], data[8 + chunk.padded :]
        if chunk.name in _PIXELS:
            return Frame(left, top, size, chunk.name == b"VP8L", content, alpha)
        if chunk.name == b"ALPH" and not alpha:
            alpha = content
    raise UnreadableImage(BROKEN)


async def _append(file: BytesIO, chunk: _Chunk, feed: Feed) -> None:
    """Write a chunk, in memory that is allocated as a whole."""
    end = file.tell()
    file.seek(end + 8 + chunk.padded - 1)
    file.write(b"\0")
    file.seek(end)
    file.write(chunk.start)
    left = chunk.padded
    while left:
        left -= file.write(await feed.take(min(left, heap.CHUNK)))


async def _read_trailer(feed: Feed, header: WebpHeader) -> None:
    with suppress(UnreadableImage):  # damage after the frame does not matter
        while (chunk := await _Chunk.read(feed)).name != b"EXIF":
            header.count = _counted(header.count)
            await feed.skip(chunk.padded)
        await _read_orientation(feed, chunk, header)


async def _read_orientation(feed: Feed, chunk: _Chunk, header: WebpHeader) -> None:
    block = await feed.take(min(chunk.length, EXIF_LIMIT))
    header.orientation = orientation_of(block)
    await feed.skip(chunk.padded - len(block))


def _counted(count: int) -> int:
    if count >= heap.MOST_PARTS:
        raise TooLarge(f"The WebP has more than {heap.MOST_PARTS} chunks, which is the limit.")
    return count + 1


def _beginning(header: WebpHeader) -> bytes:
    """The bytes before the frame; the file's length is filled in later."""
    kind = b"RIFF" + bytes(4) + b"WEBP" + _canvas(header)
    return kind + b"ANIM" + (6).to_bytes(4, "little") + bytes(6) if header.animated else kind


def _canvas(header: WebpHeader) -> bytes:
    flags = _ALPHA * header.alpha | _ANIMATED * header.animated
    edges = ((side - 1).to_bytes(3, "little") for side in header.size)
    return b"VP8X" + (10).to_bytes(4, "little") + bytes([flags, 0, 0, 0]) + b"".join(edges)


def _extended(data: bytes) -> WebpHeader:
    size = Size(int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1)
    animated = bool(data[0] & _ANIMATED)
    # A first frame may be smaller than its canvas.
    alpha = bool(data[0] & _ALPHA) or animated
    return WebpHeader(size, alpha, animated, orientation=None if data[0] & _EXIF else 1)


def _plain(name: bytes, begin: bytes) -> WebpHeader:
    if name == b"VP8 " and begin[3:6] == b"\x9d\x01\x2a":
        sides = (int.from_bytes(begin[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        size = Size(*sides)
        if min(size) > 0:
            return WebpHeader(size, alpha=False)
    if name == b"VP8L" and begin[:1] == b"\x2f":
        bits = int.from_bytes(begin[1:5], "little")
        return WebpHeader(Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), bool(bits >> 28 & 1))
    raise UnreadableImage(BROKEN)
