"""JPEGs for the kernels' tests: every sampling, restarts, tables, edges and damage."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from PIL import Image
from tests.support.imaging.jpegs import taken_apart
from tests.support.imaging.originals import encoded, scene

SAMPLINGS = {"444": 0, "422": 1, "420": 2}


def extreme(width: int, height: int) -> Image.Image:
    """Black and white noise: the largest coefficients that a picture has."""
    levels = np.random.default_rng(5).integers(0, 2, (height, width, 3), np.uint8) * 255
    return Image.fromarray(levels)


def _made(
    width: int, height: int, picture: Callable[[int, int], Image.Image] = scene, **options: Any
) -> bytes:
    return encoded(picture(width, height), "JPEG", **options)


GOOD: dict[str, Callable[[], bytes]] = {
    **{
        f"{sampling}, quality {quality}": partial(_made, 203, 141, quality=quality, subsampling=number)
        for sampling, number in SAMPLINGS.items()
        for quality in (5, 75, 100)
    },
    **{
        f"{sampling}, restarts": partial(_made, 203, 141, subsampling=number, restart_marker_blocks=5)
        for sampling, number in SAMPLINGS.items()
    },
    "a restart for each row": partial(_made, 203, 141, restart_marker_rows=1),
    "a restart for each unit": partial(_made, 203, 141, restart_marker_blocks=1),
    "optimised tables": partial(_made, 203, 141, optimize=True),
    "noise": partial(_made, 160, 120, extreme, quality=100, subsampling=0),
    "noise, coarse": partial(_made, 160, 120, extreme, quality=3),
    "flat": lambda: encoded(Image.new("RGB", (300, 200), (200, 30, 90)), "JPEG", subsampling=0),
    "grey": lambda: encoded(scene(203, 141).convert("L"), "JPEG"),
    "one pixel": partial(_made, 1, 1, subsampling=0),
    "one row": partial(_made, 1000, 1, subsampling=0),
    "one column": partial(_made, 1, 1000, subsampling=0),
    "whole units": partial(_made, 192, 128),
    "a column more": partial(_made, 193, 129),
    "widest": partial(_made, 65500, 9, quality=60),
    "tables of 16 bits": lambda: encoded(scene(90, 70), "JPEG", qtables=[[900] * 64, [700] * 64]),
}


@cache
def good(name: str) -> bytes:
    return GOOD[name]()


def size_of(name: str) -> tuple[int, int]:
    segments, _ = taken_apart(good(name))
    [frame] = [data for marker, data in segments if marker in (0xC0, 0xC1)]
    return int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")


def damaged(data: bytes, seed: int) -> bytes:
    """With some bytes of the scan's data changed, left out or put in; the end marker stays."""
    chance = random.Random(seed)  # noqa: S311
    _, rest = taken_apart(data)
    scan = bytearray(rest[:-2])
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(scan))
        new = chance.choice(
            (chance.randrange(256), 0xFF, 0xD0 + chance.randrange(8), scan[at] ^ 1 << chance.randrange(8))
        )
        match chance.randrange(4):
            case 0:
                del scan[at : at + chance.randrange(1, 40)]
            case 1:
                scan[at:at] = bytes([0xFF, 0xD0 + chance.randrange(8)])
            case _:
                scan[at] = new
        if not scan:
            break
    # Any other marker ends the scan; a reader stops there, and gives the decoder an end.
    for at in range(len(scan) - 1):
        if scan[at] == 0xFF and scan[at + 1] not in (0, 0xFF, *range(0xD0, 0xD8)):
            scan = scan[:at]
            break
    return data[: len(data) - len(rest)] + bytes(scan).rstrip(b"\xff") + b"\xff\xd9"
