"""WebP originals: one frame, taken out of its container and decoded whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image, _webp

from imaging import limits
from imaging.errors import UnreadableImage
from imaging.geometry import Size, area
from imaging.raster import BROKEN
from imaging.resample import STRIP, Target, Treatment, resample
from imaging.source import Feed
from imaging.webp_header import WebpHeader, first_frame, read_header

_PIXEL = 12  # two canvases of the decoder, and the copy it hands over


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

        def needed(size: Size) -> int:
            packed = self._header.length * area(size) // area(self.size)
            # The decoder's copy of the frame, and ours, whose gap is too small for what follows
            decoding = _PIXEL * area(size) + 2 * packed + len(self.profile or b"") + limits.DECODING
            return max(decoding, 4 * area(size) + outcome + limits.RESAMPLING)

        def check() -> None:
            limits.admit(self.size, "a WebP", needed)

        check()
        pixels = _decoded(await first_frame(self._feed, self._header, check))
        return resample(_strips(pixels, self._header), self.size, targets, treatment)


async def open_webp(feed: Feed) -> Webp:
    """Read the header; refuses bombs, decodes nothing."""
    header = await read_header(feed)
    limits.check_pixels(header.size, limits.MOST_PIXELS_INFLATED)
    return Webp(feed, header)


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
