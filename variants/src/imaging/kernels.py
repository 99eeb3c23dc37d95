"""Which work `vfa_kernels` (kernels/pixels) does. Without that module Pillow does all of it.

Every decision is made here: with `vfa_kernels` set to None the kernels are off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from PIL import Image

from imaging.geometry import Box, Size

try:
    import vfa_kernels
except ImportError:
    if not TYPE_CHECKING:
        vfa_kernels = None

_FORMS: dict[str, Literal["grey", "planes", "RGBX"]] = {"L": "grey", "YCbCr": "planes", "RGB": "RGBX"}
CHANNELS = {"L": 1, "RGB": 3, "YCbCr": 3, "CMYK": 4}  # by those of Pillow's modes that are resized


class _JpegHeader(Protocol):
    @property
    def coding(self) -> str: ...
    @property
    def buffered(self) -> bool: ...
    @property
    def arithmetic(self) -> bool: ...


def decodes(header: _JpegHeader) -> bool:
    """Whether the kernel decodes this JPEG: baseline Huffman coding in one scan, YCbCr or grey."""
    plain = not header.buffered and not header.arithmetic
    return bool(vfa_kernels) and plain and header.coding in ("L", "YCbCr")


def resizes(mode: str) -> bool:
    """Whether the kernel resizes pictures of this mode."""
    return bool(vfa_kernels) and mode in CHANNELS


def encodes(mode: str) -> bool:
    """Whether the kernel writes JPEGs of pictures of this mode."""
    return bool(vfa_kernels) and mode in _FORMS


def unfilters() -> bool:
    """Whether the kernel undoes the filters of PNG."""
    return bool(vfa_kernels)


def jpeg_decoder(luma: int, chroma: int) -> vfa_kernels.JpegDecoder:
    """A decoder of a JPEG that `decodes` accepts; the scales are 1, 2, 4 or 8."""
    return vfa_kernels.JpegDecoder(luma, chroma)


def resizer(
    size: Size, box: Box, target: Size, resampling: Image.Resampling, channels: int = 1
) -> vfa_kernels.Resizer:
    """A resizer of rows of interleaved bytes; `box` is in pixels of `size`."""
    return vfa_kernels.Resizer(size, box, target, int(resampling), channels)


def jpeg_encoder(size: Size, mode: str, quality: int, *, halved: bool) -> vfa_kernels.JpegEncoder:
    """An encoder of rows: of one or three planes for L and YCbCr, of pixels of four bytes for RGB."""
    return vfa_kernels.JpegEncoder(size, quality, halved, _FORMS[mode])


def chroma_loss(cb: bytearray, cr: bytearray, size: Size) -> float:
    """The error of chroma, in levels, when it is halved: as `imaging.encode` measures it."""
    return vfa_kernels.chroma_loss(cb, cr, size)


def unfilter(row: int, step: int) -> vfa_kernels.Unfilter:
    """Undoes PNG's filters in rows of `row` bytes, with pixels of `step` bytes."""
    return vfa_kernels.Unfilter(row, step)
