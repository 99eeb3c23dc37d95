"""An original → the rendition of one variant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from PIL import Image

from imaging.color.convert import Colours
from imaging.encode import FULL, fitting_subsampling, to_jpeg
from imaging.formats.exif import upright
from imaging.formats.original import Original, open_original
from imaging.geometry import DISPLAY, Box, Size, centre_crop, display_size, fit_within, turned
from imaging.planes import Picture, as_image
from imaging.resample import Target, shrunk
from imaging.source import Feed, Source
from imaging.text.fonts import Fonts, Shard
from imaging.text.mark import draw_mark
from imaging.variants import Variant

PREVIEW_LIMIT = 32  # pixels on the longer side; more take time and add nothing to a hash of 7 × 7 waves


@dataclass(frozen=True, slots=True)
class Options:
    """What the request and the settings ask for.

    `narrower` are widths in pixels in which the display is wanted as well. `shards` are fonts that `text`
    needs.
    """

    size: Size = DISPLAY
    text: str = ""
    opacity: float = 0.8
    background: str = "#ffffff"
    narrower: Sequence[int] = ()
    shards: Mapping[Shard, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a page can show before the picture has arrived: `colour` as #rrggbb, `thumb_hash` in base64."""

    colour: str
    thumb_hash: str


Describe = Callable[[Image.Image], Preview]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A finished JPEG and its size in pixels."""

    data: bytes
    size: Size


@dataclass(frozen=True, slots=True)
class Rendition:
    """What a render has made; `narrower` are the same picture in smaller widths, in ascending order.

    `original_size` is that of the upright original, `seconds` are the times of the stages.
    """

    data: bytes
    size: Size
    original_size: Size
    seconds: dict[str, float]
    preview: Preview | None = None
    narrower: tuple[Encoded, ...] = ()


async def render(
    variant: Variant, source: Source, options: Options, describe: Describe | None = None
) -> Rendition:
    """Decode the original once and make the variant's rendition, with the narrower widths asked for.

    `describe` also gets the whole picture, upright, with a longer side of at most PREVIEW_LIMIT.

    Raises:
        UnsupportedType: The original is of no accepted format.
        TooLarge: It has more pixels, or takes more memory or work, than a renderer can afford.
        UnreadableImage: It is damaged.
    """
    started = perf_counter()
    async with Feed(source) as feed:
        original = await open_original(source, feed)
        targets = [target_of(variant, original, options)]
        if describe:
            targets.append(_whole(original.size, fit_within(original.size, PREVIEW_LIMIT)))
        treatment = Colours(original.profile, options.background)
        pictures = [*await original.resampled(targets, treatment)]
    decoded = perf_counter()
    picture, *small = [upright(pictures.pop(0), original.orientation) for _ in targets]
    narrower: tuple[Encoded, ...] = ()
    if variant.rules.cropped:
        subsampling = FULL
    else:
        subsampling = fitting_subsampling(picture)
        draw_mark(picture, options.text, options.opacity, Fonts(options.shards))
    data = to_jpeg(picture, variant.rules.quality, subsampling)
    encoded = perf_counter()
    size = Size(*picture.size)
    if options.narrower:
        parts = _narrower(picture, options.narrower, variant.rules.quality, subsampling)
        narrower = tuple(reversed([*parts]))
    narrowed = perf_counter()
    preview = describe(as_image(small[0])) if describe else None
    seconds = {
        "decode": decoded - started,
        "encode": encoded - decoded,
        "narrow": narrowed - encoded,
        "preview": perf_counter() - narrowed,
    }
    return Rendition(data, size, turned(original.size, original.orientation), seconds, preview, narrower)


def target_of(variant: Variant, original: Original, options: Options) -> Target:
    """The part of the original that the variant shows, and its size, both as stored and not yet upright."""
    if not variant.rules.cropped:
        return _whole(original.size, display_size(original.size))
    size = turned(options.size, original.orientation)
    return Target(centre_crop(original.size, size), size)


def _whole(size: Size, target: Size) -> Target:
    return Target(Box(0, 0, *size), target)


def _narrower(picture: Picture, widths: Sequence[int], quality: int, subsampling: int) -> Iterator[Encoded]:
    """The marked picture in those of the widths that are smaller than its own, the widest first.

    Scaling the mark with the picture keeps its proportion, and its text, whatever the width.
    """
    full = Size(*picture.size)
    for width in sorted({width for width in widths if width < full.width}, reverse=True):
        size = Size(width, max(1, round(full.height * width / full.width)))
        picture = shrunk(picture, size)
        yield Encoded(to_jpeg(picture, quality, subsampling), size)
