"""The color chunks of a PNG → an ICC profile, which is what the other formats contain.

cICP counts before iCCP, that before sRGB, and that before gAMA with cHRM (PNG, third edition, section 4.3).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping

from imaging.errors import UnreadableImage

PROFILE_LIMIT = 4 << 20  # bytes, packed and unpacked

Point = tuple[float, float]
Rows = list[list[float]]

_D65, _D50, _C = (0.3127, 0.3290), (0.3457, 0.3585), (0.310, 0.316)
_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
_NTSC = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
# By their number in ITU-T H.273: red, green, blue; white
_PRIMARIES: dict[int, tuple[tuple[Point, ...], Point]] = {
    1: (((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)), _D65),
    4: (((0.670, 0.330), (0.210, 0.710), (0.140, 0.080)), _C),
    5: (((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)), _D65),
    6: (_NTSC, _D65),
    7: (_NTSC, _D65),
    9: (((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), _D65),
    11: (_P3, (0.314, 0.351)),
    12: (_P3, _D65),
}
_HDR = {16: "PQ", 18: "HLG"}
_POINTS = 1024  # of a curve
_BRADFORD = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
_SRGB_GAMMA, _LIKE = 1 / 2.2, 0.05  # gAMA within this share of sRGB's stands for sRGB's own curve
_GAMMAS = (0.1, 10.0)


def profile_of(chunks: Mapping[bytes, bytes]) -> bytes | None:
    """The profile that the chunks (content by name) amount to; None for sRGB and for invalid content.

    Raises:
        UnreadableImage: The picture has a high dynamic range, which a JPEG cannot show.
    """
    if b"cICP" in chunks and (profile := _by_code_points(chunks[b"cICP"])):
        return profile
    if b"iCCP" in chunks and (profile := _embedded(chunks[b"iCCP"])):
        return profile
    if b"sRGB" in chunks or not (b"gAMA" in chunks and b"cHRM" in chunks):
        return None
    return _by_numbers(chunks[b"gAMA"], chunks[b"cHRM"])


def _embedded(data: bytes) -> bytes | None:
    """The profile in an iCCP chunk, inflated as far as it says it is long."""
    _, _, packed = data.partition(b"\0")
    try:
        profile = zlib.decompressobj().decompress(packed[1:], PROFILE_LIMIT)
    except zlib.error:
        return None
    return profile if 128 <= int.from_bytes(profile[:4], "big") <= len(profile) else None


def _by_code_points(data: bytes) -> bytes | None:
    """By the numbers of ITU-T H.273; None where they are unknown or are not those of RGB."""
    if len(data) != 4 or data[2] != 0:
        return None
    primaries, transfer, _, full_range = data
    if transfer in _HDR:
        raise UnreadableImage(
            f"The picture has a high dynamic range ({_HDR[transfer]}), which is not supported: "
            "send it in sRGB or Display P3."
        )
    if primaries not in _PRIMARIES or transfer not in _CURVES:
        return None
    curve = _CURVES[transfer]
    if full_range:
        return _profile(*_PRIMARIES[primaries], curve)
    return _profile(*_PRIMARIES[primaries], lambda value: curve(min(1.0, max(0.0, (value * 255 - 16) / 219))))


def _by_numbers(gama: bytes, chrm: bytes) -> bytes | None:
    if len(gama) != 4 or len(chrm) != 32:
        return None
    gamma = int.from_bytes(gama, "big") / 100_000
    numbers = [value / 100_000 for value in struct.unpack(">8I", chrm)]
    white, *primaries = zip(numbers[::2], numbers[1::2], strict=True)
    if not _GAMMAS[0] <= gamma <= _GAMMAS[1]:
        return None
    curve = _srgb if abs(gamma / _SRGB_GAMMA - 1) <= _LIKE else _power(1 / gamma)
    try:
        return _profile(tuple(primaries), white, curve)
    except (ZeroDivisionError, struct.error):  # no such colours
        return None


def _srgb(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _bt709(value: float) -> float:
    return value / 4.5 if value < 0.081 else float(((value + 0.099) / 1.099) ** (1 / 0.45))


def _power(exponent: float) -> Callable[[float], float]:
    return lambda value: float(value**exponent)


_CURVES: dict[int, Callable[[float], float]] = {
    **dict.fromkeys((1, 6, 14, 15), _bt709),
    4: _power(2.2),
    5: _power(2.8),
    8: _power(1.0),
    13: _srgb,
}


def _profile(primaries: tuple[Point, ...], white: Point, curve: Callable[[float], float]) -> bytes:
    """A matrix profile, adapted to D50 as profiles are."""
    columns = _transposed([_xyz(point) for point in primaries])
    scales = _times(_inverse(columns), [[part] for part in _xyz(white)])
    in_place = [[value * scales[k][0] for k, value in enumerate(row)] for row in columns]
    cones = [_times(_BRADFORD, [[part] for part in _xyz(point)]) for point in (_D50, white)]
    ratios = [[cones[0][i][0] / cones[1][i][0] if i == k else 0.0 for k in range(3)] for i in range(3)]
    adapted = _times(_times(_times(_inverse(_BRADFORD), ratios), _BRADFORD), in_place)
    levels = [round(65535 * curve(step / (_POINTS - 1))) for step in range(_POINTS)]
    tone = b"curv" + bytes(4) + struct.pack(f">I{_POINTS}H", _POINTS, *levels)
    elements = [tone] + [
        b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in column))
        for column in _transposed(adapted)
    ]
    names = [(b"rTRC", 0), (b"gTRC", 0), (b"bTRC", 0), (b"rXYZ", 1), (b"gXYZ", 2), (b"bXYZ", 3)]
    starts, at = [], 132 + 12 * len(names)
    for element in elements:
        starts.append(at)
        at += len(element)
    head = struct.pack(">I12x4s4s12x4s", at, b"RGB ", b"XYZ ", b"acsp").ljust(128, b"\0")
    head = head[:12] + b"mntr" + head[16:]
    table = b"".join(name + struct.pack(">II", starts[i], len(elements[i])) for name, i in names)
    return head + struct.pack(">I", len(names)) + table + b"".join(elements)


def _xyz(point: Point) -> list[float]:
    x, y = point
    return [x / y, 1.0, (1 - x - y) / y]


def _transposed(rows: Rows) -> Rows:
    return [list(column) for column in zip(*rows, strict=True)]


def _times(one: Rows, other: Rows) -> Rows:
    return [
        [sum(a * b for a, b in zip(row, column, strict=True)) for column in _transposed(other)] for row in one
    ]


def _inverse(m: Rows) -> Rows:
    """Of three rows of three, by Cramer's rule."""
    cofactors = [
        [
            m[(i + 1) % 3][(k + 1) % 3] * m[(i + 2) % 3][(k + 2) % 3]
            - m[(i + 1) % 3][(k + 2) % 3] * m[(i + 2) % 3][(k + 1) % 3]
            for i in range(3)
        ]
        for k in range(3)
    ]
    determinant = sum(m[0][k] * cofactors[k][0] for k in range(3))
    return [[value / determinant for value in row] for row in cofactors]
