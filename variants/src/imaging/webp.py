"""WebP originals: one frame, taken out of its container and decoded a few rows at a time.

That is the work of `vfa_webp` (kernels/webp), which takes the packed bytes and a few MiB. Where there is no
such module Pillow's decoder takes its place; it decodes whole, and its 12 bytes a pixel bound what fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image, _webp

from imaging import limits
from imaging.errors import UnreadableImage
from imaging.geometry import Size, area
from imaging.raster import BROKEN
from imaging.resample import STRIP, Target, Treatment, resample
from imaging.source import Feed
from imaging.webp_header import Frame, WebpHeader, first_frame, frame_of, read_header

try:
    import vfa_webp
except ImportError:  # Pillow's then
    vfa_webp = None  # type: ignore[assignment]

_PIXEL = 12  # Pillow's: two canvases of the decoder, and the copy it hands over
# A bound of work: what a display of them costs.
_MOST_PIXELS, _MOST_PIXELS_ALPHA = 50_000_000, 35_000_000
# Of vfa_webp, measured:
_COLUMN = 256  # a row of macroblocks, and rows that are on their way; bytes a column
_WINDOW = 6 * limits.MIB  # the pixels that a lossless picture, or alpha, may repeat
_CODES = 3 * limits.MIB  # its Huffman tables; more is given where there is more


class Webp:
    """An original whose header has been read."""

    def __init__(self, feed: Feed, header: WebpHeader) -> None:
        self._feed = feed
        self._header = header
        self.size = header.size
        self.profile = header.profile

    @property
    def orientation(self) -> int:
        """Final once the pixels are read: the chunk that says it follows them."""
        return self._header.orientation or 1

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> list[Image.Image]:
        """Every target, as it is to be stored; raises TooLarge before any decoding when it would not fit."""
        outcome = sum(area(target.size) for target in targets) * 4

        def packed(size: Size) -> int:
            return self._header.length * area(size) // area(self.size) + len(self.profile or b"")

        def beside(size: Size) -> int:
            return packed(size) + outcome + limits.RESAMPLING

        def needed(size: Size) -> int:
            if vfa_webp:
                return beside(size) + _COLUMN * size.width + _WINDOW + _CODES
            # The decoder's copy of the frame, and ours, whose gap is too small for what follows
            decoding = _PIXEL * area(size) + 2 * packed(size) + limits.DECODING
            return max(decoding, 4 * area(size) + outcome + limits.RESAMPLING)

        def check() -> None:
            limits.admit(self.size, "a WebP", needed)

        check()
        file = await first_frame(self._feed, self._header, check)
        if vfa_webp:
            strips = _rows(frame_of(file, self._header), self._header, limits.BUDGET - beside(self.size))
        else:
            strips = _strips(_decoded(file), self._header)
        del file
        return resample(strips, self.size, targets, treatment)


async def open_webp(feed: Feed) -> Webp:
    """Read the header; refuses bombs, decodes nothing."""
    header = await read_header(feed)
    if header.alpha:
        limits.check_pixels(header.size, _MOST_PIXELS_ALPHA, "a WebP with alpha")
    else:
        limits.check_pixels(header.size, _MOST_PIXELS, "a WebP")
    return Webp(feed, header)


def _rows(frame: Frame, header: WebpHeader, room: int) -> Iterator[Image.Image]:
    """The canvas in strips, clear where the frame leaves it bare; the decoder takes `room` bytes at most."""
    mode = "RGBA" if header.alpha else "RGB"
    whole = (frame.left, frame.top, frame.size) == (0, 0, header.size)
    yield from _bare(mode, header.size.width, frame.top)
    try:
        decoder = vfa_webp.open(
            frame.pixels, frame.alpha, frame.lossless, *frame.size, len(mode), min(room, limits.CEILING)
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
    yield from _bare(mode, header.size.width, header.size.height - frame.top - frame.size.height)


def _bare(mode: str, width: int, rows: int) -> Iterator[Image.Image]:
    step = max(1, STRIP // (4 * width))
    for top in range(0, rows, step):
        yield Image.new(mode, (width, min(step, rows - top)))


def _decoded(data: bytes) -> bytes:
    """The pixels, four bytes each; the decoder, which is twice as large, is gone when this returns.

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
