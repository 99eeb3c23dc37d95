"""The curves and lookup tables inside ICC profiles."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

Curve = Callable[[float], float]
_MOST_POINTS = 1 << 15  # of a curve; profiles have 4096 at most
_MOST_NUMBERS = 1 << 20  # of a table; 23 points along each of a press's four axes are 840,000


def read_curve(data: memoryview) -> tuple[Curve, int]:
    """A `curv` or `para` element, and how many bytes it takes."""
    if bytes(data[:4]) == b"para":
        return _parametric(data)
    if bytes(data[:4]) != b"curv":
        raise ValueError
    [count] = struct.unpack(">I", data[8:12])
    if count > _MOST_POINTS:
        raise ValueError
    length = 12 + 2 * count
    if count == 0:
        return _identity, length
    if count == 1:
        return _power(struct.unpack(">H", data[12:14])[0] / 256), length
    return _sampled([value / 65535 for value in struct.unpack(f">{count}H", data[12:length])]), length


def _identity(value: float) -> float:
    return value


def _power(gamma: float) -> Curve:
    return lambda value: max(0.0, value) ** gamma


def _sampled(points: Sequence[float]) -> Curve:
    last = len(points) - 1

    def curve(value: float) -> float:
        place = min(max(value, 0.0), 1.0) * last
        low = min(int(place), last - 1)
        return points[low] + (points[low + 1] - points[low]) * (place - low)

    return curve


def _parametric(data: memoryview) -> tuple[Curve, int]:
    [kind] = struct.unpack(">H", data[8:10])
    count = (1, 3, 4, 5, 7)[kind]
    numbers = [value / 65536 for value in struct.unpack(f">{count}i", data[12 : 12 + 4 * count])]
    gamma, a, b, c, d, e, f = _in_full(kind, numbers)

    def curve(value: float) -> float:
        return max(0.0, a * value + b) ** gamma + e if value >= d else c * value + f

    return curve, 12 + 4 * count


def _in_full(kind: int, numbers: list[float]) -> tuple[float, ...]:
    """The parameters of the most general kind, which the others are cases of."""
    gamma, a, b, c, d, e, f = (numbers + [0.0] * 7)[:7]
    if kind == 0:
        return gamma, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind == 1:
        return gamma, a, b, 0.0, -b / a, 0.0, 0.0
    if kind == 2:
        return gamma, a, b, 0.0, -b / a, c, c
    return gamma, a, b, c, d, e, f


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of outputs at evenly spaced points of its inputs, with straight lines between them."""

    sizes: tuple[int, ...]
    outputs: int
    points: array[float]

    def __call__(self, values: Sequence[float]) -> list[float]:
        lows, parts, strides = [], [], []
        stride = self.outputs * prod(self.sizes)
        for size, value in zip(self.sizes, values, strict=True):
            stride //= size
            place = min(max(value, 0.0), 1.0) * (size - 1)
            low = min(int(place), max(0, size - 2))
            lows.append(low * stride)
            strides.append(stride if size > 1 else 0)
            parts.append(place - low)
        base = sum(lows)
        result = [0.0] * self.outputs
        for corner in product((0, 1), repeat=len(parts)):
            weight = prod(part if side else 1 - part for side, part in zip(corner, parts, strict=True))
            if weight:
                at = base + sum(step for side, step in zip(corner, strides, strict=True) if side)
                for output in range(self.outputs):
                    result[output] += weight * self.points[at + output]
        return result


@dataclass(frozen=True, slots=True)
class Table:
    """A chain of stages; what leaves it is coded as its kind of table codes colours."""

    inputs: int
    stages: tuple[Callable[[Sequence[float]], Sequence[float]], ...]
    legacy: bool  # 16-bit tables of old: 100 % of lightness is 0xFF00

    def __call__(self, values: Sequence[float]) -> Sequence[float]:
        for stage in self.stages:
            values = stage(values)
        return values

    def lab(self, values: Sequence[float]) -> tuple[float, float, float]:
        """The outputs as L*, a*, b*."""
        full = 65535 / 65280 if self.legacy else 1.0
        lightness, a, b = values
        return lightness * 100 * full, a * 255 * full - 128, b * 255 * full - 128

    def xyz(self, values: Sequence[float]) -> tuple[float, float, float]:
        """The outputs as X, Y, Z."""
        x, y, z = (value * (1 + 32767 / 32768) for value in values)
        return x, y, z


