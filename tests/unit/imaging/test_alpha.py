"""Transparency."""

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import picture_of, reference

from imaging.variants import Variant


def disc(size: int, ink: tuple[int, ...]) -> Image.Image:
    """A disc on transparent black: the case that shows dark fringes."""
    y, x = np.mgrid[0:size, 0:size] - (size - 1) / 2
    inside = x**2 + y**2 < (size * 0.4) ** 2
    levels = np.zeros((size, size, len(ink)), np.uint8)
    levels[inside] = ink
    return Image.fromarray(levels)


def on_white(picture: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture.convert("RGBA"))
    return ground.convert("RGB")


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("size", [90, 128, 700, 2600])
def test_white_on_transparent_leaves_no_dark_fringe(variant: Variant, size: int) -> None:
    picture = picture_of(variant, encoded(disc(size, (255, 255, 255, 255))))
    assert int(np.asarray(picture).min()) >= 254


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})]
)
def test_half_transparent_colours_are_laid_on_white(kind: str, options: dict[str, bool]) -> None:
    original = scene(200, 150).convert("RGBA")
    original.putalpha(Image.linear_gradient("L").resize((200, 150)))
    picture = picture_of(Variant.WATERMARK, encoded(original, kind, **options))
    assert psnr(picture, on_white(original)) > 48


def test_grey_with_alpha_is_laid_on_white() -> None:
    original = disc(200, (90, 200))
    assert psnr(picture_of(Variant.WATERMARK, encoded(original)), on_white(original)) > 48


@pytest.mark.parametrize("background", ["#ffffff", "#000000", "#3366cc"])
def test_the_background_is_the_one_that_is_set(background: str) -> None:
    picture = picture_of(Variant.ICON, encoded(Image.new("RGBA", (50, 40))), background)
    expected = tuple(int(background[at : at + 2], 16) for at in (1, 3, 5))
    assert picture.convert("RGB").getcolors() == [(128 * 128, expected)]


def test_a_palette_may_be_partly_transparent() -> None:
    original = disc(100, (200, 30, 40, 255)).quantize(8)
    picture = picture_of(Variant.WATERMARK, encoded(original))
    assert psnr(picture, on_white(original)) > 48


def test_one_colour_of_a_gif_may_be_transparent() -> None:
    original = Image.new("P", (10, 10), 1)
    original.putpalette([0, 0, 0, 0, 0, 255])
    original.paste(0, (0, 0, 5, 10))
    picture = picture_of(Variant.WATERMARK, encoded(original, "GIF", transparency=0)).convert("RGB")
    assert (picture.getpixel((2, 5)), picture.getpixel((8, 5))) == ((255, 255, 255), (0, 0, 255))


@pytest.mark.parametrize(("mode", "clear"), [("L", 70), ("RGB", (10, 20, 30))])
def test_one_level_or_colour_of_a_png_may_be_transparent(mode: str, clear: int | tuple[int, ...]) -> None:
    original = Image.new(mode, (20, 20), clear)
    original.paste((200,) * len(mode) if mode == "RGB" else 200, (10, 0, 20, 20))
    picture = picture_of(Variant.WATERMARK, encoded(original, "PNG", transparency=clear)).convert("RGB")
    assert (picture.getpixel((5, 5)), picture.getpixel((15, 5))) == ((255,) * 3, (200,) * 3)


def test_resizing_is_that_of_the_flattened_picture() -> None:
    original = disc(900, (20, 120, 60, 255))
    picture = picture_of(Variant.THUMBNAIL, encoded(original))
    assert psnr(picture, reference(Variant.THUMBNAIL, on_white(original))) > 45
