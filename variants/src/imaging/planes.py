"""A picture as separate planes of luma and chroma, as JPEG stores it."""

from __future__ import annotations

from typing import cast

from PIL import Image

from imaging.geometry import Size

PixelBox = tuple[int, int, int, int]


class Planes:
    """One plane for L, three for YCbCr, all of the picture's size, a byte a sample, row by row.

    It has those of Pillow's methods that a rendition needs, so that most code takes either.
    """

    def __init__(self, size: Size, planes: list[bytearray]) -> None:
        self.size = size
        self.planes = planes

    @property
    def mode(self) -> str:
        """Pillow's mode for the same picture."""
        return "L" if len(self.planes) == 1 else "YCbCr"

    def crop(self, box: PixelBox) -> Image.Image:
        """A part of the picture."""
        return _merged([plane.crop(box) for plane in self._views()])

    def paste(self, image: Image.Image, box: PixelBox) -> None:
        """Replace a part of the picture by one of the same size and mode."""
        left, top, right, bottom = box
        for plane, part in zip(self.planes, image.split(), strict=True):
            rows, width = part.tobytes(), right - left
            for row in range(bottom - top):
                at = (top + row) * self.size.width + left
                plane[at : at + width] = rows[row * width : (row + 1) * width]

    def transpose(self, method: Image.Transpose) -> Planes:
        """The picture mirrored or rotated."""
        views = [plane.transpose(method) for plane in self._views()]
        return Planes(Size(*views[0].size), [bytearray(view.tobytes()) for view in views])

    def image(self) -> Image.Image:
        """The same as one picture of Pillow, in a copy."""
        return _merged(self._views())

    def _views(self) -> list[Image.Image]:
        return [
            Image.frombuffer("L", self.size, cast("bytes", plane), "raw", "L", 0, 1) for plane in self.planes
        ]


Picture = Image.Image | Planes


def as_image(picture: Picture) -> Image.Image:
    """The picture as one of Pillow's."""
    return picture.image() if isinstance(picture, Planes) else picture


def _merged(planes: list[Image.Image]) -> Image.Image:
    return planes[0].copy() if len(planes) == 1 else Image.merge("YCbCr", planes)
