"""The colour and the blur that stand in for a picture, against the hash's own decoder."""

import asyncio
import base64

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, scene
from tests.support.imaging.rendering import OPTIONS

from imaging.preview import preview_of
from imaging.render import Preview, render
from imaging.source import BytesSource
from imaging.variants import Variant


def described(picture: Image.Image, **options: object) -> Preview:
    source = BytesSource(encoded(picture, "JPEG", quality=92, **options))
    rendition = asyncio.run(render(Variant.THUMBNAIL, source, OPTIONS[Variant.THUMBNAIL], preview_of))
    assert rendition.preview is not None
    return rendition.preview


def test_a_hash_is_short() -> None:
    assert len(base64.b64decode(described(scene(300, 200)).thumb_hash)) <= 25


def test_the_dominant_colour_is_that_of_the_largest_part() -> None:
    picture = Image.new("RGB", (400, 300), "#2266aa")
    picture.paste("#ffee00", (0, 0, 400, 90))
    colour = described(picture).colour
    levels = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    assert np.abs(np.array(levels) - [0x22, 0x66, 0xAA]).max() <= 6


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr"])
@pytest.mark.parametrize("size", [(1, 1), (32, 1), (1, 32), (32, 32)])
def test_every_shape_and_mode_has_a_preview(mode: str, size: tuple[int, int]) -> None:
    preview = preview_of(Image.new("RGB", size, "#808080").convert(mode))
    assert preview.colour == "#808080"
    assert len(base64.b64decode(preview.thumb_hash)) >= 5


def test_without_being_asked_nothing_is_described() -> None:
    source = BytesSource(encoded(scene(60, 40)))
    assert asyncio.run(render(Variant.ICON, source, OPTIONS[Variant.ICON])).preview is None
