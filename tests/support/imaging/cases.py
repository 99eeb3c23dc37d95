"""Originals whose renditions are kept as golden images, and are compared between the runtimes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image
from tests.support.imaging.originals import encoded, png_file, scene, sixteen_bits
from tests.support.imaging.profiles import matrix_profile
from tests.unit.imaging.test_orientation import exif_block

from imaging.variants import Variant


def _with_alpha() -> Image.Image:
    picture = scene(400, 300, seed=5).convert("RGBA")
    picture.putalpha(Image.radial_gradient("L").resize((400, 300)).point(lambda level: 255 - level))
    return picture


CASES: dict[str, Callable[[], bytes]] = {
    "watermark of a photograph": lambda: encoded(scene(640, 420), "JPEG", quality=92),
    "watermark of a large photograph": lambda: encoded(scene(3200, 600, seed=2), "JPEG", quality=90),
    "watermark of a progressive photograph": lambda: encoded(
        scene(2500, 400, seed=3), "JPEG", progressive=True
    ),
    "watermark of a tall picture": lambda: encoded(scene(60, 500, seed=4)),
    "watermark of grey": lambda: encoded(scene(400, 300).convert("L"), "JPEG", quality=92),
    "watermark of inks": lambda: encoded(scene(400, 300).convert("CMYK"), "JPEG", quality=92),
    "watermark of alpha": lambda: encoded(_with_alpha()),
    "thumbnail of a turned photograph": lambda: encoded(
        scene(500, 700), "JPEG", quality=92, exif=exif_block(6)
    ),
    "thumbnail of Display P3": lambda: encoded(
        scene(600, 500), "PNG", icc_profile=matrix_profile("Display P3")
    ),
    "thumbnail of 16 bits": lambda: png_file(sixteen_bits(scene(450, 350))),
    "thumbnail of interlaced rows": lambda: png_file(np.asarray(scene(450, 350)), interlaced=True),
    "thumbnail of a palette": lambda: encoded(scene(500, 350).quantize(64), "GIF"),
    "icon of a WebP": lambda: encoded(scene(700, 500), "WEBP", quality=90),
    "icon of a TIFF": lambda: encoded(scene(400, 300), "TIFF", compression="tiff_adobe_deflate"),
    "icon of one pixel": lambda: encoded(Image.new("RGB", (1, 1), "#c86432")),
}


@cache
def original_of(case: str) -> bytes:
    return CASES[case]()


def variant_of(case: str) -> Variant:
    return Variant(case.split(" ", 1)[0])
