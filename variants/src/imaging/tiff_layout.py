"""What a TIFF's tags say about where its pixels are, and how they are packed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from imaging.errors import UnreadableImage
from imaging.geometry import Size
from imaging.raster import BROKEN

WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
OFFSETS, SAMPLES, ROWS, COUNTS, PLANAR, PREDICTOR = 273, 277, 278, 279, 284, 317
TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
EXTRA, FORMAT, TABLES, SUBSAMPLING = 338, 339, 347, 530
PLAIN, JPEG = 1, 7
DEFLATE = (8, 32946)
BY_LIBTIFF = (2, 3, 4, 5, 32773)  # fax codings, LZW, PackBits
UNPACKED_HERE = (PLAIN, *DEFLATE)
_GREY_INVERTED, _GREY, _RGB, _PALETTE, _CMYK, YCC = 0, 1, 2, 3, 5, 6
_COLOURS = (_GREY_INVERTED, _GREY, _RGB, _PALETTE, _CMYK, YCC)


@dataclass(frozen=True, slots=True)
class Layout:
    """`samples` are those of one block; `places` are the offset and the length of each block."""

    tags: ImageFileDirectory_v2
    size: Size
    block: Size
    tiled: bool
    compression: int
    predictor: int
    bits: int
    samples: int
    planes: int
    photometric: int
    places: tuple[tuple[int, int], ...]

    @property
    def across(self) -> int:
        return -(-self.size.width // self.block.width)

    @property
    def down(self) -> int:
        return -(-self.size.height // self.block.height)

    @property
    def row(self) -> int:
        """Bytes of a block's row, unpacked."""
        return (self.block.width * self.samples * self.bits + 7) // 8


def read_layout(tags: ImageFileDirectory_v2) -> Layout:
    """Check the tags; raises UnreadableImage naming what is not supported."""
    size = Size(_number(tags, WIDTH, 0), _number(tags, LENGTH, 0))
    tiled = TILE_OFFSETS in tags
    block = Size(size.width, min(size.height, _number(tags, ROWS, 0) or size.height))
    if tiled:
        block = Size(_number(tags, TILE_WIDTH, 0), _number(tags, TILE_LENGTH, 0))
    bits = tags.get(BITS, (1,))
    samples = _number(tags, SAMPLES, 1)
    planes = samples if _number(tags, PLANAR, 1) == 2 else 1
    offsets, lengths = (TILE_OFFSETS, TILE_COUNTS) if tiled else (OFFSETS, COUNTS)
    layout = Layout(
        tags=tags,
        size=size,
        block=block,
        tiled=tiled,
        compression=_number(tags, COMPRESSION, PLAIN),
        predictor=_number(tags, PREDICTOR, 1),
        bits=bits[0] if len(set(bits)) == 1 else 0,
        samples=samples // planes,
        planes=planes,
        photometric=_number(tags, PHOTOMETRIC, _GREY_INVERTED),
        places=tuple(zip(_numbers(tags, offsets), _numbers(tags, lengths), strict=False)),
    )
    if min(*size, *block) < 1 or len(layout.places) < layout.across * layout.down * planes:
        raise UnreadableImage(BROKEN)
    _check_supported(layout)
    return layout


def _check_supported(layout: Layout) -> None:
    """Say what is not supported rather than decode it wrongly."""
    tags, compression = layout.tags, layout.compression
    mixed = layout.planes > 1 and (layout.photometric not in (_GREY, _RGB, _CMYK) or layout.planes > 4)
    subsampled = layout.photometric == YCC and tuple(tags.get(SUBSAMPLING, (2, 2))) != (1, 1)
    problems = {
        "this compression": compression not in (*UNPACKED_HERE, *BY_LIBTIFF, JPEG),
        "this number of bits": layout.bits not in (1, 2, 4, 8, 16),
        "floating point samples": any(kind != 1 for kind in tags.get(FORMAT, (1,))),
        "this colour space": layout.photometric not in _COLOURS,
        "this predictor": layout.predictor not in (1, 2)
        or (layout.predictor == 2 and compression in UNPACKED_HERE and not 0 < layout.samples <= 4)
        or (layout.predictor == 2 and compression in UNPACKED_HERE and layout.bits < 8),
        "separate planes of this kind": mixed,
        "subsampled colour": subsampled and compression in UNPACKED_HERE,
        "YCbCr of this kind": layout.photometric == YCC and (layout.bits, layout.samples) != (8, 3),
        "JPEG in this colour space": compression == JPEG and layout.photometric in (_GREY_INVERTED, _PALETTE),
    }
    for problem, found in problems.items():
        if found:
            raise UnreadableImage(f"The picture cannot be read: TIFF with {problem} is not supported.")


def _number(tags: ImageFileDirectory_v2, tag: int, default: int) -> int:
    value: Any = tags.get(tag, default)
    value = value[0] if isinstance(value, tuple) and value else value
    if not isinstance(value, int):
        raise UnreadableImage(BROKEN)
    return value


def _numbers(tags: ImageFileDirectory_v2, tag: int) -> tuple[int, ...]:
    value: Any = tags.get(tag, ())
    values = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(number, int) and number >= 0 for number in values):
        raise UnreadableImage(BROKEN)
    return values
