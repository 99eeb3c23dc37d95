"""What must not be in a rendition."""

from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from tests.support.imaging.originals import encoded, scene
from tests.support.imaging.profiles import matrix_profile
from tests.support.imaging.rendering import rendered, seen

from imaging.variants import Variant

SECRET = b"SECRET-52.5200N-13.4050E"
ALLOWED = {0xE0, 0xDB, 0xC0, 0xC4, 0xDA}


def segments(jpeg: bytes) -> list[tuple[int, bytes]]:
    """The markers before the scan, and what each holds."""
    found, at = [], 2
    while True:
        assert jpeg[at] == 0xFF
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        found.append((jpeg[at + 1], jpeg[at + 4 : at + 2 + length]))
        if jpeg[at + 1] == 0xDA:
            return found
        at += 2 + length


def full_of_secrets(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = exif[0x8298] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = SECRET.decode()
    exif.get_ifd(0x8769)[0x927C] = SECRET
    options: dict[str, Any] = {"exif": exif.tobytes(), "icc_profile": matrix_profile("Display P3")}
    if kind == "JPEG":
        options |= {"comment": SECRET, "xmp": SECRET}
    elif kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", SECRET.decode())
        info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        options["pnginfo"] = info
    elif kind == "WEBP":
        options["xmp"] = SECRET
    elif kind == "TIFF":
        options["tiffinfo"] = {270: SECRET.decode(), 700: SECRET, 34377: SECRET}
    elif kind == "GIF":
        options = {"comment": SECRET}
    return encoded(scene(300, 200).convert("P" if kind == "GIF" else "RGB"), kind, **options)


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_nothing_of_an_originals_metadata_is_left(kind: str, variant: Variant) -> None:
    data = full_of_secrets(kind) + SECRET
    assert data.count(SECRET) >= 2
    rendition = rendered(variant, data)
    assert SECRET not in rendition.data
    assert {marker for marker, _ in segments(rendition.data)} <= ALLOWED
    assert dict(segments(rendition.data))[0xE0].startswith(b"JFIF\0")


def test_a_rendition_ends_where_its_picture_ends() -> None:
    data = rendered(Variant.ICON, full_of_secrets("JPEG") + SECRET * 9).data
    assert data.endswith(b"\xff\xd9")
    assert data.count(b"\xff\xd9") == 1


def test_a_rendition_is_a_plain_baseline_jpeg() -> None:
    picture = seen(rendered(Variant.WATERMARK, encoded(scene(300, 200), "JPEG", progressive=True)))
    assert not picture.info.get("progressive")
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
