"""ICC profiles → functions from device values to sRGB; the WebAssembly build of Pillow has no littlecms.

Matrix profiles (sRGB, Display P3, Adobe RGB, ProPhoto), grey ones, and the table profiles of scanners and
presses are understood. The intent is the perceptual one, which for a matrix profile is relative colorimetry;
colours that sRGB does not have are clipped.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from imaging.icc_tables import Curve, Table, read_curve, read_table

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
