"""PNG originals: inflated and unfiltered in strips, so that the whole picture is never in memory."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial, reduce
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from imaging import heap, kernels
from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.png_header import PngHeader, count_chunk, keep_chunk, read_header
from imaging.formats.raster import BROKEN, Raster
from imaging.geometry import Size, area
from imaging.resample import STRIP, Resampler, Target, Treatment, slices
from imaging.source import CUT_SHORT, Feed

if TYPE_CHECKING:
    import vfa_kernels

_CARRIERS = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_SLACK = 1 << 20  # packed bytes beyond an eighth more than the rows


class Png:
    """An original whose header has been read."""

    def __init__(self, feed: Feed, header: PngHeader) -> None:
        self._feed = feed
        self._header = header
        self.size = header.size
        self.profile = header.profile

    @property
    def orientation(self) -> int:
        """Final after the pixels have been read: its chunk may follow them."""
        return self._header.orientation

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> list[Image.Image]:
        """Every target; raises TooLarge before any decoding when it would not fit in memory."""
        outcome = sum(area(target.size) for target in targets) * 4

        def needed(size: Size) -> int:
            return peak(self._header, size) + outcome

        kind = "an interlaced PNG" if self._header.interlaced else "a PNG"
        heap.admit(self.size, kind, needed)
        resamplers = [Resampler(self.size, target, treatment) for target in targets]
        strips = self._whole() if self._header.interlaced else self._strips()
        async with aclosing(strips):
            async for strip in strips:
                ready = treatment.before(strip)
                for resampler in resamplers:
                    resampler.feed(ready)
        return [resampler.finished() for resampler in resamplers]

    async def _strips(self) -> AsyncGenerator[Image.Image, None]:
        header = self._header
        kept = as_eight_bits(header)
        halves = _halves(header)
        unfilters = [_unfilter(kept) for _ in halves]
        line = header.row + 1
        async with aclosing(self._inflated(max(1, STRIP // line) * line)) as parts:
            async for packed in parts:
                pictures = []
                for half in halves:
                    rows = packed if kept is header else half_of(packed, header.row, half)
                    pictures.append(unfilters[half](rows))
                yield self._keyed(*pictures)

    async def _whole(self) -> AsyncGenerator[Image.Image, None]:
        header = self._header
        rasters = [
            Raster(mode, header.size, "zip", (rawmode, 1)) for mode, rawmode in _interlaced_modes(header)
        ]
        # Inflated here, where the work is counted, and passed on as stored blocks.
        stored = zlib.compressobj(0)
        async with aclosing(self._inflated(STRIP)) as parts:
            async for part in parts:
                data = stored.compress(part) + stored.flush(zlib.Z_FULL_FLUSH)
                for raster in rasters:
                    raster.feed(data)
        end = stored.flush()
        for raster in rasters:
            raster.feed(end)
        if not all(raster.done for raster in rasters):
            raise UnreadableImage(BROKEN)
        for strips in zip(*(slices(raster.image) for raster in rasters), strict=True):
            yield self._keyed(*strips)

    def _keyed(self, picture: Image.Image, low: Image.Image | None = None) -> Image.Image:
        """The rows with the palette and the transparency of their file; `low` has 16 bits' low bytes."""
        header = self._header
        if picture.mode == "P":
            picture.putpalette(header.palette)
        if low is not None and header.key:
            picture.putalpha(_apart_from(header.key, picture, low))
        elif header.transparency is not None:
            picture.info["transparency"] = header.transparency
        return picture

    async def _inflated(self, most: int) -> AsyncGenerator[bytes, None]:
        """The filtered rows, `most` bytes at a time; packed bytes beyond the rows are not inflated."""
        left = self._header.inflated
        inflate = zlib.decompressobj()
        held: list[bytes] = []
        missing = min(left, most)
        fed = produced = 0
        async with aclosing(self._packed()) as parts:
            async for data in parts:
                fed += len(data)
                while data and left:
                    held.append(_decompressed(inflate, data, missing))
                    data = inflate.unconsumed_tail
                    missing -= len(held[-1])
                    produced += len(held[-1])
                    if not missing:
                        left -= min(left, most)
                        missing = min(left, most)
                        rows, held = b"".join(held), []
                        yield rows
                # Incompressible data grows by less than an eighth.
                if left and fed > produced + produced // 8 + _SLACK:
                    raise TooLarge(
                        f"The PNG has {fed / 1e6:.1f} MB of packed pixels for the first "
                        f"{produced / 1e6:.1f} MB of its rows; the limit is an eighth more than the rows."
                    )
        if left:
            raise UnreadableImage(CUT_SHORT)

    async def _packed(self) -> AsyncGenerator[bytes, None]:
        """The contents of the IDAT chunks; then the chunks after them are read."""
        start = await self._feed.up_to(8)
        while len(start) == 8 and start[4:] == b"IDAT":
            count_chunk(self._header)
            length = int.from_bytes(start[:4], "big")
            while length:
                part = await self._feed.up_to(min(length, heap.CHUNK))
                if not part:
                    return
                length -= len(part)
                yield part
            start = (await self._feed.up_to(4 + 8))[4:]
        with suppress(UnreadableImage):  # damage after the pixels does not matter
            await self._read_trailer(start)

    async def _read_trailer(self, start: bytes) -> None:
        header = self._header
        while len(start) == 8 and start[4:] != b"IEND" and not header.animated:
            if start[4:] == b"eXIf":
                await keep_chunk(self._feed, start, header)
            else:
                count_chunk(header)
                await self._feed.skip(int.from_bytes(start[:4], "big") + 4)
            start = await self._feed.up_to(8)


