"""Pictures that tests make for themselves."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def jpeg(width: int = 640, height: int = 480, seed: int = 1, quality: int = 88) -> bytes:
    """A JPEG of soft coloured shapes with some texture; the seed decides which."""
    return encode(photo(width, height, seed), "JPEG", quality=quality)


def photo(width: int, height: int, seed: int = 1) -> Image.Image:
    """Smooth colour fields with grain, RGB."""
    rng = np.random.default_rng(seed)
    fields = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = rng.integers(-8, 9, (height, width, 1), dtype=np.int16)
    return Image.fromarray(np.clip(np.asarray(fields, np.int16) + grain, 0, 255).astype(np.uint8))


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """The image as a file of `kind`, such as "JPEG" or "PNG"."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decode(data: bytes) -> Image.Image:
    """Pixels of a file, loaded."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal-to-noise ratio in dB of two RGB images of one size."""
    first, second = (np.asarray(image.convert("RGB"), np.float64) for image in (one, other))
    error = float(np.mean((first - second) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))
