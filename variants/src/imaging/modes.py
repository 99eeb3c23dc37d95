"""Decoded rows, in any of Pillow's modes → rows in a mode that can be averaged."""

from __future__ import annotations

from PIL import Image


def workable(strip: Image.Image) -> Image.Image:
    """The rows as L, LA, RGB, RGBA, CMYK or YCbCr, at 8 bits, transparency as alpha."""
    if strip.mode.startswith("I"):
        # 65535 must become 255; converting alone would clip at 255.
        strip = strip.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    elif strip.mode == "1":
        strip = strip.convert("L")
    elif strip.mode == "RGBX":
        strip = strip.convert("RGB")
    elif strip.mode == "RGBa":
        strip = strip.convert("RGBA")
    if strip.mode == "PA" or "transparency" in strip.info:
        return strip.convert("LA" if strip.mode == "L" else "RGBA")
    return strip.convert("RGB") if strip.mode == "P" else strip
