"""EXIF orientations."""

from itertools import product

import pytest
from PIL import Image
from tests.imaging.originals import encoded, png_chunk, psnr, scene
from tests.imaging.rendering import picture_of, rendered, seen

from imaging.exif import ORIENTATION, orientation_of, upright
from imaging.geometry import Size
from imaging.renditions import Options, Variant

# What turns an upright picture into one that is stored with this orientation
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def exif_block(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif.tobytes()


def stored(picture: Image.Image, orientation: int) -> Image.Image:
    return picture.transpose(STORED[orientation]) if orientation in STORED else picture


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_undoes_how_a_picture_was_stored(orientation: int) -> None:
    picture = scene(60, 40)
    assert upright(stored(picture, orientation), orientation).tobytes() == picture.tobytes()


@pytest.mark.parametrize(("variant", "orientation"), list(product(Variant, range(1, 9))))
def test_all_eight_orientations_give_the_same_pixels(variant: Variant, orientation: int) -> None:
    picture = scene(900, 611)
    plain = picture_of(variant, encoded(picture))
    turned = picture_of(variant, encoded(stored(picture, orientation), exif=exif_block(orientation)))
    # Across and down are resized in turn, and each rounds.
    assert psnr(turned, plain) > 50


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_every_format_is_turned_and_no_tag_is_left(kind: str, orientation: int) -> None:
    picture = scene(300, 200)
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    data = encoded(stored(picture, orientation), kind, exif=exif_block(orientation), **options)
    rendition = rendered(Variant.WATERMARK, data)
    assert rendition.size == rendition.original_size == (300, 200)
    assert ORIENTATION not in seen(rendition).getexif()
    assert psnr(picture_of(Variant.WATERMARK, data), picture) > 30


def test_a_png_may_say_its_orientation_behind_its_pixels() -> None:
    picture = scene(80, 60)
    block = exif_block(6)[6:]
    data = encoded(stored(picture, 6))
    end = data.index(b"IEND") - 4
    assert (
        picture_of(Variant.WATERMARK, data[:end] + png_chunk(b"eXIf", block) + data[end:]).tobytes()
        == picture.tobytes()
    )


def test_a_rectangle_is_asked_for_as_it_is_seen() -> None:
    data = encoded(scene(200, 300), "JPEG", exif=exif_block(6))
    rendition = rendered(Variant.THUMBNAIL, data, Options(size=Size(120, 80)))
    assert seen(rendition).size == (120, 80)


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"garbage" * 9])
def test_a_damaged_block_means_upright(block: bytes) -> None:
    assert orientation_of(block) == 1


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_impossible_value_means_upright(value: int) -> None:
    assert orientation_of(exif_block(value)) == 1
