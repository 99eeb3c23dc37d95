"""The variants: what is made of each original. One row of the table is all that the gateway knows of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Variant(StrEnum):
    """The name of the renderer's folder, and of its path `/process-<variant>`."""

    THUMBNAIL = "thumbnail"
    ICON = "icon"
    WATERMARK = "watermark"


@dataclass(frozen=True, slots=True)
class VariantSpec:
    """`name` is the rendition's, in URL fields (`<name>Url`), columns (`<name>_url`) and readiness.

    `parameters` are sent to the renderer beside the keys. `size` is (width, height) in pixels where every
    rendition has the same, None where it depends on the original. `widths` are in pixels: the same picture is
    also made as narrow as these, where it is wider.
    """

    folder: str
    name: str
    title: str
    parameters: Mapping[str, int] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    widths: tuple[int, ...] = ()
    needs_username: bool = False


VARIANTS = {
    Variant.THUMBNAIL: VariantSpec(
        folder="thumbnails/",
        name="thumbnail",
        title="Thumbnail, 300 × 300 pixels",
        parameters={"width": 300, "height": 300},
        size=(300, 300),
    ),
    Variant.ICON: VariantSpec(
        folder="icons/",
        name="icon",
        title="Icon, 128 × 128 pixels",
        parameters={"size": 128},
        size=(128, 128),
    ),
    Variant.WATERMARK: VariantSpec(
        folder="display/",
        name="display",
        title="Display version with a watermark",
        widths=(640, 1280),
        needs_username=True,
    ),
}
FOLDERS = {variant: spec.folder for variant, spec in VARIANTS.items()}
