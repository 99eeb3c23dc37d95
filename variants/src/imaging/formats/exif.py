"""The EXIF orientation, which is the only metadata that renditions depend on."""

from __future__ import annotations

import struct

from PIL import Image

from imaging.planes import Picture

ORIENTATION = 0x0112
EXIF_LIMIT = 64 << 10  # bytes of a block that are looked at; the tag is in its first directory
_PREFIX = b"Exif\0\0"
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_FORMATS = {3: "H", 4: "I", 8: "h", 9: "i"}  # the integers that editors write it as


def orientation_of(block: bytes) -> int:
    """The orientation (1-8) in an EXIF block, prefixed or not; 1 when there is no valid one.

    The first directory is read entry by entry, so that no other tag can hide this one, however damaged it is
    (EXIF 2.32, section 4.6.2).
    """
    start = 0
    while block.startswith(_PREFIX, start):
        start += len(_PREFIX)
    block = block[start : start + EXIF_LIMIT]
    order = _ORDERS.get(block[:4])
    if order is None or len(block) < 8:
        return 1
    [directory] = struct.unpack(f"{order}I", block[4:8])
    entries = block[directory : directory + 2]
    if len(entries) < 2:
        return 1
    [count] = struct.unpack(f"{order}H", entries)
    first = directory + 2
    for at in range(first, min(first + 12 * count, len(block) - 11), 12):
        tag, kind, values = struct.unpack(f"{order}HHI", block[at : at + 8])
        if tag == ORIENTATION and kind in _FORMATS and values == 1:
            [value] = struct.unpack_from(f"{order}{_FORMATS[kind]}", block, at + 8)
            if 1 <= value <= 8:
                return int(value)
    return 1


_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(picture: Picture, orientation: int) -> Picture:
    """The picture with its EXIF orientation (1 to 8) applied."""
    return picture.transpose(_TRANSPOSES[orientation]) if orientation in _TRANSPOSES else picture
