"""An original of any accepted format, detected by its first bytes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from imaging.errors import UnsupportedType
from imaging.formats.gif import open_gif
from imaging.formats.jpeg import open_jpeg
from imaging.formats.png import open_png
from imaging.formats.tiff import open_tiff
from imaging.formats.webp import open_webp
from imaging.geometry import Size
from imaging.planes import Picture
from imaging.resample import Target, Treatment
from imaging.source import Feed, Source

_OTHERS = {
    b"%PDF": "A PDF",
    b"<svg": "An SVG",
    b"BM": "A BMP",
    b"\0\0\0\x0cjP  ": "A JPEG 2000",
    b"\xff\x4f\xff\x51": "A JPEG 2000",
}


class Original(Protocol):
    """A picture whose header has been read and found acceptable."""

    @property
    def size(self) -> Size:
        """As stored, before the orientation is applied."""

    @property
    def orientation(self) -> int:
        """EXIF's, 1 to 8; for PNG and WebP final only after the pixels have been read."""

    @property
    def profile(self) -> bytes | None:
        """The ICC profile, or None."""

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> Sequence[Picture]:
        """Decode once and return every target, before the orientation is applied.

        Raises:
            TooLarge: It would not fit in memory, or take too long.
            UnreadableImage: It is damaged.
        """


async def open_original(source: Source, feed: Feed) -> Original:
    """Read the header, and decode nothing.

    Raises:
        UnsupportedType: The format is not accepted.
        TooLarge: The picture has too many pixels.
        UnreadableImage: The header is damaged.
    """
    magic = await feed.up_to(16)
    feed.put_back(magic)
    if magic.startswith(b"\xff\xd8\xff"):
        return await open_jpeg(source, feed)
    if magic.startswith(b"\x89PNG\r\n\x1a\n"):
        return await open_png(feed)
    if magic[:6] in (b"GIF87a", b"GIF89a"):
        return await open_gif(feed)
    if magic[:4] == b"RIFF" and magic[8:12] == b"WEBP":
        return await open_webp(feed)
    if magic[:4] in (b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b"):
        return await open_tiff(source, feed)
    raise UnsupportedType(_name(magic))


def _name(magic: bytes) -> str:
    if magic[4:8] == b"ftyp":
        return "An AVIF or HEIC" if magic[8:12] in (b"avif", b"heic", b"mif1", b"heix") else "A video"
    return next((name for start, name in _OTHERS.items() if magic.startswith(start)), "This file")
