"""TIFF originals: the file in memory, the pixels a band of rows at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from PIL import Image, ImageChops

from imaging import heap
from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.exif import ORIENTATION
from imaging.formats.raster import BROKEN, Raster
from imaging.formats.tiff_jpeg import is_one_jpeg, jpeg_blocks, resampled_jpeg
from imaging.formats.tiff_layout import CHANNELS, DEFLATE, FAX, JPEG, PLAIN, Alpha, Ink, Layout, read_layout
from imaging.formats.tiff_tags import Directory, read_directory
from imaging.formats.tiff_unpack import ROOM, rows_at_once, unpacked
from imaging.geometry import Size, area
from imaging.planes import Picture
from imaging.resample import Target, Treatment, resample, slices
from imaging.source import CUT_SHORT, Feed, Source

_PROFILE = 34675
_PROFILE_LIMIT = 4 << 20
_STREAM, _INFLATING = 4 << 10, 112 << 10  # bytes that a column of blocks takes in addition to its pixels
_CARRIERS = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_MODES = {Ink.GREY: "L", Ink.PALETTE: "P", Ink.RGB: "RGB", Ink.CMYK: "CMYK", Ink.YCC: "YCbCr"}
_WITH_ALPHA = {
    ("L", Alpha.UNASSOCIATED): "LA",
    ("L", Alpha.ASSOCIATED): "La",
    ("RGB", Alpha.UNASSOCIATED): "RGBA",
    ("RGB", Alpha.ASSOCIATED): "RGBa",
}
_LEVELS = {1: ("1", "1"), 2: ("L", "L;2"), 4: ("L", "L;4"), 12: ("I;16", "I;12")}
_INDICES = {1: ("P", "P;1"), 2: ("P", "P;2"), 4: ("P", "P;4")}


class Tiff:
    """An original whose tags have been read. `file` has ROOM bytes in front."""

    def __init__(self, file: bytearray, tags: Directory, layout: Layout) -> None:
        self._file = file
        self._layout = layout
        self.size = layout.size
        turn = tags.number(ORIENTATION, 1)
        self.orientation = turn if 1 <= turn <= 8 else 1
        self.profile = tags.content(_PROFILE, _PROFILE_LIMIT)

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> Sequence[Picture]:
        """Every target; raises TooLarge before any decoding when it would not fit in memory."""
        if is_one_jpeg(self._layout):
            return await resampled_jpeg(self._layout, self._file, targets, treatment)
        outcome = sum(area(target.size) for target in targets) * 4

        def needed(size: Size) -> int:
            return _peak(self._layout, size, len(self._file), outcome)

        heap.admit(self.size, "a TIFF", needed)
        parts = (part for strip in strips(self._layout, self._file) for part in slices(strip))
        return resample(parts, self.size, targets, treatment)


async def open_tiff(source: Source, feed: Feed) -> Tiff:
    """Read the file, whose tags may be at its end; refuses pictures that are too large, decodes nothing."""
    most = heap.BUDGET - heap.WORKING
    if source.size > most:
        raise TooLarge(f"The TIFF has {source.size / 1e6:.0f} MB; the limit is {most / 1e6:.0f} MB.")
    file = await _whole(source, feed)
    data = memoryview(file)[ROOM:]
    tags = read_directory(data)
    layout = read_layout(tags, len(data))
    heap.check_pixels(layout.size, heap.MOST_PIXELS_INFLATED)
    return Tiff(file, tags, layout)


async def _whole(source: Source, feed: Feed) -> bytearray:
    """The file after ROOM bytes, in memory that is allocated once."""
    file = bytearray(ROOM + source.size)
    at = ROOM
    async with aclosing(feed.rest()) as chunks:
        async for chunk in chunks:
            if at + len(chunk) > len(file):
                raise UnreadableImage(BROKEN)
            file[at : at + len(chunk)] = chunk
            at += len(chunk)
    if at < len(file):
        raise UnreadableImage(CUT_SHORT)
    return file


def _peak(whole: Layout, size: Size, length: int, outcome: int) -> int:
    """Bytes that a picture of another size would take, packed as this one is."""
    width = size.width if whole.block.width == whole.size.width else whole.block.width
    layout = replace(whole, size=size, block=Size(width, whole.block.height), places=())
    file = length * area(size) // area(whole.size)
    rows, lines = rows_at_once(layout), layout.lines(layout.block_rows)
    # Samples as unpacked and at eight bits, and the pixels: of each block, and of all beside each other.
    passing = 3 * layout.lines(rows) * layout.spread_line + 8 * rows * size.width
    carried, block = 0, 0
    if layout.compression == JPEG:
        pixels = layout.block_rows * layout.block.width * layout.across
        carried = (
            pixels * (1 if layout.ink is Ink.GREY else 4) * (1 if layout.across == layout.planes == 1 else 2)
        )
        # If it is progressive, its coefficients are kept.
        block = layout.block.width * (6 * layout.block_rows * layout.samples + 100)
        passing = 0
    elif layout.compression not in (PLAIN, *DEFLATE):
        block = lines * layout.line
        if layout.reversed_bits:  # libtiff copies what it reverses
            block += max(packed for _, packed in whole.places) * area(size) // area(whole.size)
        if rows < layout.block_rows:
            carried = lines * layout.whole_line * (8 if layout.compression in FAX else 1)
    streams = layout.across * layout.planes
    inflating = layout.compression in DEFLATE and rows < layout.block_rows
    passing += streams * (_INFLATING if inflating else _STREAM)
    resampling = outcome + heap.RESAMPLING + passing
    if layout.down == 1:
        return file + carried + max(block, resampling)
    return file + carried + block + resampling


def strips(layout: Layout, file: bytearray) -> Iterator[Image.Image]:
    """The picture's rows, top to bottom; `file` is as `unpacked` takes it."""
    planes = _wanted(layout) if layout.planes > 1 else [0]
    columns = [
        zip(*(_column(layout, file, plane, column) for plane in planes), strict=True)
        for column in range(layout.across)
    ]
    top = 0
    for row in zip(*columns, strict=True):
        blocks = [_colours_of(layout, [image for images in parts for image in images]) for parts in row]
        rows = min(blocks[0].height, layout.size.height - top)
        top += rows
        yield _side_by_side(layout, blocks, rows)


