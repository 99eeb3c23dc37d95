"""The kernels' planes beside those of Pillow's libjpeg; runs natively and in Pyodide alike."""

from __future__ import annotations

import vfa_kernels

from imaging.errors import UnreadableImage
from imaging.formats.raster import Raster
from imaging.geometry import Size

SCALES = (1, 2, 4, 8)
Plane = tuple[tuple[int, int], bytes]


def kernel_planes(data: bytes, luma: int, chroma: int, step: int = 1 << 16) -> list[Plane]:
    """Each wanted component's size and samples, fed `step` bytes at a time.

    Raises:
        ValueError, NotImplementedError: the decoder's.
    """
    decoder = vfa_kernels.JpegDecoder(luma, chroma)
    rows: list[list[bytes]] = [[], [], []]
    for start in range(0, len(data) + step, step):
        if decoder.done:
            break
        if start < len(data):
            decoder.feed(data[start : start + step])
        else:
            decoder.end()
        while decoder.step():
            for part in range(decoder.components):
                rows[part].append(decoder.rows(part))
    assert decoder.done
    return [(decoder.size(part), b"".join(rows[part])) for part in range(decoder.components)]


def pillow_planes(data: bytes, size: tuple[int, int], mode: str, scale: int) -> list[Plane]:
    """What libjpeg gives: "L" for luma alone, "YCbCr" for all components, at luma's size.

    Raises:
        UnreadableImage: an error, or rows are missing.
    """
    coding = "L" if _components(data) == 1 else "YCbCr"
    raster = Raster(mode, Size(*(-(-edge // scale) for edge in size)), "jpeg", (mode, coding, scale, 0))
    raster.feed(data)
    if not raster.done:
        raise UnreadableImage("rows are missing")
    return [(raster.image.size, band.tobytes()) for band in raster.image.split()]


def _components(data: bytes) -> int:
    decoder = vfa_kernels.JpegDecoder()
    decoder.feed(data)
    decoder.step()
    return decoder.components


def difference(one: bytes, other: bytes) -> int:
    """Levels between the two at most."""
    assert len(one) == len(other)
    return max((abs(a - b) for a, b in zip(one, other, strict=True)), default=0)