def read_table(data: memoryview) -> Table:
    """An `mft1`, `mft2` or `mAB ` element; raises ValueError for others."""
    kind, inputs, outputs = bytes(data[:4]), data[8], data[9]
    if outputs != 3 or not 1 <= inputs <= 4:
        raise ValueError
    if kind == b"mAB ":
        return Table(inputs, tuple(_stages_of_new(data, inputs, outputs)), legacy=False)
    if kind not in (b"mft1", b"mft2"):
        raise ValueError
    return Table(inputs, tuple(_stages_of_old(data, inputs, outputs)), legacy=kind == b"mft2")


def _stages_of_old(
    data: memoryview, inputs: int, outputs: int
) -> Iterable[Callable[[Sequence[float]], Sequence[float]]]:
    wide = bytes(data[:4]) == b"mft2"
    entries = struct.unpack(">HH", data[48:52]) if wide else (256, 256)
    start = 52 if wide else 48
    counts = (inputs * entries[0], outputs * data[10] ** inputs, outputs * entries[1])
    numbers = _numbers(data, start, sum(counts), wide)
    yield _each(_curves(numbers[: counts[0]], inputs))
    yield Grid((data[10],) * inputs, outputs, numbers[counts[0] : counts[0] + counts[1]])
    yield _each(_curves(numbers[counts[0] + counts[1] :], outputs))


def _stages_of_new(
    data: memoryview, inputs: int, outputs: int
) -> Iterable[Callable[[Sequence[float]], Sequence[float]]]:
    b_at, matrix_at, m_at, grid_at, a_at = struct.unpack(">5I", data[12:32])
    if a_at:
        yield _each(_read_curves(data, a_at, inputs))
    if grid_at:
        sizes = tuple(data[grid_at : grid_at + inputs])
        count = outputs * prod(sizes)
        yield Grid(sizes, outputs, _numbers(data, grid_at + 20, count, data[grid_at + 16] == 2))
    if m_at:
        yield _each(_read_curves(data, m_at, outputs))
    if matrix_at:
        yield _matrix([value / 65536 for value in struct.unpack(">12i", data[matrix_at : matrix_at + 48])])
    if b_at:
        yield _each(_read_curves(data, b_at, outputs))


def _numbers(data: memoryview, start: int, count: int, wide: bool) -> array[float]:
    size = 2 if wide else 1
    if count > _MOST_NUMBERS or start + count * size > len(data):
        raise ValueError
    full = 65535 if wide else 255
    values = array("H" if wide else "B", bytes(data[start : start + count * size]))
    if wide and sys.byteorder == "little":
        values.byteswap()
    return array("f", (value / full for value in values))


def _curves(numbers: array[float], count: int) -> list[Curve]:
    length = len(numbers) // count
    return [_sampled(numbers[at * length : (at + 1) * length]) for at in range(count)]


def _read_curves(data: memoryview, at: int, count: int) -> list[Curve]:
    curves = []
    for _ in range(count):
        curve, length = read_curve(data[at:])
        curves.append(curve)
        at += (length + 3) // 4 * 4
    return curves


def _each(curves: list[Curve]) -> Callable[[Sequence[float]], Sequence[float]]:
    return lambda values: [curve(value) for curve, value in zip(curves, values, strict=True)]


def _matrix(numbers: list[float]) -> Callable[[Sequence[float]], Sequence[float]]:
    rows = [(numbers[at], numbers[at + 1], numbers[at + 2], numbers[9 + at // 3]) for at in (0, 3, 6)]
    return lambda v: [row[0] * v[0] + row[1] * v[1] + row[2] * v[2] + row[3] for row in rows]
