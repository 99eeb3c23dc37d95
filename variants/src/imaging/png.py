"""PNG originals: inflated and unfiltered in strips, so that the whole picture is never in memory."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from PIL import Image

from imaging import limits
from imaging.errors import UnreadableImage
from imaging.geometry import Size, area
from imaging.png_header import PngHeader, note, read_chunk, read_header
from imaging.raster import BROKEN, Raster
from imaging.resample import STRIP, Resampler, Target, Treatment, slices
from imaging.source import CUT_SHORT, Feed

_CARRIERS = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


class Png:
    """An original whose header has been read."""

    def __init__(self, feed: Feed, header: PngHeader) -> None:
        self._feed = feed
        self._header = header
        self.size = header.size
        self.profile = header.profile

    @property
    def orientation(self) -> int:
        """Final once the pixels are read: the chunk that says it may follow them."""
        return self._header.orientation

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> list[Image.Image]:
        """Every target, as it is to be stored; raises TooLarge before any decoding when it would not fit."""
        outcome = sum(area(target.size) for target in targets) * 4

        def needed(size: Size) -> int:
            return peak(self._header, size) + outcome

        kind = "an interlaced PNG" if self._header.interlaced else "a PNG"
        limits.admit(self.size, kind, needed)
        resamplers = [Resampler(self.size, target, treatment) for target in targets]
        strips = self._whole() if self._header.interlaced else self._strips()
        async with aclosing(strips):
            async for strip in strips:
                ready = treatment.before(_dressed(self._header, strip))
                for resampler in resamplers:
                    resampler.feed(ready)
        return [resampler.finished() for resampler in resamplers]

    async def _strips(self) -> AsyncGenerator[Image.Image, None]:
        header = self._header
        kept = as_eight_bits(header)
        above = bytes(kept.row)
        left = header.size.height
        async with aclosing(self._inflated()) as parts:
            async for packed in parts:
                carrier = _unfiltered(
                    kept, above, packed if kept is header else _high_bytes(packed, header.row)
                )
                left -= carrier.height
                above = carrier.crop((0, carrier.height - 1, carrier.width, carrier.height)).tobytes()
                yield _as_pixels(kept, carrier)
        if left:
            raise UnreadableImage(CUT_SHORT)

    async def _inflated(self) -> AsyncGenerator[bytes, None]:
        """The filtered rows, a strip's worth at a time."""
        line = self._header.row + 1
        strip = max(1, STRIP // line) * line
        left = line * self._header.size.height
        inflate = zlib.decompressobj()
        held: list[bytes] = []
        missing = min(left, strip)
        async with aclosing(self._packed()) as parts:
            async for data in parts:
                while data and left:
                    held.append(_decompressed(inflate, data, missing))
                    data = inflate.unconsumed_tail
                    missing -= len(held[-1])
                    if not missing:
                        left -= min(left, strip)
                        missing = min(left, strip)
                        rows, held = b"".join(held), []
                        yield rows

    async def _whole(self) -> AsyncGenerator[Image.Image, None]:
        header = self._header
        raster = Raster(header.mode, header.size, "zip", (header.rawmode, 1))
        async with aclosing(self._packed()) as parts:
            async for data in parts:
                raster.feed(data)
        if not raster.done:
            raise UnreadableImage(CUT_SHORT)
        for strip in slices(raster.image):
            yield strip

    async def _packed(self) -> AsyncGenerator[bytes, None]:
        """The content of the IDAT chunks; then the chunks behind them are looked through."""
        while len(start := await self._feed.up_to(8)) == 8 and start[4:] == b"IDAT":
            length = int.from_bytes(start[:4], "big")
            while length:
                part = await self._feed.take(min(length, limits.CHUNK))
                length -= len(part)
                yield part
            await self._feed.skip(4)
        while len(start) == 8 and start[4:] != b"IEND" and not self._header.animated:
            self._feed.put_back(start)
            note(self._header, *await read_chunk(self._feed))
            start = await self._feed.up_to(8)


async def open_png(feed: Feed) -> Png:
    """Read the header; refuses bombs, decodes nothing."""
    header = await read_header(feed)
    limits.check_pixels(header.size, limits.MOST_PIXELS_INFLATED)
    return Png(feed, header)


def peak(header: PngHeader, size: Size) -> int:
    """Bytes that reading a picture of this kind takes, the targets apart."""
    row = size.width * header.row // header.size.width + 1
    if not header.interlaced:
        return 8 * max(STRIP, row) + limits.RESAMPLING
    pixel = {"RGB": 4, "RGBA": 4, "I;16": 2}.get(header.mode, 1)
    return area(size) * pixel + 4 * row + limits.RESAMPLING


def _decompressed(inflate: zlib._Decompress, data: bytes, most: int) -> bytes:
    try:
        return inflate.decompress(data, most)
    except zlib.error as error:
        raise UnreadableImage(BROKEN) from error


def as_eight_bits(header: PngHeader) -> PngHeader:
    """What is left of a 16-bit picture without its low bytes."""
    return replace(header, depth=8) if header.depth == 16 else header


def _high_bytes(packed: bytes, row: int) -> bytes:
    """Rows without the low bytes: a filter works on each byte of a pixel alone, so it may come off later."""
    line = row + 1
    return b"".join(
        part
        for at in range(0, len(packed), line)
        for part in (packed[at : at + 1], packed[at + 1 : at + line : 2])
    )


def _unfiltered(header: PngHeader, above: bytes, packed: bytes) -> Image.Image:
    """The rows' raw bytes, in an image whose pixels are as wide as the filters' step.

    The row above goes first, as one that needs no filter; Pillow's decoder wants a zlib stream, so it gets
    one that is merely stored.
    """
    mode = _CARRIERS[header.step]
    size = Size(header.row // header.step, len(packed) // (header.row + 1) + 1)
    raster = Raster(mode, size, "zip", (mode, 0))
    raster.feed(zlib.compress(b"".join((b"\0", above, packed)), 0))
    if not raster.done:
        raise UnreadableImage(BROKEN)
    return raster.image.crop((0, 1, *size))


def _as_pixels(header: PngHeader, carrier: Image.Image) -> Image.Image:
    if header.rawmode == carrier.mode:
        return carrier
    size = (header.size.width, carrier.height)
    return Image.frombytes(header.mode, size, carrier.tobytes(), "raw", header.rawmode)


def _dressed(header: PngHeader, strip: Image.Image) -> Image.Image:
    """The strip with the palette and the transparency of its file."""
    if strip.mode == "P":
        strip.putpalette(header.palette)
    if header.transparency is not None:
        strip.info["transparency"] = header.transparency
    return strip
