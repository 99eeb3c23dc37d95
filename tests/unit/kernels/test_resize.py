"""The resizing kernel beside Pillow's: within a level, whatever the sizes, the box and the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.support.imaging.originals import scene

vfa_kernels = pytest.importorskip("vfa_kernels", reason="set-up found no C compiler")

MODES = {1: "L", 3: "RGB", 4: "CMYK"}  # of these, Pillow resizes each channel by itself
Box = tuple[float, float, float, float]


def by_kernel(image: Image.Image, box: Box, out: tuple[int, int], kernel: int, step: int = 1 << 30) -> bytes:
    channels = len(image.getbands())
    resizer = vfa_kernels.Resizer(image.size, box, out, kernel, channels)
    data, line = image.tobytes(), image.width * channels
    made = b""
    for start in range(0, len(data), step * line):
        resizer.push(data[start : start + step * line])
        made += resizer.take()
    assert resizer.missing == 0
    return made


def distance(one: bytes, other: bytes) -> int:
    levels = [np.frombuffer(each, np.uint8).astype(int) for each in (one, other)]
    return int(np.abs(levels[0] - levels[1]).max())


@st.composite
def tasks(draw: st.DrawFn) -> tuple[Image.Image, Box, tuple[int, int], int]:
    width, height = draw(st.integers(1, 150)), draw(st.integers(1, 150))
    channels = draw(st.sampled_from([*MODES]))
    noise = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    levels = noise.integers(0, 256, (height, width, channels), np.uint8)
    if draw(st.booleans()):
        levels = (levels >> 7) * np.uint8(255)
    size = (width, height)
    image = Image.frombytes(MODES[channels], size, levels.tobytes())
    sides = []
    for edge in size:
        ends = st.floats(0, edge, width=32)
        low, high = sorted((draw(ends), draw(ends)))
        sides.append((low, high) if high - low > edge / 64 else (0.0, float(edge)))
    out = (draw(st.integers(1, 200)), draw(st.integers(1, 200)))
    (left, right), (top, bottom) = sides
    return image, (left, top, right, bottom), out, draw(st.sampled_from([1, 2, 3]))


@settings(max_examples=300)
@given(tasks(), st.integers(1, 40))
def test_it_is_within_a_level_of_pillow(
    task: tuple[Image.Image, Box, tuple[int, int], int], step: int
) -> None:
    image, box, out, kernel = task
    expected = image.resize(out, Image.Resampling(kernel), box).tobytes()
    assert distance(by_kernel(image, box, out, kernel, step), expected) <= 1


@pytest.mark.parametrize("out", [(2048, 1536), (300, 300), (128, 96), (2000, 31), (7, 999)])
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_photographs_are_within_a_level_and_mostly_equal(out: tuple[int, int], kernel: int) -> None:
    image = scene(2400, 1600).convert("RGB")
    box = (0.0, 0.0, 2400.0, 1600.0)
    one = np.frombuffer(by_kernel(image, box, out, kernel, 64), np.uint8)
    other = np.frombuffer(image.resize(out, Image.Resampling(kernel)).tobytes(), np.uint8)
    assert np.abs(one.astype(int) - other).max() <= 1
    assert np.mean(one != other) < 0.25


@pytest.mark.parametrize("level", [0, 1, 127, 255])
def test_a_flat_picture_stays_flat(level: int) -> None:
    flat = Image.new("L", (333, 777), level)
    for out in ((10, 10), (400, 900), (333, 777)):
        assert {*by_kernel(flat, (0, 0, 333, 777), out, 1)} == {level}


def test_the_same_size_is_the_same_picture() -> None:
    image = scene(123, 45)
    assert by_kernel(image, (0, 0, 123, 45), (123, 45), 1) == image.tobytes()


def test_a_long_strip_takes_little_memory() -> None:
    resizer = vfa_kernels.Resizer((60_000, 1000), (0, 0, 60_000, 1000), (2048, 34), 1, 3)
    assert resizer.memory < 4 << 20


def test_rows_go_into_a_buffer_as_far_as_there_is_room() -> None:
    resizer = vfa_kernels.Resizer((4, 4), (0, 0, 4, 4), (4, 4))
    resizer.push(bytes(range(16)))
    to = bytearray(11)
    assert (resizer.ready, resizer.take_into(to, 2), resizer.ready) == (4, 2, 2)
    assert to == b"\0\0" + bytes(range(8)) + b"\0"
    assert resizer.take(1) == bytes(range(8, 12))
    assert resizer.take() == bytes(range(12, 16))


@pytest.mark.parametrize(
    "arguments",
    [
        ((0, 4), (0, 0, 1, 1), (4, 4)),
        ((4, 4), (0, 0, 5, 4), (4, 4)),
        ((4, 4), (2, 0, 2, 4), (4, 4)),
        ((4, 4), (0, 0, float("nan"), 4), (4, 4)),
        ((4, 4), (-1, 0, 4, 4), (4, 4)),
        ((4, 4), (0, 0, 4, 4), (0, 4)),
        ((4, 4), (0, 0, 4, 4), (1 << 17, 4)),
        ((4, 4), (0, 0, 4, 4), (4, 4), 0),
        ((4, 4), (0, 0, 4, 4), (4, 4), 1, 5),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        vfa_kernels.Resizer(*arguments)


@pytest.mark.parametrize("rows", [bytes(3), bytes(20)])
def test_rows_are_whole_and_no_more_than_there_are(rows: bytes) -> None:
    resizer = vfa_kernels.Resizer((4, 4), (0, 0, 4, 4), (2, 2))
    with pytest.raises(ValueError, match="rows"):
        resizer.push(rows)
