"""The variants: one row each, from which the rest of a renderer derives what it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from imaging.geometry import DISPLAY, Size


class Variant(StrEnum):
    """A kind of rendition, by its name on the wire: a renderer answers `POST /process-<name>`."""

    THUMBNAIL = "thumbnail"
    ICON = "icon"
    WATERMARK = "watermark"

    @property
    def rules(self) -> Rules:
        """The variant's row of the table."""
        return RULES[self]


@dataclass(frozen=True, slots=True)
class Rules:
    """How renditions of one variant are made.

    `folder` is the first part of their keys, `quality` that of the JPEG (1 to 95). `sides` are the fields
    of a request that give the size in pixels, one for a square, two for width and height; `size` is the
    default. Such a rendition is a centered crop with full chroma. Without `sides` it is the whole picture at
    display size, carries the watermark, and its chroma is halved where that does not show.
    """

    folder: str
    quality: int
    sides: tuple[str, ...] = ()
    size: Size = DISPLAY

    @property
    def cropped(self) -> bool:
        """Whether a rendition is a crop of a given size."""
        return bool(self.sides)


RULES = {
    Variant.THUMBNAIL: Rules("thumbnails/", 90, ("width", "height"), Size(300, 300)),
    Variant.ICON: Rules("icons/", 90, ("size",), Size(128, 128)),
    Variant.WATERMARK: Rules("display/", 85),
}
