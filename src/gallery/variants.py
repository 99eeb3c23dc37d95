"""The variants: what is made of each original."""

from __future__ import annotations

from enum import StrEnum


class Variant(StrEnum):
    THUMBNAIL = "thumbnail"
    ICON = "icon"
    WATERMARK = "watermark"


FOLDERS = {Variant.THUMBNAIL: "thumbnails/", Variant.ICON: "icons/", Variant.WATERMARK: "display/"}
