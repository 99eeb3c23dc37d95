"""Resizing one channel as fast as four.

Pillow's loops over a picture of four channels take little longer than over one of a single channel, most of
all in WebAssembly, which has no wider instructions here. So a grey picture is resized as if its parts were
channels: four runs of its rows on the way across, four neighbouring columns on the way down. Both passes and
their rounding are Pillow's, in Pillow's order: the outcome is Pillow's.
"""

from __future__ import annotations

from math import ceil, floor

from PIL import Image

from imaging.geometry import Size

LANES = 4
REACH = 3  # of the widest kernel, in pixels of the coarser grid
_LANED = "RGBX"


def resized(
    image: Image.Image, size: Size, kernel: Image.Resampling, box: tuple[float, float, float, float]
) -> Image.Image:
    """What `image.resize(size, kernel, box)` gives."""
    if image.mode != "L":
        return image.resize(size, kernel, box)
    left, top, right, bottom = box
    reach = REACH * max(1.0, (bottom - top) / size.height) + 1
    first, last = max(0, floor(top - reach)), min(image.height, ceil(bottom + reach))
    across = _across(image, (first, last), size.width, kernel, (left, right))
    return _down(across, size, kernel, (top - first, bottom - first))


def _across(
    image: Image.Image,
    rows: tuple[int, int],
    width: int,
    kernel: Image.Resampling,
    span: tuple[float, float],
) -> Image.Image:
    """Those rows brought to `width`, with columns to spare up to a whole number of lanes."""
    first, last = rows
    run = -(-(last - first) // LANES)
    tops = [first + lane * run for lane in range(LANES)]
    laned = Image.merge(_LANED, [image.crop((0, top, image.width, top + run)) for top in tops])
    laned = laned.resize((width, run), kernel, (span[0], 0, span[1], run))
    out = Image.new("L", (-(-width // LANES) * LANES, last - first))
    for lane in range(LANES):
        out.paste(laned.getchannel(lane), (0, lane * run))
    return out


def _down(image: Image.Image, size: Size, kernel: Image.Resampling, span: tuple[float, float]) -> Image.Image:
    """All columns brought to the size's height, and those to spare cut off."""
    width = image.width // LANES
    laned = _seen_as(_LANED, Size(width, image.height), image)
    laned = laned.resize((width, size.height), kernel, (0, span[0], width, span[1]))
    return _seen_as("L", Size(image.width, size.height), laned).crop((0, 0, *size))


def _seen_as(mode: str, size: Size, image: Image.Image) -> Image.Image:
    return Image.frombuffer(mode, size, image.tobytes(), "raw", mode, 0, 1)
