"""An original × a variant → its rendition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter

from PIL import Image

from imaging.color.convert import Colours
from imaging.encode import FULL, fitting_subsampling, to_jpeg
from imaging.formats.exif import upright
from imaging.formats.original import Original, open_original
from imaging.geometry import DISPLAY, Box, Size, centre_crop, display_size, fit_within, turned
from imaging.resample import Target
from imaging.source import Feed, Source
from imaging.text.fonts import Fonts, Shard
from imaging.text.mark import draw_mark
from imaging.variants import Variant

PREVIEW_LIMIT = 32  # pixels on the longer side; more cost time and add nothing to a hash of 7 × 7 waves


@dataclass(frozen=True, slots=True)
class Options:
    """What the request and the settings say about one render; `shards` are fonts that the text needs."""

    size: Size = DISPLAY
    text: str = ""
    opacity: float = 0.8
    background: str = "#ffffff"
    shards: Mapping[Shard, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a page can show before the picture has come: `colour` as #rrggbb, `thumb_hash` in base64."""

    colour: str
    thumb_hash: str


Describe = Callable[[Image.Image], Preview]


@dataclass(frozen=True, slots=True)
class Rendition:
    data: bytes
    size: Size
    original_size: Size
    seconds: dict[str, float]
    preview: Preview | None = None


async def render(
    variant: Variant, source: Source, options: Options, describe: Describe | None = None
) -> Rendition:
    """Read the original, and make the one rendition this sibling is for.

    `describe` also gets the whole picture, upright and brought down to PREVIEW_LIMIT.
    """
    started = perf_counter()
    async with Feed(source) as feed:
        original = await open_original(source, feed)
        targets = [target_of(variant, original, options)]
        if describe:
            targets.append(_whole(original.size, fit_within(original.size, PREVIEW_LIMIT)))
        treatment = Colours(original.profile, options.background)
        pictures = await original.resampled(targets, treatment)
    decoded = perf_counter()
    picture, *small = [upright(picture, original.orientation) for picture in pictures]
    if variant.rules.cropped:
        data = to_jpeg(picture, variant.rules.quality, FULL)
    else:
        subsampling = fitting_subsampling(picture)
        draw_mark(picture, options.text, options.opacity, Fonts(options.shards))
        data = to_jpeg(picture, variant.rules.quality, subsampling)
    encoded = perf_counter()
    preview = describe(small[0]) if describe else None
    seconds = {"decode": decoded - started, "encode": encoded - decoded, "preview": perf_counter() - encoded}
    full = turned(original.size, original.orientation)
    return Rendition(data, Size(*picture.size), full, seconds, preview)


def target_of(variant: Variant, original: Original, options: Options) -> Target:
    """The part of the original that the variant shows, and its size, both as stored and not yet upright."""
    if not variant.rules.cropped:
        return _whole(original.size, display_size(original.size))
    size = turned(options.size, original.orientation)
    return Target(centre_crop(original.size, size), size)


def _whole(size: Size, target: Size) -> Target:
    return Target(Box(0, 0, *size), target)