def _wanted(layout: Layout) -> list[int]:
    """The indices of the samples that are used: colors, then transparency."""
    colours = [*range(CHANNELS[layout.ink])]
    return colours if layout.alpha is Alpha.NONE else [*colours, layout.alpha_sample]


def _column(layout: Layout, file: bytearray, plane: int, column: int) -> Iterator[list[Image.Image]]:
    """One plane of one column of blocks: a picture, or as many pictures of grey as it has samples."""
    if layout.compression == JPEG:
        return ([block] for block in jpeg_blocks(layout, file, plane, column))
    return (_samples(layout, part) for part in unpacked(layout, file, plane, column))


def _side_by_side(layout: Layout, blocks: list[Image.Image], rows: int) -> Image.Image:
    width = layout.size.width
    if len(blocks) == 1:
        [block] = blocks
        return block if block.size == (width, rows) else block.crop((0, 0, width, rows))
    strip = Image.new(blocks[0].mode, (width, rows), None)
    if layout.palette and strip.mode == "P":
        strip.putpalette(layout.palette)
    for at, block in enumerate(blocks):
        strip.paste(block, (at * layout.block.width, 0))
    return strip


def _colours_of(layout: Layout, images: list[Image.Image]) -> Image.Image:
    """Samples → colors, with unassociated alpha."""
    channels = CHANNELS[layout.ink]
    colours = images[0]
    if len(images) >= channels > 1:
        colours = Image.merge(_MODES[layout.ink], images[:channels])
    if layout.palette:
        colours.putpalette(layout.palette)
    elif layout.inverted:
        colours = ImageChops.invert(colours)
    elif layout.matrix:
        colours = Image.merge("RGB", colours.split()).convert("RGB", layout.matrix)
    if len(images) > channels:
        alpha = images[channels]
        if layout.palette and layout.bits < 8:  # indices, which were not scaled to 8 bits
            alpha = alpha.point(lambda level: level * 255 / ((1 << layout.bits) - 1))
        colours = _with_alpha(colours, alpha, layout.alpha)
    if colours.mode in ("La", "RGBa"):
        return colours.convert("LA" if colours.mode == "La" else "RGBA")
    return colours


def _with_alpha(colours: Image.Image, alpha: Image.Image, kind: Alpha) -> Image.Image:
    """Colors with their transparency; CMYK, for which Pillow has no such mode, is composited on white."""
    if colours.mode == "CMYK":
        if kind is Alpha.ASSOCIATED:
            return colours
        return Image.merge("CMYK", [ImageChops.multiply(ink, alpha) for ink in colours.split()])
    if colours.mode != "L":
        colours = colours.convert("RGB")
    return Image.merge(_WITH_ALPHA[colours.mode, kind], [*colours.split(), alpha])


