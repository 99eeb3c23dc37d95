"""PNG's filters undone by the kernel, beside the rule of the specification written out."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.imaging.originals import encoded, scene

vfa_kernels = pytest.importorskip("vfa_kernels", reason="set-up found no C compiler")

STEPS = [1, 2, 3, 4, 6, 8]


def predicted(kind: int, left: int, up: int, corner: int) -> int:
    """ISO/IEC 15948, 9.2 and 9.4."""
    if kind < 3:
        return (0, left, up)[kind]
    if kind == 3:
        return (left + up) // 2
    return min((left, up, corner), key=lambda each: abs(left + up - corner - each))


def by_rule(filtered: bytes, length: int, step: int) -> bytes:
    rows = [bytes(length)]
    for start in range(0, len(filtered), length + 1):
        kind, row, above = filtered[start], bytearray(filtered[start + 1 : start + 1 + length]), rows[-1]
        for at in range(length):
            left, corner = (row[at - step], above[at - step]) if at >= step else (0, 0)
            row[at] = row[at] + predicted(kind, left, above[at], corner) & 255
        rows.append(bytes(row))
    return b"".join(rows[1:])


def by_kernel(filtered: bytes, length: int, step: int, rows: int = 1 << 20) -> bytes:
    unfilter = vfa_kernels.Unfilter(length, step)
    size = rows * (length + 1)
    return b"".join(unfilter.push(filtered[at : at + size]) for at in range(0, len(filtered), size))


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("pixels", [1, 2, 5, 16, 33, 100])
def test_every_filter_of_every_size_of_pixel(kind: int, step: int, pixels: int) -> None:
    length = pixels * step
    noise = np.random.default_rng(kind * step).integers(0, 256, (9, length + 1), np.uint8)
    noise[:, 0] = kind
    assert by_kernel(noise.tobytes(), length, step) == by_rule(noise.tobytes(), length, step)


@given(
    st.sampled_from(STEPS), st.integers(1, 70), st.integers(1, 12), st.integers(1, 12), st.integers(0, 9999)
)
def test_mixed_filters_in_any_pieces(step: int, pixels: int, rows: int, at_once: int, seed: int) -> None:
    length = pixels * step
    noise = np.random.default_rng(seed).integers(0, 256, (rows, length + 1), np.uint8)
    noise[:, 0] %= 5
    assert by_kernel(noise.tobytes(), length, step, at_once) == by_rule(noise.tobytes(), length, step)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_the_rows_of_a_file_are_its_pixels(mode: str) -> None:
    picture = scene(333, 222).convert(mode)
    data = encoded(picture)
    packed, at = b"", 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    step = len(picture.getbands())
    assert by_kernel(zlib.decompress(packed), 333 * step, step, 7) == picture.tobytes()


@pytest.mark.parametrize("kind", [5, 128, 255])
def test_other_filters_are_refused(kind: int) -> None:
    with pytest.raises(ValueError, match="filter"):
        by_kernel(bytes([0, 1, 2, 3, kind, 1, 2, 3]), 3, 3)


@pytest.mark.parametrize(("length", "step"), [(0, 1), (4, 3), (5, 5), (-3, 3), (1 << 30, 1)])
def test_rows_are_of_whole_pixels(length: int, step: int) -> None:
    with pytest.raises(ValueError, match="pixel"):
        vfa_kernels.Unfilter(length, step)


def test_rows_come_whole() -> None:
    with pytest.raises(ValueError, match="whole"):
        vfa_kernels.Unfilter(3, 3).push(bytes(5))
