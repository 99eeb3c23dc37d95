"""The layout of a TIFF's pixels by its tags: where they are, how they are packed, what they mean."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from enum import StrEnum

from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.raster import BROKEN
from imaging.formats.tiff_tags import Directory
from imaging.geometry import Size, area

WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
OFFSETS, SAMPLES, ROWS, COUNTS, PLANAR = 273, 277, 278, 279, 284
FAX3_OPTIONS, FAX4_OPTIONS, PREDICTOR, COLOURS = 292, 293, 317, 320
TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
EXTRA, FORMAT, TABLES, COEFFICIENTS, SUBSAMPLING, REFERENCE = 338, 339, 347, 529, 530, 532

PLAIN, LZW, OLD_JPEG, JPEG, PACKBITS = 1, 5, 6, 7, 32773
DEFLATE = (8, 32946)
FAX = (2, 3, 4, 32771)
_NAMES = {
    OLD_JPEG: "JPEG of the old kind (compression 6)",
    34925: "LZMA compression",
    50000: "Zstandard compression",
    50001: "WebP compression",
}
_COLOUR_SPACES = {4: "a transparency mask", 8: "Lab colours", 9: "Lab colours", 10: "Lab colours"}

# Bounds of work: together they keep the worst picture below five seconds.
MOST_ROWS = 1_000_000
MOST_SAMPLES = 32
MOST_BLOCKS = 100_000  # strips or tiles; each costs some 20 µs, however small it is
MOST_JPEGS = 5_000  # of them; about a millisecond each
MOST_COLUMNS = 1024  # of tiles, in all planes, each of which is unpacked by itself
MOST_UNPACKED = 200_000_000  # bytes of samples before they are packed, at a byte each or as many as they have
_SHARED = 4 << 20  # blocks may add up to so many bytes more than the file: identical ones may be stored once
_MOST_TABLES = 1 << 20


class Ink(StrEnum):
    """What the samples of a pixel mean."""

    GREY = "grey"
    RGB = "RGB"
    PALETTE = "palette"
    CMYK = "CMYK"
    YCC = "YCbCr"


class Alpha(StrEnum):
    """How a sample of transparency relates to the colors."""

    NONE = "none"
    ASSOCIATED = "associated"  # the colours are multiplied by it
    UNASSOCIATED = "unassociated"


_JFIF = (0.299, 0.587, 0.114)
_FULL_RANGE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)
_INKS = {0: Ink.GREY, 1: Ink.GREY, 2: Ink.RGB, 3: Ink.PALETTE, 5: Ink.CMYK, 6: Ink.YCC}
CHANNELS = {Ink.GREY: 1, Ink.PALETTE: 1, Ink.RGB: 3, Ink.YCC: 3, Ink.CMYK: 4}


@dataclass(frozen=True, slots=True)
class Layout:
    """How the pixels of one picture are stored.

    A block is a strip or a tile; blocks are stored across, then down, then plane by plane. `places` are the
    offset and the length of each. `samples` are those of one pixel in one block. A line is what a packing
    takes for a row: of subsampled colour it holds `group.height` rows.
    """

    size: Size
    block: Size
    compression: int
    predictor: int
    bits: int
    samples: int
    planes: int
    ink: Ink
    inverted: bool
    alpha: Alpha
    alpha_sample: int
    big_endian: bool
    reversed_bits: bool
    fax_options: int
    group: Size  # of pixels that share one pair of chroma samples
    palette: bytes
    matrix: tuple[float, ...] | None  # from YCbCr to RGB, where it is not JFIF's
    tables: bytes  # of a JPEG, for every block
    places: tuple[tuple[int, int], ...]

    @property
    def across(self) -> int:
        return -(-self.size.width // self.block.width)

    @property
    def down(self) -> int:
        return -(-self.size.height // self.block.height)

    @property
    def block_rows(self) -> int:
        """Rows of a block as far as the picture goes."""
        return min(self.size.height, self.block.height)

    @property
    def line(self) -> int:
        """Bytes of a block's line, unpacked."""
        if self.group != (1, 1):
            return -(-self.block.width // self.group.width) * (area(self.group) + 2)
        return (self.block.width * self.samples * self.bits + 7) // 8

    def lines(self, rows: int) -> int:
        """How many lines hold so many rows."""
        return -(-rows // self.group.height)

    @property
    def whole_line(self) -> int:
        """Bytes of a line of every block beside each other, in every plane."""
        return self.line * self.across * self.planes

    @property
    def spread_line(self) -> int:
        """Bytes of the same line with eight bits a sample, or as many as there are if these are more."""
        levels = self.block.width * self.across * self.samples * self.planes * self.group.height
        return max(self.whole_line, levels)


def read_layout(tags: Directory, length: int) -> Layout:
    """Check the tags of a file of `length` bytes.

    Raises:
        UnreadableImage: it is damaged, or uses something that is not supported, which is named.
        TooLarge: it has more rows, samples, strips, tiles or bytes than the bounds of work.
    """
    size = Size(tags.number(WIDTH, 0), tags.number(LENGTH, 0))
    if min(size) < 1:
        raise UnreadableImage(BROKEN)
    samples = tags.number(SAMPLES, 1)
    if not 1 <= samples <= MOST_SAMPLES:
        raise TooLarge(f"The TIFF has {samples:,} samples a pixel; the limit is {MOST_SAMPLES}.")
    compression = tags.number(COMPRESSION, PLAIN)
    photometric = tags.number(PHOTOMETRIC, _likely_photometric(samples, compression))
    bits = _bits(tags, samples)
    _check_named(tags, compression, photometric, samples)
    ink = _INKS[photometric]
    planes = samples if tags.number(PLANAR, 1) == 2 else 1
    alpha, alpha_sample = _alpha(tags, ink, samples)
    group = Size(1, 1)
    if ink is Ink.YCC and compression != JPEG:
        group = Size(*(tags.numbers(SUBSAMPLING, 2) or (2, 2)))
    layout = Layout(
        size=size,
        block=_block(tags, size, planes),
        compression=compression,
        predictor=tags.number(PREDICTOR, 1) if compression in (LZW, *DEFLATE) else 1,
        bits=bits,
        samples=samples // planes,
        planes=planes,
        ink=ink,
        inverted=photometric == 0,
        alpha=alpha,
        alpha_sample=alpha_sample,
        big_endian=tags.order == ">",
        reversed_bits=tags.number(FILL_ORDER, 1) == 2 and compression != JPEG,
        fax_options=tags.number(FAX4_OPTIONS if compression == 4 else FAX3_OPTIONS, 0),
        group=group,
        palette=_palette(tags, bits) if ink is Ink.PALETTE else b"",
        matrix=_matrix(tags) if ink is Ink.YCC and compression != JPEG else None,
        tables=tags.content(TABLES, _MOST_TABLES) or b"",
        places=(),
    )
    _check_supported(layout)
    _check_work(layout)
    return _placed(layout, tags, length)


def _likely_photometric(samples: int, compression: int) -> int:
    """What libtiff assumes where the tag is missing."""
    if samples >= 3:
        return 2
    return 0 if compression in FAX else 1


def _bits(tags: Directory, samples: int) -> int:
    """Bits of every sample; 0 where they differ."""
    bits = set(tags.numbers(BITS, samples)) or {1}
    return bits.pop() if len(bits) == 1 else 0


def _block(tags: Directory, size: Size, planes: int) -> Size:
    if TILE_WIDTH in tags or TILE_OFFSETS in tags:
        block = Size(tags.number(TILE_WIDTH, 0), tags.number(TILE_LENGTH, 0))
        if min(block) < 1:
            raise UnreadableImage(BROKEN)
        return block
    rows = tags.number(ROWS, 0)
    if rows < 1:  # of as many strips as there are, all but the last have one height
        rows = -(-size.height // max(1, min(tags.count(OFFSETS), size.height * planes) // planes))
    return Size(size.width, min(size.height, rows))


def _alpha(tags: Directory, ink: Ink, samples: int) -> tuple[Alpha, int]:
    """How the first sample of transparency is meant, and which of a pixel's samples it is.

    A fourth sample of RGB that no tag describes is alpha, as in every other reader.
    """
    extras = samples - CHANNELS[ink]
    kinds = tags.numbers(EXTRA, MOST_SAMPLES)
    if not kinds and ink is Ink.RGB and extras == 1:
        kinds = (2,)
    for place, kind in enumerate(kinds[: max(0, extras)]):
        if kind in (1, 2):
            alpha = Alpha.ASSOCIATED if kind == 1 else Alpha.UNASSOCIATED
            return alpha, CHANNELS[ink] + place
    return Alpha.NONE, 0


def _palette(tags: Directory, bits: int) -> bytes:
    """Red, green and blue of every colour; some writers meant 8 bits where there are 16."""
    colours = 1 << min(bits, 8)
    levels = tags.numbers(COLOURS, 3 * colours)
    if len(levels) < 3 * colours:
        raise UnreadableImage(BROKEN)
    if max(levels) > 255:
        levels = tuple(level >> 8 for level in levels)
    return bytes(levels[at + channel * colours] for at in range(colours) for channel in range(3))


def _matrix(tags: Directory) -> tuple[float, ...] | None:
    """Three rows of four factors, from the tags' own coefficients and levels of black and white."""
    red, green, blue = tags.reals(COEFFICIENTS, 3) or _JFIF
    black, white, *chroma = tags.reals(REFERENCE, 6) or _FULL_RANGE
    usual = all(abs(one - other) < 0.002 for one, other in zip((red, green, blue), _JFIF, strict=True))
    if usual and (black, white, *chroma) == _FULL_RANGE:
        return None
    luma = 255 / ((white - black) or 255)
    cb, cr = (127 / ((chroma[at + 1] - chroma[at]) or 127) for at in (0, 2))
    of_red, of_blue = 2 - 2 * red, 2 - 2 * blue
    green = green or _JFIF[1]
    rows = ((0.0, of_red), (-blue * of_blue / green, -red * of_red / green), (of_blue, 0.0))
    return tuple(
        factor
        for row in rows
        for factor in (
            luma,
            row[0] * cb,
            row[1] * cr,
            -luma * black - row[0] * cb * chroma[0] - row[1] * cr * chroma[2],
        )
    )


def _check_named(tags: Directory, compression: int, photometric: int, samples: int) -> None:
    """Refuse compressions and color spaces that are not supported, by name."""
    if compression not in (PLAIN, LZW, JPEG, PACKBITS, *DEFLATE, *FAX):
        raise _unsupported(_NAMES.get(compression, f"compression {compression}"))
    kinds = set(tags.numbers(FORMAT, samples))
    if 3 in kinds:
        raise _unsupported("floating point samples")
    if not kinds <= {1, 2, 4}:
        raise _unsupported("complex numbers as samples")
    if photometric not in _INKS:
        raise _unsupported(_COLOUR_SPACES.get(photometric, f"colour space {photometric}"))


def _check_supported(layout: Layout) -> None:
    """Refuse, by name, a layout that would be decoded wrongly."""
    ink, bits, compression = layout.ink, layout.bits, layout.compression
    samples = layout.samples * layout.planes
    subsampled = layout.group != (1, 1)
    problems = {
        "samples of different depths": bits == 0,
        f"{bits} bits a sample": bits not in (1, 2, 4, 8, 12, 16),
        f"{samples} samples a pixel in {ink}": samples < CHANNELS[ink],
        "this predictor": layout.predictor not in (1, 2)
        or (layout.predictor == 2 and (bits not in (8, 16) or subsampled)),
        f"{bits} bits a sample in a palette": ink is Ink.PALETTE and bits > 8,
        f"{bits} bits a sample in YCbCr": ink is Ink.YCC and bits != 8,
        "colour subsampled in this way": subsampled
        and (
            not {*layout.group} <= {1, 2, 4}
            or samples != 3
            or layout.planes > 1
            or (layout.down > 1 and layout.block.height % layout.group.height != 0)
        ),
        "a fax coding of more than two levels": compression in FAX and (bits, layout.samples) != (1, 1),
        "JPEG of this kind": compression == JPEG
        and (bits != 8 or ink is Ink.PALETTE or layout.samples not in (1, CHANNELS[ink])),
    }
    for problem, found in problems.items():
        if found:
            raise _unsupported(problem)


def _unsupported(what: str) -> UnreadableImage:
    return UnreadableImage(f"The picture cannot be read: TIFF with {what} is not supported.")


def _check_work(layout: Layout) -> None:
    """Refuse a picture that would take too long."""
    blocks = layout.across * layout.down * layout.planes
    most_blocks = MOST_JPEGS if layout.compression == JPEG else MOST_BLOCKS
    unpacked = layout.spread_line * layout.lines(layout.size.height)
    for found, most, what in (
        (layout.size.height, MOST_ROWS, "rows"),
        (blocks, most_blocks, "strips or tiles"),
        (layout.across * layout.planes, MOST_COLUMNS, "tiles side by side"),
    ):
        if found > most:
            raise TooLarge(f"The TIFF has {found:,} {what}; the limit is {most:,}.")
    # A single JPEG is scaled while it is decoded.
    if unpacked > MOST_UNPACKED and not (layout.compression == JPEG and blocks == 1):
        limit = f"the limit is {MOST_UNPACKED / 1e6:.0f} MB"
        raise TooLarge(f"The TIFF's pixels are {unpacked / 1e6:.0f} MB when unpacked; {limit}.")


def _placed(layout: Layout, tags: Directory, length: int) -> Layout:
    """The layout with the offsets and lengths of its blocks, corrected where the tags are impossible."""
    wanted = layout.across * layout.down * layout.planes
    offsets = tags.numbers(TILE_OFFSETS if TILE_OFFSETS in tags else OFFSETS, wanted)
    counts = tags.numbers(TILE_COUNTS if TILE_COUNTS in tags else COUNTS, wanted)
    if len(offsets) < wanted:
        raise UnreadableImage(BROKEN)
    starts = sorted({*offsets, length})
    counts += (0,) * (wanted - len(counts))
    most = _most_packed(layout)
    places = []
    for offset, count in zip(offsets, counts, strict=True):
        if not 0 < offset < length:
            raise UnreadableImage(BROKEN)
        if count < 1 or offset + count > length:
            # Missing or impossible: up to the next block.
            count = starts[bisect_right(starts, offset)] - offset
        places.append((offset, min(count, most)))
    packed = sum(count for _, count in places)
    if packed > length + _SHARED:
        limit = f"the limit is {(length + _SHARED) / 1e6:.0f} MB"
        raise TooLarge(f"The strips or tiles of the TIFF add up to {packed / 1e6:.0f} MB; {limit}.")
    return replace(layout, places=tuple(places))


def _most_packed(layout: Layout) -> int:
    """Bytes of a packed block beyond which it holds nothing more of the picture."""
    unpacked = layout.line * layout.lines(layout.block_rows)
    if layout.compression == PLAIN:
        return unpacked
    return (10 if layout.compression in FAX else 2) * unpacked + 4096