def _samples(layout: Layout, part: bytes) -> list[Image.Image]:
    """One picture if one of Pillow's modes has this layout; else a grey picture for each sample."""
    if layout.group != (1, 1):
        return [_spread(layout, part)]
    size = Size(layout.block.width, len(part) // layout.line)
    levels = _eight_bits(layout, part, size)
    if modes := _pillow_mode(layout):
        return [Image.frombytes(modes[0], size, levels, "raw", modes[1])]
    wanted = _wanted(layout) if layout.planes == 1 else [0]
    return [Image.frombytes("L", size, levels[sample :: layout.samples]) for sample in wanted]


def _pillow_mode(layout: Layout) -> tuple[str, str] | None:
    """Pillow's mode and raw mode for the layout of the samples, or None."""
    mode, spare = _MODES[layout.ink], layout.samples - CHANNELS[layout.ink]
    if layout.planes > 1:
        return "L", "L"
    if spare == 0:
        return mode, mode
    if layout.alpha is Alpha.NONE:
        return ("RGB", "RGBX") if (mode, spare) == ("RGB", 1) else None
    mode = _WITH_ALPHA.get((mode, layout.alpha), "")
    return (mode, mode) if mode and spare == 1 and not layout.inverted else None


def _eight_bits(layout: Layout, part: bytes, size: Size) -> bytes:
    """The samples at a byte each."""
    if layout.predictor == 2:
        return _summed(layout, part)
    if layout.bits == 8:
        return part
    if layout.bits == 16:
        return part[0 if layout.big_endian else 1 :: 2]
    kinds = _INDICES if layout.ink is Ink.PALETTE else _LEVELS
    mode, rawmode = kinds[layout.bits]
    image = Image.frombytes(mode, (size.width * layout.samples, size.height), part, "raw", rawmode)
    if mode == "I;16":
        return _upper_eight_of_twelve(image)
    return (image.convert("L") if mode == "1" else image).tobytes()


def _upper_eight_of_twelve(image: Image.Image) -> bytes:
    low, high = (Image.frombytes("L", image.size, image.tobytes()[at::2]) for at in (0, 1))
    upper, lower = high.point([level << 4 & 255 for level in range(256)]), low.point(lambda level: level >> 4)
    return ImageChops.add(upper, lower).tobytes()


def _summed(layout: Layout, part: bytes) -> bytes:
    """Undo the horizontal predictor; of 16 bits only the high bytes are kept."""
    if layout.bits == 8:
        return _summed_bytes(part, layout.line, layout.samples)
    high, low = (0, 1) if layout.big_endian else (1, 0)
    row = layout.line // 2
    differences = part[low::2]
    sums = _summed_bytes(differences, row, layout.samples)
    size = (row, len(sums) // row)
    # A sum below its last addend has overflowed: 1 is carried into the high byte.
    over = ImageChops.subtract(Image.frombytes("L", size, differences), Image.frombytes("L", size, sums))
    carried = ImageChops.add_modulo(
        Image.frombytes("L", size, part[high::2]), over.point([0] + [1] * 255)
    ).tobytes()
    return _summed_bytes(carried, row, layout.samples)


def _summed_bytes(part: bytes, row: int, step: int) -> bytes:
    """Running sums along each row, which is PNG's Sub filter, for which Pillow has a decoder."""
    if step not in _CARRIERS:
        sums = bytearray(len(part))
        for sample in range(step):
            sums[sample::step] = _summed_bytes(part[sample::step], row // step, 1)
        return bytes(sums)
    mode = _CARRIERS[step]
    raster = Raster(mode, Size(row // step, len(part) // row), "zip", (mode, 0))
    lines = (b"\x01" + part[at : at + row] for at in range(0, len(part), row))
    raster.feed(zlib.compress(b"".join(lines), 0))
    return raster.image.tobytes()


def _spread(layout: Layout, part: bytes) -> Image.Image:
    """Subsampled color: groups of luma, each followed by the pair of chroma samples that it shares."""
    group, unit = layout.group, area(layout.group) + 2
    wide, high = layout.line // unit, len(part) // layout.line
    chroma = Size(wide * group.width, high * group.height)
    # The rows of a line of groups follow one another, as rows of a picture do.
    luma = Image.new("L", (chroma.width * group.height, high), None)
    for down in range(group.height):
        row = bytearray(chroma.width * high)
        for across in range(group.width):
            row[across :: group.width] = part[down * group.width + across :: unit]
        luma.paste(Image.frombytes("L", (chroma.width, high), bytes(row)), (down * chroma.width, 0))
    planes = [Image.frombytes("L", chroma, luma.tobytes())]
    for at in (unit - 2, unit - 1):
        plane = Image.frombytes("L", (wide, high), part[at::unit])
        planes.append(plane.resize(chroma, Image.Resampling.BOX))
    return Image.merge("YCbCr", planes).crop((0, 0, layout.block.width, chroma.height))
