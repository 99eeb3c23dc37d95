"""Rendering as the tests call it."""

from __future__ import annotations

import asyncio
from io import BytesIO

from PIL import Image

from imaging.color.convert import Colours
from imaging.formats.exif import upright
from imaging.formats.original import open_original
from imaging.geometry import Size, display_size
from imaging.planes import as_image
from imaging.render import Options, Rendition, render, target_of
from imaging.source import BytesSource, Feed
from imaging.variants import Variant

OPTIONS = {
    variant: Options(size=variant.rules.size, text="" if variant.rules.cropped else "@mira")
    for variant in Variant
}
SQUARES = tuple(variant for variant in Variant if variant.rules.cropped)


def rendered(variant: Variant, data: bytes, options: Options | None = None) -> Rendition:
    """The rendition, through the front door."""
    return asyncio.run(render(variant, BytesSource(data, chunk=10_000), options or OPTIONS[variant]))


def seen(rendition: Rendition) -> Image.Image:
    """The rendition's pixels."""
    picture = Image.open(BytesIO(rendition.data), formats=["JPEG"])
    picture.load()
    return picture


def picture_of(variant: Variant, data: bytes, background: str = "#ffffff") -> Image.Image:
    """The picture before the mark and before JPEG, for judging what was done to the pixels."""

    async def resampled() -> Image.Image:
        source = BytesSource(data, chunk=10_000)
        async with Feed(source) as feed:
            original = await open_original(source, feed)
            target = target_of(variant, original, OPTIONS[variant])
            [picture] = await original.resampled([target], Colours(original.profile, background))
            return as_image(upright(picture, original.orientation))

    return asyncio.run(resampled())


def reference(variant: Variant, picture: Image.Image) -> Image.Image:
    """What a full decode and one LANCZOS resize would give of an upright RGB picture."""
    if variant is Variant.WATERMARK:
        return picture.resize(display_size(Size(*picture.size)), Image.Resampling.LANCZOS)
    side = OPTIONS[variant].size.width
    short = min(picture.size)
    left, top = (picture.width - short) / 2, (picture.height - short) / 2
    box = (left, top, left + short, top + short)
    return picture.resize((side, side), Image.Resampling.LANCZOS, box=box)
