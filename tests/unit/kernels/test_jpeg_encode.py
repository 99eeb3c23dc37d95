"""The encoding kernel beside Pillow's: the same bytes, whatever the size, the sampling and the form."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from tests.support.imaging.originals import encoded, scene
from tests.support.kernels.jpegs import extreme

from imaging.encode import FULL, HALVED, NOTICEABLE, fitting_subsampling

vfa_kernels = pytest.importorskip("vfa_kernels", reason="set-up found no C compiler")

SIZES = [
    (203, 141),
    (1, 1),
    (8, 8),
    (9, 9),
    (16, 16),
    (17, 33),
    (24, 40),
    (31, 15),
    (500, 3),
    (3, 500),
    (640, 480),
]


def rows_of(plane: Image.Image, top: int, count: int) -> bytes:
    return plane.crop((0, top, plane.width, top + count)).tobytes()


def by_kernel(
    picture: Image.Image, quality: int, halved: bool, form: str = "planes", step: int = 1 << 20
) -> bytes:
    encoder = vfa_kernels.JpegEncoder(picture.size, quality, halved, form)
    parts = (picture,) if form in ("grey", "RGB", "RGBX") else picture.split()
    out = b""
    for top in range(0, picture.height, step):
        count = min(step, picture.height - top)
        out += encoder.push(*(rows_of(part, top, count) for part in parts))
    assert encoder.missing == 0
    return out


def by_pillow(picture: Image.Image, quality: int, halved: bool) -> bytes:
    return encoded(picture, "JPEG", quality=quality, subsampling=HALVED if halved else FULL)


def in_means(plane: Image.Image) -> bytes:
    """Halved as libjpeg-turbo does: means of 2 × 2, rounded down and up in turn; edges are continued."""
    levels = np.pad(np.asarray(plane).astype(int), ((0, plane.height % 2), (0, plane.width % 2)), "edge")
    sums = levels[::2, ::2] + levels[1::2, ::2] + levels[::2, 1::2] + levels[1::2, 1::2]
    bias = 1 + np.arange(sums.shape[1]) % 2
    means: bytes = (sums + bias >> 2).astype(np.uint8).tobytes()
    return means


@pytest.mark.parametrize("quality", [1, 30, 50, 85, 95, 100])
@pytest.mark.parametrize("size", SIZES)
def test_planes_become_the_bytes_that_pillow_writes(size: tuple[int, int], quality: int) -> None:
    picture = scene(*size).convert("YCbCr")
    assert by_kernel(picture, quality, halved=False) == by_pillow(picture, quality, halved=False)


@pytest.mark.parametrize("quality", [1, 30, 50, 85, 95, 100])
@pytest.mark.parametrize("size", [(16, 16), (32, 500), (48, 33), (160, 1), (640, 480)])
def test_halved_planes_become_the_bytes_that_libjpeg_turbo_writes(
    size: tuple[int, int], quality: int
) -> None:
    picture = scene(*size).convert("YCbCr")
    luma, *chroma = picture.split()
    encoder = vfa_kernels.JpegEncoder(size, quality, True, "halved planes")
    made = encoder.push(luma.tobytes(), *map(in_means, chroma))
    assert made == by_pillow(picture, quality, halved=True)


@pytest.mark.parametrize("form", ["RGB", "RGBX"])
@pytest.mark.parametrize("size", SIZES)
def test_pixels_become_the_bytes_that_pillow_writes(size: tuple[int, int], form: str) -> None:
    picture = scene(*size)
    given = picture if form == "RGB" else picture.convert("RGBA")
    assert by_kernel(given, 85, halved=False, form=form) == by_pillow(picture, 85, halved=False)


@pytest.mark.parametrize("size", [(640, 480), (203, 141), (33, 500), (17, 9)])
def test_halving_loses_no_more_than_means_do(size: tuple[int, int]) -> None:
    picture = scene(*size)
    errors = []
    for data in (by_kernel(picture, 90, halved=True, form="RGB"), by_pillow(picture, 90, halved=True)):
        with Image.open(BytesIO(data)) as shown:
            difference = np.asarray(shown).astype(float) - np.asarray(picture)
        errors.append(float(np.mean(difference**2)))
    assert errors[0] <= 1.02 * errors[1]


@pytest.mark.parametrize("size", SIZES)
def test_grey_becomes_the_bytes_that_pillow_writes(size: tuple[int, int]) -> None:
    picture = scene(*size).convert("L")
    assert by_kernel(picture, 85, False, "grey") == by_pillow(picture, 85, False)


@pytest.mark.parametrize("quality", [1, 85, 100])
def test_noise_from_black_to_white_does_too(quality: int) -> None:
    picture = extreme(160, 120)
    assert by_kernel(picture, quality, False, "RGB") == by_pillow(picture, quality, False)


@settings(max_examples=60)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 100), st.integers(1, 40))
def test_any_size_quality_and_number_of_rows_at_once(
    width: int, height: int, quality: int, step: int
) -> None:
    picture = scene(width, height, seed=width).convert("YCbCr")
    assert by_kernel(picture, quality, False, step=step) == by_pillow(picture, quality, False)
    assert by_kernel(picture, quality, True, step=step) == by_kernel(picture, quality, True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [2, 6, 16, 1 << 20])
def test_halved_planes_are_stored_as_they_are(size: tuple[int, int], step: int) -> None:
    width, height = size
    luma, *chroma = scene(width, height).filter(ImageFilter.BoxBlur(3)).convert("YCbCr").split()
    half = ((width + 1) // 2, (height + 1) // 2)
    chroma = [plane.resize(half) for plane in chroma]
    encoder = vfa_kernels.JpegEncoder(size, 100, True, "halved planes")
    out = b""
    for top in range(0, height, step):
        count = min(step, height - top)
        halves = [rows_of(plane, top // 2, (count + 1) // 2) for plane in chroma]
        out += encoder.push(rows_of(luma, top, count), *halves)
    with Image.open(BytesIO(out)) as decoded:
        assert decoded.size == size
        decoded.draft("YCbCr", size)
        shown = decoded.split()[0]
    assert np.abs(np.asarray(shown).astype(int) - np.asarray(luma)).max() <= 3


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [(640, 480), (333, 77), (11, 500), (5, 3)])
def test_the_loss_is_what_the_choice_of_sampling_goes_by(size: tuple[int, int], seed: int) -> None:
    picture = scene(*size, seed=seed) if seed else extreme(*size)
    _, cb, cr = picture.convert("YCbCr").split()
    loss = vfa_kernels.chroma_loss(cb.tobytes(), cr.tobytes(), size)
    if abs(loss - NOTICEABLE) > 0.05:
        assert (loss > NOTICEABLE) == (fitting_subsampling(picture) == FULL)


def test_a_picture_without_colour_loses_nothing() -> None:
    assert vfa_kernels.chroma_loss(bytes([128]) * 600, bytes([90]) * 600, (30, 20)) == 0


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (17, 3), (300, 200)])
def test_colours_are_those_of_libjpeg(size: tuple[int, int], mode: str) -> None:
    picture = scene(*size)
    planes = vfa_kernels.ycc_planes(picture.convert(mode).tobytes(), len(mode))
    # Of a flat block, the file's levels tell the colour; here the kernel's two ways are held to each other.
    joined = Image.merge("YCbCr", [Image.frombytes("L", size, plane) for plane in planes])
    assert by_kernel(joined, 100, False) == by_pillow(picture, 100, False)


@pytest.mark.parametrize(
    "arguments",
    [
        ((0, 4), 85),
        ((4, 65501), 85),
        ((4, 4), 0),
        ((4, 4), 101),
        ((4, 4), 85, True, "CMYK"),
        ((4, 4), 85, False, "halved planes"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        vfa_kernels.JpegEncoder(*arguments)


@pytest.mark.parametrize(
    ("form", "rows"),
    [
        ("planes", (bytes(4), bytes(4), bytes(3))),
        ("planes", (bytes(5), bytes(5), bytes(5))),
        ("planes", (bytes(40), bytes(40), bytes(40))),
        ("halved planes", (bytes(4), bytes(2), bytes(2))),
        ("halved planes", (bytes(8), bytes(2), bytes(4))),
        ("RGB", (bytes(11),)),
    ],
)
def test_rows_fit_the_form(form: str, rows: tuple[bytes, ...]) -> None:
    encoder = vfa_kernels.JpegEncoder((4, 8), 85, True, form)
    with pytest.raises(ValueError, match="rows"):
        encoder.push(*rows)
