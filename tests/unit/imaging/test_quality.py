"""How close a rendition's pixels are to the best that could be made of the original.

The reference is a full decode and one LANCZOS resize; it is compared before the mark and before JPEG, whose
own loss is the same for both and is bounded apart.
"""

from io import BytesIO
from itertools import product

import pytest
from PIL import Image, ImageFilter
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import OPTIONS, picture_of, reference, rendered, seen

from imaging.encode import FULL, fitting_subsampling
from imaging.geometry import Size
from imaging.render import Options
from imaging.text.mark import place
from imaging.variants import Variant

LEAST = {Variant.THUMBNAIL: 45, Variant.ICON: 45, Variant.WATERMARK: 40}
SIZES = [
    *[(4000, 3000), (1800, 2600), (2724, 2224), (1000, 750)],
    *[(5200, 1200), (2100, 2100), (3600, 1200), (640, 480)],
]
QUALITIES = [92, 85, 95, 80, 92, 75, 88, 90]


@pytest.fixture(scope="module", params=range(8))
def original(request: pytest.FixtureRequest) -> tuple[bytes, Image.Image]:
    """A camera's file: interpolated from fewer pixels, then sharpened; and its fully decoded pixels."""
    number: int = request.param
    width, height = SIZES[number]
    picture = scene(width // 2, height // 2, number).resize((width, height), Image.Resampling.BICUBIC)
    picture = picture.filter(ImageFilter.UnsharpMask(1, 80))
    data = encoded(picture, "JPEG", quality=QUALITIES[number], subsampling=2 * (number % 4 != 3))
    return data, Image.open(BytesIO(data)).convert("RGB")


@pytest.mark.parametrize("variant", Variant)
def test_pixels_are_those_of_a_full_decode(original: tuple[bytes, Image.Image], variant: Variant) -> None:
    data, decoded = original
    assert psnr(picture_of(variant, data), reference(variant, decoded)) >= LEAST[variant]


@pytest.mark.parametrize("variant", Variant)
def test_storing_as_jpeg_costs_little(original: tuple[bytes, Image.Image], variant: Variant) -> None:
    """Outside the mark, the stored rendition is about as good as the reference stored in the same way."""
    data, decoded = original
    best = reference(variant, decoded)
    quality, subsampling = variant.rules.quality, FULL
    if variant is Variant.WATERMARK:
        subsampling = fitting_subsampling(best)
    stored = Image.open(BytesIO(encoded(best, "JPEG", quality=quality, subsampling=subsampling)))
    ours = seen(
        rendered(variant, data, Options(text="") if variant is Variant.WATERMARK else OPTIONS[variant])
    )
    assert psnr(ours, best) > psnr(stored, best) - 0.5


@pytest.mark.parametrize(("variant", "seed"), list(product((Variant.THUMBNAIL, Variant.ICON), range(3))))
def test_png_is_as_good(variant: Variant, seed: int) -> None:
    picture = scene(2200, 1500, seed=seed)
    assert psnr(picture_of(variant, encoded(picture, compress_level=1)), reference(variant, picture)) >= 45


def test_the_mark_is_all_that_differs_from_an_unmarked_rendition() -> None:
    data = encoded(scene(2400, 1600), "JPEG", quality=92)
    marked, plain = (seen(rendered(Variant.WATERMARK, data, Options(text=text))) for text in ("@mira", ""))
    mark = place(Size(*marked.size), "@mira")
    assert mark is not None
    # JPEG spreads a change over the blocks that it touches, 16 pixels wide.
    for picture in (marked, plain):
        picture.paste(0, (mark.left // 16 * 16, mark.top // 16 * 16, marked.width, marked.height))
    assert psnr(marked, plain) > 60
