"""The preview that a page shows before a picture has loaded: a color and a blurred picture.

In a module of its own, because only the thumbnail renderer's bundle has the package for the hash.
"""

from __future__ import annotations

import base64

from PIL import Image
from thumbhash import rgba_to_thumb_hash

from imaging.render import Preview

_COLOURS = 6


def preview_of(small: Image.Image) -> Preview:
    """The preview of an upright picture of at most 100 × 100 pixels."""
    pixels = small.convert("RGB")
    thumb_hash = bytes(rgba_to_thumb_hash(*pixels.size, list(pixels.convert("RGBA").tobytes())))
    return Preview(_dominant(pixels), base64.b64encode(thumb_hash).decode())


def _dominant(pixels: Image.Image) -> str:
    """The mean of the largest group of similar colors, as #rrggbb."""
    groups = pixels.quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    counts = groups.histogram()
    index = counts.index(max(counts))
    palette = groups.getpalette() or [0, 0, 0]
    return "#{:02x}{:02x}{:02x}".format(*palette[index * 3 : index * 3 + 3])
