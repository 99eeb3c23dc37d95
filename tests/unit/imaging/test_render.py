"""What every rendition must be, whatever the original."""

import asyncio
from io import BytesIO

import pytest
from PIL import Image

from imaging.errors import UnreadableImage, UnsupportedType
from imaging.geometry import Size
from imaging.render import Options, Rendition, render
from imaging.source import BytesSource
from imaging.variants import Variant

SQUARES = {Variant.THUMBNAIL: Options(size=Size(300, 300)), Variant.ICON: Options(size=Size(128, 128))}


def encoded(picture: Image.Image, kind: str = "PNG") -> bytes:
    out = BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def rendered(variant: Variant, data: bytes, options: Options) -> Rendition:
    return asyncio.run(render(variant, BytesSource(data), options))


def opened(rendition: Rendition) -> Image.Image:
    return Image.open(BytesIO(rendition.data), formats=["JPEG"])


@pytest.mark.parametrize("variant", SQUARES)
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (640, 480), (33, 700)])
def test_a_square_has_exactly_the_size_asked_for(variant: Variant, size: tuple[int, int]) -> None:
    options = SQUARES[variant]
    rendition = rendered(variant, encoded(Image.new("RGB", size, "teal")), options)
    assert opened(rendition).size == tuple(options.size) == tuple(rendition.size)
    assert rendition.original_size == size


@pytest.mark.parametrize(("size", "expected"), [((3000, 1500), (2048, 1024)), ((400, 300), (400, 300))])
def test_a_display_fits_and_is_never_enlarged(size: tuple[int, int], expected: tuple[int, int]) -> None:
    rendition = rendered(Variant.WATERMARK, encoded(Image.new("RGB", size, "teal")), Options(text="@mira"))
    assert opened(rendition).size == expected


def test_bytes_that_are_no_picture_are_refused() -> None:
    with pytest.raises(UnsupportedType, match="JPEG, PNG, WebP, GIF or TIFF"):
        rendered(Variant.ICON, b"<svg/>", SQUARES[Variant.ICON])


def test_a_picture_cut_short_is_refused() -> None:
    data = encoded(Image.effect_noise((400, 300), 80), "JPEG")
    with pytest.raises(UnreadableImage):
        rendered(Variant.ICON, data[: len(data) // 2], SQUARES[Variant.ICON])