async def open_png(feed: Feed) -> Png:
    """Read the header; refuses pictures that are too large, decodes nothing."""
    header = await read_header(feed)
    heap.check_pixels(header.size, *_most_pixels(header))
    return Png(feed, header)


def _most_pixels(header: PngHeader) -> tuple[int, str]:
    """The number of pixels that take less than three seconds, and of what kind of picture."""
    if len(_halves(header)) > 1:
        return 35_000_000, "a PNG with a transparent colour of 16 bits"
    if header.transparency is not None or header.colour in (4, 6) or (header.depth, header.colour) == (16, 2):
        return 50_000_000, "a PNG with transparency or with colours of 16 bits"
    if header.colour in (2, 3):
        return 60_000_000, "a PNG in colour"
    return heap.MOST_PIXELS_INFLATED, ""


def peak(header: PngHeader, size: Size) -> int:
    """Bytes that reading a picture of this kind takes, the targets apart."""
    row = size.width * header.row // header.size.width + 1
    if not header.interlaced:
        return 8 * max(STRIP, row) * len(_halves(header)) + heap.RESAMPLING
    modes = [mode for mode, _ in _interlaced_modes(header)]
    pixels = sum(heap.held(size, {"RGB": 4, "RGBA": 4, "I;16": 2}.get(mode, 1)) for mode in modes)
    return pixels + 4 * row + heap.RESAMPLING


def _decompressed(inflate: zlib._Decompress, data: bytes, most: int) -> bytes:
    try:
        return inflate.decompress(data, most)
    except zlib.error as error:
        raise UnreadableImage(BROKEN) from error


def as_eight_bits(header: PngHeader) -> PngHeader:
    """What is left of a 16-bit picture without its low bytes."""
    return replace(header, depth=8) if header.depth == 16 else header


def _halves(header: PngHeader) -> tuple[int, ...]:
    """Which bytes of a level are needed: the low ones where a key of 16 bits is compared with them."""
    return (0, 1) if header.depth == 16 and header.key else (0,)


def half_of(packed: bytes, row: int, half: int) -> bytearray:
    """Rows of 16 bits with their high bytes (0) or their low ones (1) only, each behind its filter's type.

    A filter works on each byte of a pixel alone, so this may be done before it is undone. Rows or columns are
    taken one by one, whichever are fewer.
    """
    line, kept = row + 1, row // 2 + 1
    rows = len(packed) // line
    result = bytearray(rows * kept)
    result[::kept] = packed[::line]
    if rows < kept:
        for at in range(rows):
            result[at * kept + 1 : (at + 1) * kept] = packed[at * line + 1 + half : (at + 1) * line : 2]
    else:
        for at in range(1, kept):
            result[at::kept] = packed[2 * at - 1 + half :: line]
    return result


def _interlaced_modes(header: PngHeader) -> list[tuple[str, str]]:
    """Modes and raw modes to decode in: with a key of 16 bits, the high bytes and then the low ones."""
    if header.depth < 16 or not header.key:
        return [(header.mode, header.rawmode)]
    if header.colour == 0:
        return [("L", "L;16B"), ("L", "L;16")]
    return [("RGB", "RGB;16B"), ("RGB", "RGB;16L")]


def _apart_from(key: tuple[int, ...], high: Image.Image, low: Image.Image) -> Image.Image:
    """Where the levels, given as two bytes each, differ from the key: the opacity."""
    apart = [
        channel.point([255 * (value != level >> shift & 255) for value in range(256)])
        for picture, shift in ((high, 8), (low, 0))
        for channel, level in zip(picture.split(), key, strict=True)
    ]
    return reduce(ImageChops.lighter, apart)


def _unfilter(header: PngHeader) -> Callable[[bytes | bytearray], Image.Image]:
    """A function from the next filtered rows to their pixels."""
    if kernels.unfilters():
        return partial(_unfiltered_by_kernel, header, kernels.unfilter(header.row, header.step))
    return _Unfilter(header)


def _unfiltered_by_kernel(
    header: PngHeader, unfilter: vfa_kernels.Unfilter, packed: bytes | bytearray
) -> Image.Image:
    try:
        return _as_pixels(header, unfilter.push(packed), len(packed) // (header.row + 1))
    except ValueError as error:
        raise UnreadableImage(BROKEN) from error


class _Unfilter:
    """Undoes the filters by Pillow's decoder, which wants a zlib stream: it gets stored blocks.

    The row above goes first, as one that needs no filter.
    """

    def __init__(self, header: PngHeader) -> None:
        self._header = header
        self._above = bytes(header.row)

    def __call__(self, packed: bytes | bytearray) -> Image.Image:
        header, mode = self._header, _CARRIERS[self._header.step]
        rows = len(packed) // (header.row + 1)
        size = Size(header.row // header.step, rows + 1)
        raster = Raster(mode, size, "zip", (mode, 0))
        raster.feed(zlib.compress(b"".join((b"\0", self._above, packed)), 0))
        if not raster.done:
            raise UnreadableImage(BROKEN)
        self._above = raster.image.crop((0, rows, *size)).tobytes()
        carrier = raster.image.crop((0, 1, *size))
        return carrier if header.rawmode == mode else _as_pixels(header, carrier.tobytes(), rows)


def _as_pixels(header: PngHeader, data: bytes, rows: int) -> Image.Image:
    return Image.frombytes(header.mode, (header.size.width, rows), data, "raw", header.rawmode)
