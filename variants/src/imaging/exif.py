"""The one fact of an original's metadata that its pixels depend on."""

from __future__ import annotations

import struct
import warnings

from PIL import Image

ORIENTATION = 0x0112


def orientation_of(block: bytes) -> int:
    """The EXIF orientation (1-8) in an EXIF block; 1 when there is none that makes sense."""
    exif = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exif.load(block)
            value = exif.get(ORIENTATION, 1)
    except (SyntaxError, ValueError, KeyError, TypeError, struct.error, OSError):
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    """The picture as its orientation says it is to be seen."""
    return picture.transpose(_TURNS[orientation]) if orientation in _TURNS else picture
