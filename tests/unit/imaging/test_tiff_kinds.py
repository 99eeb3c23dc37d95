"""Every kind of TIFF against what its samples are known to mean: a seeded part of all combinations."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.originals import scene
from tests.support.imaging.rendering import picture_of
from tests.support.imaging.tiffs import DEFLATE, LZW, PACKBITS, PLAIN, Levels, Packing, tiff

from imaging.color.convert import Colours
from imaging.formats import tiff_unpack
from imaging.variants import Variant

SIZE = (61, 45)
SEED, SAMPLE = 20, 200
WHITE_IS_ZERO, GREY, RGB, PALETTE, CMYK, YCC = 0, 1, 2, 3, 5, 6
CHANNELS = {WHITE_IS_ZERO: 1, GREY: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCC: 3}
UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2
EXTRAS = [(), (0,), (1,), (2,), (0, 2), (0, 0)]


class Kind(NamedTuple):
    photometric: int
    extra: tuple[int, ...]
    packing: Packing

    def __str__(self) -> str:
        packing = self.packing
        parts = [
            {0: "white-is-zero", 1: "grey", 2: "rgb", 3: "palette", 5: "cmyk", 6: "ycc"}[self.photometric],
            str(packing.bits),
            "extra" + "".join(map(str, self.extra)) if self.extra else "",
            {1: "plain", 5: "lzw", 8: "deflate", 32773: "packbits"}[packing.compression],
            "predictor" if packing.predictor == 2 else "",
            "planar" if packing.planar else "",
            f"tiles{packing.tile[0]}x{packing.tile[1]}" if packing.tile else f"rows{packing.rows}",
            ("big-" if packing.big else "") + ("II" if packing.order == "<" else "MM"),
            "reversed" if packing.reverse else "",
        ]
        return "-".join(part for part in parts if part)


def kinds() -> list[Kind]:
    """All that make sense."""
    layouts = [(None, None), (1, None), (7, None), (None, (16, 16)), (None, (32, 48)), (None, (80, 64))]
    found = []
    for photometric, bits, extra, compression in product(
        CHANNELS, (1, 2, 4, 8, 12, 16), EXTRAS, (PLAIN, LZW, DEFLATE, PACKBITS)
    ):
        if (photometric == PALETTE and bits > 8) or (photometric == YCC and bits != 8):
            continue
        for predictor, planar, (rows, tile), order, big, reverse in product(
            (1, 2), (False, True), layouts, "<>", (False, True), (False, True)
        ):
            if predictor == 2 and (bits not in (8, 16) or compression in (PLAIN, PACKBITS)):
                continue
            packing = Packing(bits, compression, predictor, planar, rows, tile, order, big, reverse)
            found.append(Kind(photometric, extra, packing))
    return found


def levels_of(kind: Kind) -> Levels:
    """The samples of a scene, at the kind's depth."""
    most = (1 << kind.packing.bits) - 1
    channels = CHANNELS[kind.photometric]
    picture = scene(*SIZE)
    if kind.photometric == CMYK:
        colours = np.asarray(picture.convert("CMYK"))
    elif kind.photometric == YCC:
        colours = np.asarray(picture.convert("YCbCr"))
    else:
        colours = np.asarray(picture)[..., :channels]
    extras = [np.asarray(scene(*SIZE, seed=2 + at))[..., [0]] for at in range(len(kind.extra))]
    levels = np.concatenate([colours, *extras], axis=2).astype(np.float64) / 255
    if ASSOCIATED in kind.extra:
        levels[..., :channels] *= levels[..., [channels]]
    return (levels * most + 0.5).astype(np.int64)


def colour_map(kind: Kind) -> tuple[int, ...]:
    steps = np.linspace(0, 65535, 1 << kind.packing.bits).astype(int)
    return (*map(int, steps), *map(int, steps[::-1]), *map(int, (steps * 7) % 65536))


def file_of_kind(kind: Kind) -> bytes:
    tags: dict[int, Any] = dict(kind.packing.tags)
    if kind.extra:
        tags[338] = kind.extra
    if kind.photometric == PALETTE:
        tags[320] = colour_map(kind)
    if kind.photometric == YCC:
        tags[530] = (1, 1)
    return tiff(levels_of(kind), kind.photometric, replace(kind.packing, tags=tags))


def expected(kind: Kind) -> Levels:
    """What is to be seen, on white, worked out from the samples alone."""
    channels, most = CHANNELS[kind.photometric], (1 << kind.packing.bits) - 1
    levels = levels_of(kind).astype(np.float64) / most
    colours = levels[..., :channels]
    if kind.photometric == PALETTE:
        steps = np.array(colour_map(kind)).reshape(3, -1) // 256
        colours = steps[:, levels_of(kind)[..., 0]].transpose(1, 2, 0) / 255
    if kind.photometric == WHITE_IS_ZERO:
        colours = 1 - colours
    if kind.photometric == YCC:
        colours = np.asarray(pixels("YCbCr", colours).convert("RGB")) / 255
    transparency = next((at for at, extra in enumerate(kind.extra) if extra), None)
    alpha = 1.0 if transparency is None else levels[..., [channels + transparency]]
    associated = ASSOCIATED in kind.extra
    if kind.photometric == CMYK:
        inks = colours if associated else colours * alpha
        return np.asarray(Colours(None, "#ffffff").after(pixels("CMYK", inks))).astype(np.float64)
    shown = (colours if associated else colours * alpha) + (1 - alpha)
    return np.clip(np.broadcast_to(shown, (*shown.shape[:2], 3)) * 255, 0, 255)


def pixels(mode: str, levels: Levels) -> Image.Image:
    return Image.frombytes(mode, SIZE, (levels * 255 + 0.5).astype(np.uint8).tobytes())


def differences(kind: Kind) -> Levels:
    picture = picture_of(Variant.WATERMARK, file_of_kind(kind))
    assert picture.size == SIZE
    return np.abs(np.asarray(picture.convert("RGB")).astype(np.float64) - expected(kind))


def plausible(kind: Kind) -> bool:
    """White is zero, or a palette, with colours that are multiplied by alpha, means nothing in particular."""
    return not (ASSOCIATED in kind.extra and kind.photometric in (WHITE_IS_ZERO, PALETTE, YCC))


CHOSEN = random.Random(SEED).sample([kind for kind in kinds() if plausible(kind)], SAMPLE)  # noqa: S311


@pytest.mark.parametrize("kind", CHOSEN, ids=str)
def test_every_kind_of_samples_has_the_right_colours(kind: Kind) -> None:
    difference = differences(kind)
    # High bytes alone, and colours that are divided by their alpha and multiplied again, round twice.
    assert difference.mean() < 1.2
    assert difference.max() <= 4


@pytest.mark.parametrize("kind", CHOSEN[::3], ids=str)
def test_the_same_where_blocks_are_taken_in_parts(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = picture_of(Variant.WATERMARK, file_of_kind(kind))
    monkeypatch.setattr(tiff_unpack, "BAND", 700)
    monkeypatch.setattr(tiff_unpack, "LARGEST_BAND", 900)
    assert picture_of(Variant.WATERMARK, file_of_kind(kind)).tobytes() == whole.tobytes()
