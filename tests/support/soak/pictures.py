"""The originals of a soak: one small and one large of every accepted kind, and files that must be refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from tests.support.pictures import encode, photo

SIZES = ((640, 480), (1800, 1350))
# The display version has a mark, and JPEG changes colours a little: of 255, on average over 8 × 8 fields.
TOLERANCE = 16.0
FIELDS = (8, 8)
DISPLAY = 2048


@dataclass(frozen=True, slots=True)
class Picture:
    """A file, its media type, and what must come of it: renditions, or for no picture one of `refusals`."""

    name: str
    data: bytes
    content_type: str
    size: tuple[int, int] = (0, 0)
    fields: np.ndarray | None = None
    refusals: tuple[int, ...] = ()

    def fault_of(self, display: bytes, thumbnail: bytes, icon: bytes) -> str | None:
        """What is wrong with the renditions, if anything is."""
        wanted = {"display": fitted(self.size), "thumbnail": (300, 300), "icon": (128, 128)}
        for (name, size), data in zip(wanted.items(), (display, thumbnail, icon), strict=True):
            image = Image.open(io.BytesIO(data))
            image.load()
            if image.format != "JPEG" or image.size != size:
                return f"{self.name}: {name} is {image.format} of {image.size} instead of {size}"
        if self.fields is not None:
            away = float(np.abs(fields_of(Image.open(io.BytesIO(display))) - self.fields).mean())
            if away > TOLERANCE:
                return f"{self.name}: the display version is {away:.1f} away from its original"
        return None


def fitted(size: tuple[int, int]) -> tuple[int, int]:
    """The size of a display version."""
    scale = min(1.0, DISPLAY / max(size))
    return round(size[0] * scale), round(size[1] * scale)


def fields_of(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB").resize(FIELDS, Image.Resampling.BOX), np.float64)


def _sixteen_bits(image: Image.Image) -> bytes:
    grey = np.asarray(image.convert("L"), np.uint16) * 257
    return encode(Image.fromarray(grey), "PNG")


ENCODERS: dict[str, tuple[str, Callable[[Image.Image], bytes]]] = {
    "JPEG": ("image/jpeg", lambda image: encode(image, "JPEG", quality=88)),
    "progressive JPEG": ("image/jpeg", lambda image: encode(image, "JPEG", quality=88, progressive=True)),
    "grey JPEG": ("image/jpeg", lambda image: encode(image.convert("L"), "JPEG")),
    "CMYK JPEG": ("image/jpeg", lambda image: encode(image.convert("CMYK"), "JPEG")),
    "PNG": ("image/png", lambda image: encode(image, "PNG", compress_level=1)),
    "RGBA PNG": ("image/png", lambda image: encode(image.convert("RGBA"), "PNG", compress_level=1)),
    "palette PNG": ("image/png", lambda image: encode(image.quantize(128), "PNG")),
    "16 bit PNG": ("image/png", _sixteen_bits),
    "WebP": ("image/webp", lambda image: encode(image, "WEBP", quality=80)),
    "GIF": ("image/gif", lambda image: encode(image.quantize(128), "GIF")),
    "TIFF": ("image/tiff", lambda image: encode(image, "TIFF")),
    "deflated TIFF": ("image/tiff", lambda image: encode(image, "TIFF", compression="tiff_adobe_deflate")),
    "JPEG in TIFF": ("image/tiff", lambda image: encode(image, "TIFF", compression="jpeg")),
}
# Ink and grey are other colours than those that the picture was painted in.
RECOLOURED = ("CMYK JPEG", "grey JPEG", "16 bit PNG")


def pictures() -> list[Picture]:
    """Two of each kind, always the same."""
    made = []
    for number, (width, height) in enumerate(SIZES):
        image = photo(width, height, seed=number)
        fields = fields_of(image)
        for kind, (content_type, encoder) in ENCODERS.items():
            wanted = None if kind in RECOLOURED else fields
            name = f"{kind} of {width} × {height}"
            made.append(Picture(name, encoder(image), content_type, image.size, wanted))
    return made


def refused() -> list[Picture]:
    """Files that are not what they say, or break off."""
    good = encode(photo(320, 240), "JPEG")
    return [
        Picture("HTML", b"<html><script>alert(1)</script>" * 9, "image/jpeg", refusals=(415,)),
        Picture("JPEG as PNG", good, "image/png", refusals=(415,)),
        Picture("half a JPEG header", good[:200], "image/jpeg", refusals=(422,)),
        Picture(
            "noise behind a signature", b"\x89PNG\r\n\x1a\n" + bytes(500), "image/png", refusals=(415, 422)
        ),
    ]
