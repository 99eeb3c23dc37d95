"""What is refused, how, and before how much of it is read."""

import asyncio
import random
import zlib
from collections.abc import AsyncGenerator
from io import BytesIO

import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, png_chunk, scene
from tests.support.imaging.rendering import OPTIONS, rendered

from imaging.errors import RenderError, TooLarge, UnreadableImage, UnsupportedType
from imaging.render import render
from imaging.variants import Variant

BOMB = (20_000, 14_000)


class Endless:
    """A header, and after it bytes without end: whoever decodes rather than judges is caught."""

    size = 5_000_000

    def __init__(self, header: bytes) -> None:
        self._header = header
        self.given = 0

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield self._header
        while self.given < self.size:
            self.given += 1000
            yield bytes(1000)


def jpeg_header(width: int, height: int) -> bytes:
    data = encoded(Image.new("L", (16, 16)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[at + 4 :]


def png_header(width: int, height: int) -> bytes:
    sides = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    head = png_chunk(b"IHDR", sides + b"\x08\x02\0\0\0")
    return b"\x89PNG\r\n\x1a\n" + head + (1 << 20).to_bytes(4, "big") + b"IDAT" + zlib.compress(bytes(1000))


def gif_header(width: int, height: int) -> bytes:
    return b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\0\0\0," + bytes(9)


def webp_header(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = b"VP8 " + (1 << 20).to_bytes(4, "little") + bytes(20)
    return b"RIFF" + bytes(4) + b"WEBPVP8X" + (10).to_bytes(4, "little") + bytes(4) + size + frame


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("header", [jpeg_header, png_header, gif_header, webp_header])
def test_a_bomb_is_refused_from_its_header(header: object, variant: Variant) -> None:
    assert callable(header)
    source = Endless(header(*BOMB))
    with pytest.raises(
        TooLarge, match=r"20000 × 14000 pixels \(280.0 megapixels\); the limit is \d+ megapixels"
    ):
        asyncio.run(render(variant, source, OPTIONS[variant]))
    assert source.given <= 1000


@pytest.mark.parametrize("variant", Variant)
def test_a_picture_that_would_not_fit_in_memory_is_refused_from_its_header(variant: Variant) -> None:
    for header in (webp_header(5000, 4000), gif_header(9000, 9000)):
        source = Endless(header)
        with pytest.raises(TooLarge, match=r"the limit for a \w+ of this shape is [\d.]+ megapixels"):
            asyncio.run(render(variant, source, OPTIONS[variant]))
        assert source.given <= 1000


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "This file"),
        (b"hello, world, this is text", "This file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "An SVG"),
        (b"%PDF-1.7 and more", "A PDF"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "An AVIF or HEIC"),
        (b"\0\0\0\x20ftypisom\0\0\0\0", "A video"),
        (b"RIFF\x10\0\0\0AVI LIST", "This file"),
    ],
)
def test_another_type_is_refused_with_the_accepted_ones(data: bytes, named: str) -> None:
    with pytest.raises(
        UnsupportedType, match=f"^{named} is not an accepted picture: send JPEG, PNG, WebP, GIF or"
    ):
        rendered(Variant.ICON, data)


@pytest.mark.parametrize("kind", ["BMP", "PPM", "TGA", "PCX", "ICO", "JPEG2000", "DDS"])
def test_formats_that_pillow_reads_but_we_do_not(kind: str) -> None:
    with pytest.raises(UnsupportedType):
        rendered(Variant.ICON, encoded(scene(64, 64), kind))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_a_file_cut_anywhere_is_unreadable_and_nothing_else(kind: str, share: float) -> None:
    data = encoded(scene(300, 200), kind)
    with pytest.raises(UnreadableImage):
        rendered(Variant.THUMBNAIL, data[: max(16, int(len(data) * share))])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_flipped_bits_never_raise_anything_unexpected(kind: str) -> None:
    data, choice = encoded(scene(120, 90), kind), random.Random(11)  # noqa: S311
    for _ in range(120):
        damaged = bytearray(data)
        for _ in range(choice.randint(1, 6)):
            damaged[choice.randrange(min(len(data), 600))] ^= 1 << choice.randrange(8)
        try:
            rendition = rendered(Variant.ICON, bytes(damaged))
        except RenderError:
            continue
        assert Image.open(BytesIO(rendition.data)).size == (128, 128)


def test_every_error_has_its_own_code_and_a_sentence() -> None:
    kinds = RenderError.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert {kind.status for kind in kinds} == {400, 401, 404, 409, 413, 415, 422, 500, 503}
    assert str(UnsupportedType()).endswith(".")
