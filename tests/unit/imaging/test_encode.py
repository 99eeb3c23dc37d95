"""Storing a finished picture."""

from io import BytesIO

import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import rendered, seen

from imaging.encode import FULL, HALVED, fitting_subsampling, to_jpeg
from imaging.render import Options
from imaging.variants import Variant


def soft(width: int = 400, height: int = 300) -> Image.Image:
    return scene(width // 16, height // 16).resize((width, height), Image.Resampling.BICUBIC)


def flag(upright: bool) -> Image.Image:
    """Saturated bands, which meet in a few long edges."""
    picture = Image.new("RGB", (600, 600), "#ff0000")
    picture.paste("#0000ff", (0, 203, 600, 411))
    picture.paste("#00ff00", (0, 411, 600, 600))
    return picture.transpose(Image.Transpose.ROTATE_90) if upright else picture


@pytest.mark.parametrize("mode", ["RGB", "YCbCr"])
def test_soft_colours_are_stored_with_halved_chroma(mode: str) -> None:
    assert fitting_subsampling(soft().convert(mode)) == HALVED


@pytest.mark.parametrize("picture", [flag(False), flag(True), scene(300, 200)])
def test_saturated_edges_keep_all_of_it(picture: Image.Image) -> None:
    assert fitting_subsampling(picture) == FULL


def test_grey_has_none() -> None:
    assert fitting_subsampling(scene(300, 200).convert("L")) == HALVED
    assert fitting_subsampling(scene(300, 200).convert("L").convert("RGB")) == HALVED


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (15, 17)])
def test_every_shape_can_be_judged(size: tuple[int, int]) -> None:
    assert fitting_subsampling(Image.new("RGB", size, "teal")) == HALVED


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr"])
def test_what_is_stored_is_the_picture(mode: str) -> None:
    picture = soft().convert(mode)
    data = to_jpeg(picture, 90, FULL)
    assert psnr(Image.open(BytesIO(data)), picture.convert("RGB")) > 40


def test_edges_in_a_display_do_not_bleed() -> None:
    display = seen(rendered(Variant.WATERMARK, encoded(flag(False)), Options(text="")))
    assert psnr(display, flag(False)) > 42
