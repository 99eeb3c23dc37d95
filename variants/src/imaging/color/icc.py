"""ICC profiles → functions from device values to sRGB; the WebAssembly build of Pillow has no littlecms.

Matrix profiles (sRGB, Display P3, Adobe RGB, ProPhoto), grey ones, and the table profiles of scanners and
presses are understood. The intent is the perceptual one, which for a matrix profile is relative colorimetry;
colours that sRGB does not have are clipped.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

Triple = tuple[float, float, float]
Transform = Callable[[Sequence[float]], Triple]

_WHITE = (0.9642, 1.0, 0.8249)  # D50, the profile connection space's
# Bradford-adapted: XYZ under D50 → linear sRGB
_TO_SRGB = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)
_INKS = {b"RGB ": 3, b"GRAY": 1, b"CMYK": 4}
_XYZ_TYPES = (b"XYZ ", b"\x17\xa5\x05\xb8")  # the second in profiles that Corbis made
Curve = Callable[[float], float]
_MOST_POINTS = 1 << 15  # of a curve; profiles have 4096 at most
_MOST_NUMBERS = 1 << 20  # of a table; 23 points along each of a press's four axes are 840,000


@dataclass(frozen=True, slots=True)
class Profile:
    """`channels` device values, each 0-1, go through `transform` and become sRGB, each 0-1."""

    channels: int
    transform: Transform


def read_profile(data: bytes) -> Profile | None:
    """The profile, or None when it is damaged or of a kind that is not understood."""
    try:
        return _read(data)
    except (struct.error, ValueError, KeyError, IndexError, ZeroDivisionError, OverflowError):
        return None


def _read(data: bytes) -> Profile | None:
    if data[36:40] != b"acsp" or data[16:20] not in _INKS or data[20:24] not in (b"XYZ ", b"Lab "):
        return None
    channels = _INKS[data[16:20]]
    tags = _tags(data)
    if b"A2B0" in tags:
        table = read_table(tags[b"A2B0"])
        if table.inputs != channels:
            return None
        return Profile(channels, _by_table(table, data[20:24] == b"Lab "))
    if channels == 3:
        return Profile(3, _by_matrix(tags))
    if channels == 1:
        return Profile(1, _by_curve(read_curve(tags[b"kTRC"])[0], data[20:24] == b"Lab "))
    return None


def _tags(data: bytes) -> dict[bytes, memoryview]:
    """The elements by name, not copied: any number of names may stand for the same bytes."""
    whole = memoryview(data)
    [count] = struct.unpack(">I", data[128:132])
    entries = (
        struct.unpack(">4sII", data[at : at + 12]) for at in range(132, 132 + 12 * min(count, 100), 12)
    )
    return {name: whole[offset : offset + length] for name, offset, length in entries}


def _by_matrix(tags: dict[bytes, memoryview]) -> Transform:
    curves = [read_curve(tags[name])[0] for name in (b"rTRC", b"gTRC", b"bTRC")]
    colorants = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    rows = [[sum(_TO_SRGB[i][k] * colorant[k] for k in range(3)) for colorant in colorants] for i in range(3)]

    def transform(device: Sequence[float]) -> Triple:
        r, g, b = (curve(value) for curve, value in zip(curves, device, strict=True))
        linear = (row[0] * r + row[1] * g + row[2] * b for row in rows)
        return _three(encoded(value) for value in linear)

    return transform


def _by_curve(curve: Curve, lab: bool) -> Transform:
    """The curve's values are linear light, or L* where Lab is the connection space (ICC.1:2022, F.2)."""

    def transform(device: Sequence[float]) -> Triple:
        value = curve(device[0])
        level = encoded(lab_to_xyz(100 * value, 0, 0)[1] if lab else value)
        return level, level, level

    return transform


def _by_table(table: Table, lab: bool) -> Transform:
    def transform(device: Sequence[float]) -> Triple:
        x, y, z = table.lab(table(device)) if lab else table.xyz(table(device))
        if lab:
            x, y, z = lab_to_xyz(x, y, z)
        return xyz_to_srgb(x, y, z)

    return transform


def _xyz(data: memoryview) -> Triple:
    if bytes(data[:4]) not in _XYZ_TYPES:
        raise ValueError
    return _three(value / 65536 for value in struct.unpack(">3i", data[8:20]))


def lab_to_xyz(lightness: float, a: float, b: float) -> Triple:
    """CIE L*a*b* under D50 → XYZ."""
    middle = (lightness + 16) / 116
    scaled = (middle + a / 500, middle, middle - b / 200)
    return _three(
        white * (value**3 if value > 6 / 29 else 3 * (6 / 29) ** 2 * (value - 4 / 29))
        for white, value in zip(_WHITE, scaled, strict=True)
    )


def xyz_to_srgb(x: float, y: float, z: float) -> Triple:
    """XYZ under D50 → sRGB, each 0-1, clipped."""
    return _three(encoded(row[0] * x + row[1] * y + row[2] * z) for row in _TO_SRGB)


def encoded(linear: float) -> float:
    """Linear light → sRGB's curve, clipped to 0-1."""
    if linear <= 0.0031308:
        return max(0.0, linear * 12.92)
    return min(1.0, 1.055 * float(linear ** (1 / 2.4)) - 0.055)


def _three(values: Iterable[float]) -> Triple:
    x, y, z = values
    return x, y, z


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
    gamma, a, b, c, d, e, f = _general_parameters(kind, numbers)

    def curve(value: float) -> float:
        return max(0.0, a * value + b) ** gamma + e if value >= d else c * value + f

    return curve, 12 + 4 * count


def _general_parameters(kind: int, numbers: list[float]) -> tuple[float, ...]:
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
    """A chain of stages; its output has the encoding of its kind of table."""

    inputs: int
    stages: tuple[Callable[[Sequence[float]], Sequence[float]], ...]
    legacy: bool  # the older 16-bit encoding, where 100 % of lightness is 0xFF00

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
        return Table(inputs, tuple(_stages_of_mab(data, inputs, outputs)), legacy=False)
    if kind not in (b"mft1", b"mft2"):
        raise ValueError
    return Table(inputs, tuple(_stages_of_mft(data, inputs, outputs)), legacy=kind == b"mft2")


def _stages_of_mft(
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


def _stages_of_mab(
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
