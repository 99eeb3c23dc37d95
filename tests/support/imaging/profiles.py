"""ICC profiles, built from the published numbers of their colour spaces."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

Matrix = list[list[float]]
D65, D50 = (0.3127, 0.3290), (0.3457, 0.3585)
# Chromaticities of red, green and blue; white; gamma
SPACES = {
    "Display P3": (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), D65, None),
    "Adobe RGB": (((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), D65, 2.19921875),
    "ProPhoto RGB": (((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), D50, 1.8),
    "sRGB": (((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), D65, None),
}
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def matrix_profile(name: str) -> bytes:
    """A display profile: three colorants and a tone curve; no gamma means sRGB's curve."""
    primaries, white, gamma = SPACES[name]
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white_xyz = _xyz(white)
    colorants = _adapted(white_xyz) @ (columns * np.linalg.solve(columns, white_xyz))
    curve = _para_srgb() if gamma is None else b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    tags = {b"wtpt": _xyz_element(_xyz(D50))}
    for index, channel in enumerate((b"r", b"g", b"b")):
        tags[channel + b"XYZ"] = _xyz_element(colorants[:, index])
        tags[channel + b"TRC"] = curve
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def grey_profile(gamma: float, connection: bytes = b"XYZ ") -> bytes:
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    return _profile(b"mntr", b"GRAY", connection, {b"wtpt": _xyz_element(_xyz(D50)), b"kTRC": curve})


def of_the_old_xyz_type(profile: bytes) -> bytes:
    """The profile with its colorants tagged as Corbis's profiles tag them."""
    head = 132 + 12 * int.from_bytes(profile[128:132], "big")
    return profile[:head] + profile[head:].replace(b"XYZ \0\0\0\0", b"\x17\xa5\x05\xb8\0\0\0\0")


def with_swapped_primaries(profile: bytes) -> bytes:
    """The profile with red's numbers for blue and blue's for red, so that a wrong conversion is seen."""
    head = 132 + 12 * int.from_bytes(profile[128:132], "big")
    names = profile[:head].replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
    return names + profile[head:]


def table_profile(
    space: bytes, lab: Callable[[Sequence[float]], Sequence[float]], *, grid: int = 9, wide: bool = True
) -> bytes:
    """A scanner's or a press's profile: a table from device values to L*, a*, b*, of 16 or 8 bits."""
    inputs = {b"RGB ": 3, b"CMYK": 4}[space]
    points = [lab([value / (grid - 1) for value in corner]) for corner in product(range(grid), repeat=inputs)]
    head = bytes(4) + bytes([inputs, 3, grid, 0]) + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    if wide:
        numbers = [(L * 652.8, (a + 128) * 256, (b + 128) * 256) for L, a, b in points]
        body = struct.pack(">HH", 2, 2) + struct.pack(">2H", 0, 65535) * inputs
        body += b"".join(struct.pack(">3H", *(min(65535, max(0, round(n))) for n in row)) for row in numbers)
        table = b"mft2" + head + body + struct.pack(">2H", 0, 65535) * 3
    else:
        rows = [(L * 2.55, a + 128, b + 128) for L, a, b in points]
        body = bytes(range(256)) * inputs
        body += b"".join(bytes(min(255, max(0, round(n))) for n in row) for row in rows)
        table = b"mft1" + head + body + bytes(range(256)) * 3
    device = b"prtr" if inputs == 4 else b"scnr"
    return _profile(device, space, b"Lab ", {b"wtpt": _xyz_element(_xyz(D50)), b"A2B0": table})


def _xyz(chromaticity: tuple[float, float]) -> np.ndarray:
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _adapted(white: np.ndarray) -> np.ndarray:
    cones = (_BRADFORD @ _xyz(D50)) / (_BRADFORD @ white)
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD)


def _xyz_element(values: Sequence[float] | np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _para_srgb() -> bytes:
    numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *(round(number * 65536) for number in numbers))


def _profile(device: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = {b"desc": text, b"cprt": b"text" + bytes(4) + b"none\0", **tags}
    offset = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    version = 0x04200000 if b"para" in body else 0x02400000
    header = struct.pack(
        ">I4sI4s4s4s12s4s4s", 0, b"none", version, device, space, connection, bytes(12), b"acsp", b"none"
    )
    header += bytes(24) + struct.pack(">I3i", 0, 63190, 65536, 54061)
    header = header.ljust(128, b"\0")
    data = header + table + body
    return struct.pack(">I", len(data)) + data[4:]
