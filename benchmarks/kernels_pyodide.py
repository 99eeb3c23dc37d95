"""The half of kernels.py that runs in Pyodide: each kernel beside Pillow on the same picture, in turns.

Prints a line of JSON for each kernel: CPU milliseconds of the process by round, the kernel's and Pillow's.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path[:0] = ["/bundle", "/bundle/python_modules"]

import vfa_kernels  # noqa: E402
from js import process  # noqa: E402
from PIL import Image  # noqa: E402

Image.MAX_IMAGE_PIXELS = None
ROUNDS, ONLY = json.loads(Path("/given/settings.json").read_text())
JPEG = Path("/given/picture.jpg").read_bytes()
CHUNK = 1 << 18
with Image.open(BytesIO(JPEG)) as opened:
    SIZE = opened.size
DISPLAY = (2048, round(SIZE[1] * 2048 / SIZE[0]))
WHOLE = (0.0, 0.0, float(SIZE[0]), float(SIZE[1]))


def decoded(luma: int, chroma: int) -> None:
    decoder = vfa_kernels.JpegDecoder(luma, chroma)
    for start in range(0, len(JPEG), CHUNK):
        decoder.feed(JPEG[start : start + CHUNK])
        while decoder.step():
            pass
    assert decoder.done


def drafted(mode: str, scale: int) -> Image.Image:
    image = Image.open(BytesIO(JPEG))
    image.draft(mode, (SIZE[0] // scale, SIZE[1] // scale))
    image.load()
    return image


def two_passes() -> None:
    drafted("L", 1)
    drafted("YCbCr", 2)


def resized(pixels: bytes, channels: int) -> bytes:
    resizer = vfa_kernels.Resizer(SIZE, WHOLE, DISPLAY, 1, channels)
    line = SIZE[0] * channels
    out = bytearray(DISPLAY[0] * DISPLAY[1] * channels)
    at = 0
    for start in range(0, len(pixels), 64 * line):
        resizer.push(memoryview(pixels)[start : start + 64 * line])
        at += DISPLAY[0] * channels * resizer.take_into(out, at)
    return bytes(out)


def display() -> None:
    """The whole way: decode, resize all three planes, write."""
    decoder = vfa_kernels.JpegDecoder(1, 1)
    half = ((SIZE[0] + 1) // 2, (SIZE[1] + 1) // 2)
    chroma_box = (0.0, 0.0, SIZE[0] / 2, SIZE[1] / 2)
    luma = vfa_kernels.Resizer(SIZE, WHOLE, DISPLAY)
    chroma = [vfa_kernels.Resizer(half, chroma_box, DISPLAY, 2) for _ in range(2)]
    for part, resizer in enumerate((luma, *chroma)):
        decoder.attach(part, resizer)
    planes = [bytearray(DISPLAY[0] * DISPLAY[1]) for _ in range(3)]
    made = [0, 0, 0]
    for start in range(0, len(JPEG), CHUNK):
        decoder.feed(JPEG[start : start + CHUNK])
        while decoder.step():
            for part, resizer in enumerate((luma, *chroma)):
                made[part] += DISPLAY[0] * resizer.take_into(planes[part], made[part])
    vfa_kernels.chroma_loss(planes[1], planes[2], DISPLAY)
    vfa_kernels.JpegEncoder(DISPLAY, 85).push(*planes)


def displayed_by_pillow() -> None:
    luma, chroma = drafted("L", 1), drafted("YCbCr", 2)
    planes = [luma.resize(DISPLAY, Image.Resampling.LANCZOS)]
    planes += [chroma.getchannel(name).resize(DISPLAY, Image.Resampling.BILINEAR) for name in ("Cb", "Cr")]
    saved(Image.merge("YCbCr", planes))


def saved(picture: Image.Image) -> None:
    picture.save(BytesIO(), "JPEG", quality=85, subsampling=2)


def encoded(form: Any, *rows: bytes) -> bytes:
    return vfa_kernels.JpegEncoder(DISPLAY, 85, True, form).push(*rows)


def filtered(kind: int, pixels: bytes, row: int) -> bytes:
    """The same bytes as rows behind a filter: what comes out does not matter to the time it takes."""
    head = bytes([kind])
    return b"".join(head + pixels[at : at + row] for at in range(0, len(pixels), row))


def unfiltered(rows: bytes, row: int) -> None:
    unfilter = vfa_kernels.Unfilter(row, 3)
    step = (1 << 19) // (row + 1) * (row + 1)
    for start in range(0, len(rows), step):
        unfilter.push(memoryview(rows)[start : start + step])


def unfiltered_by_pillow(stored: bytes) -> None:
    """Inflating what is merely stored is a small part of it."""
    image = Image.new("RGB", SIZE)
    decoder = Image._getdecoder("RGB", "zip", ("RGB", 0))
    decoder.setimage(image.im, (0, 0, *SIZE))
    decoder.decode(stored)


def cpu() -> float:
    usage = process.cpuUsage()
    return float(usage.user + usage.system) / 1000


def measure(name: str, mine: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    if ONLY not in name:
        return
    taken: dict[str, list[float]] = {"kernel": [], "pillow": []}
    for turn in range(ROUNDS + 1):
        for who, work in (("kernel", mine), ("pillow", theirs)):
            started = cpu()
            work()
            if turn:
                taken[who].append(round(cpu() - started, 2))
    print(json.dumps({"name": name, **taken}))


def measure_decoding() -> None:
    measure("JPEG, luma 1/1 and chroma at its own scale", lambda: decoded(1, 1), two_passes)
    for scale in (2, 4, 8):
        measure(f"JPEG at 1/{scale}", partial(decoded, scale, scale), partial(drafted, "YCbCr", scale))


def measure_resizing(rgb: Image.Image) -> None:
    plane = rgb.getchannel("G")
    for title, image, channels in (("a plane", plane, 1), ("RGB", rgb, 3)):
        theirs = partial(image.resize, DISPLAY, Image.Resampling.LANCZOS)
        measure(f"LANCZOS of {title} to 2048", partial(resized, image.tobytes(), channels), theirs)


def measure_encoding(small: Image.Image) -> None:
    planes, pixels = small.convert("YCbCr"), small.tobytes()
    parts = [part.tobytes() for part in planes.split()]
    from_planes, from_rgb = partial(encoded, "planes", *parts), partial(encoded, "RGB", pixels)
    measure("encode 2048, 4:2:0, from planes", from_planes, partial(saved, planes))
    measure("encode 2048, 4:2:0, from RGB", from_rgb, partial(saved, small))


def measure_filters(pixels: bytes, row: int) -> None:
    for kind, title in enumerate(("none", "sub", "up", "average", "Paeth")):
        rows = filtered(kind, pixels, row)
        theirs = partial(unfiltered_by_pillow, zlib.compress(rows, 0))
        measure(f"PNG filter {title}", partial(unfiltered, rows, row), theirs)


measure_decoding()
picture = drafted("RGB", 1)
measure_resizing(picture)
measure_encoding(picture.resize(DISPLAY))
measure_filters(picture.tobytes(), 3 * SIZE[0])
measure("display of 2048: decode, resize, encode", display, displayed_by_pillow)
