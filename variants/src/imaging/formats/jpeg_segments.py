"""The segments of a JPEG: parsed strictly, and written anew for the decoder.

Nothing of a file's own headers reaches a decoder. IJG's libjpeg and libjpeg-turbo read odd ones differently
(fill bytes, short tables, block sizes), and a decoder that finds another size than the one
memory was allocated for writes past its end. The rules are those of ITU-T T.81, annex B.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.exif import orientation_of
from imaging.formats.raster import BROKEN
from imaging.geometry import Size

SOI, EOI, SOS, DQT, DHT, DAC, DRI, DNL = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xCC, 0xDD, 0xDC
APP0, APP1, APP2, ADOBE, COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
FRAMES = {*range(0xC0, 0xD0)} - {DHT, 0xC8, DAC}
RESTARTS = range(0xD0, 0xD8)
TABLES = {DQT, DHT, DAC, DRI}
METADATA = {*range(0xE0, 0xF0), COMMENT}

LONGEST_EDGE = 65_500  # of both decoders
_SUPPORTED = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}  # baseline, extended, progressive; the last two arithmetic
_PROGRESSIVE = {0xC2, 0xCA}
_ARITHMETIC = {0xC9, 0xCA}
_COEFFICIENTS = 64
_MOST_BLOCKS = 10  # of a unit of an interleaved scan
_DEEPEST = 13  # bits that a progressive scan may leave out
_DC_CONDITIONING, _AC_CONDITIONING = 0x10, 5  # T.81 F.1.4.4.1.4 and F.1.4.4.2.1
_MOST_PROFILE = 4 << 20


class Component(NamedTuple):
    """One component: its identifier in the file, its sampling against the others, its quantisation table."""

    name: int
    across: int
    down: int
    table: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The contents of a frame header (T.81, B.2.2)."""

    marker: int
    size: Size
    components: tuple[Component, ...]

    @property
    def progressive(self) -> bool:
        return self.marker in _PROGRESSIVE

    @property
    def arithmetic(self) -> bool:
        return self.marker in _ARITHMETIC

    @property
    def across(self) -> int:
        return max(part.across for part in self.components)

    @property
    def down(self) -> int:
        return max(part.down for part in self.components)

    def blocks(self, index: int) -> Size:
        """The number of blocks of a component across and down, in a scan of its own."""
        part = self.components[index]
        return Size(
            -(-self.size.width * part.across // (8 * self.across)),
            -(-self.size.height * part.down // (8 * self.down)),
        )

    def units(self, parts: tuple[int, ...]) -> int:
        """The number of minimum coded units in a scan of these components."""
        if len(parts) == 1:
            across, down = self.blocks(parts[0])
        else:
            across = -(-self.size.width // (8 * self.across))
            down = -(-self.size.height // (8 * self.down))
        return across * down

    def work(self, parts: tuple[int, ...]) -> int:
        """The number of blocks that a scan of these components visits."""
        each = sum(self.components[part].across * self.components[part].down for part in parts)
        return self.units(parts) * (each if len(parts) > 1 else 1)


@dataclass(frozen=True, slots=True)
class Scan:
    """The contents of a scan header: indices of components, and the DC and AC table of each."""

    parts: tuple[int, ...]
    tables: tuple[tuple[int, int], ...]
    first: int
    last: int
    high: int
    low: int

    @property
    def refines(self) -> bool:
        return self.high > 0


def coefficient_arrays(size: Size, components: Sequence[Component]) -> list[int]:
    """Bytes of the array that a decoder keeps for each component of a picture in several scans."""
    across, down = max(part.across for part in components), max(part.down for part in components)
    arrays = []
    for part in components:
        wide = -(-size.width * part.across // (8 * across))
        high = -(-size.height * part.down // (8 * down))
        arrays.append((wide + part.across) * (high + part.down) * 128)
    return arrays


def parse_frame(marker: int, data: bytes) -> Frame:
    """Parse the contents of a frame header.

    Raises:
        UnreadableImage: It is damaged, or of a process that is not supported.
        TooLarge: An edge is longer than LONGEST_EDGE.
    """
    if marker not in _SUPPORTED or not data or data[0] != 8:
        raise UnreadableImage("The picture cannot be read: only 8-bit JPEG with lossy coding is supported.")
    if len(data) < 6 or len(data) != 6 + 3 * data[5] or data[5] not in (1, 3, 4):
        raise UnreadableImage(BROKEN)
    size = Size(int.from_bytes(data[3:5], "big"), int.from_bytes(data[1:3], "big"))
    parts = [data[at : at + 3] for at in range(6, len(data), 3)]
    components = tuple(Component(part[0], part[1] >> 4, part[1] & 15, part[2]) for part in parts)
    if min(size) < 1 or any(part.table > 3 for part in components):
        raise UnreadableImage(BROKEN)
    if any(not (1 <= part.across <= 4 and 1 <= part.down <= 4) for part in components):
        raise UnreadableImage(BROKEN)
    if max(size) > LONGEST_EDGE:
        raise TooLarge(
            f"The JPEG has {size.width} × {size.height} pixels; the limit for an edge is {LONGEST_EDGE:,}."
        )
    if len(components) == 1:  # sampling is relative, so it has no meaning here
        components = (components[0]._replace(across=1, down=1),)
    frame = Frame(marker, size, components)
    if any(frame.across % part.across or frame.down % part.down for part in components):
        raise UnreadableImage("The picture cannot be read: its JPEG sampling is not supported.")
    return frame


def parse_scan(data: bytes, frame: Frame) -> Scan:
    """Parse the contents of a scan header, and check them against its frame.

    Raises:
        UnreadableImage: It is damaged.
    """
    count = data[0] if data else 0
    if not 1 <= count <= len(frame.components) or len(data) != 4 + 2 * count:
        raise UnreadableImage(BROKEN)
    parts = _parts([data[1 + 2 * at] for at in range(count)], frame)
    tables = tuple((data[2 + 2 * at] >> 4, data[2 + 2 * at] & 15) for at in range(count))
    first, last, bits = data[-3:]
    scan = Scan(parts, tables, first, last, bits >> 4, bits & 15)
    each = sum(frame.components[part].across * frame.components[part].down for part in parts)
    if (count > 1 and each > _MOST_BLOCKS) or not _spectrum_is_valid(scan, frame.progressive):
        raise UnreadableImage(BROKEN)
    return scan


def _parts(names: list[int], frame: Frame) -> tuple[int, ...]:
    known = [part.name for part in frame.components]
    if names == known:
        return tuple(range(len(known)))
    if len(set(known)) < len(known) or len(set(names)) < len(names) or not {*names} <= {*known}:
        raise UnreadableImage(BROKEN)
    return tuple(known.index(name) for name in names)


def _spectrum_is_valid(scan: Scan, progressive: bool) -> bool:
    if not progressive:
        return (scan.first, scan.last, scan.high, scan.low) == (0, 63, 0, 0)
    if scan.low > _DEEPEST or (scan.high and scan.low != scan.high - 1):
        return False
    if scan.first == 0:
        return scan.last == 0
    return scan.first <= scan.last < _COEFFICIENTS and len(scan.parts) == 1


class Tables:
    """The tables and the restart interval in effect."""

    def __init__(self) -> None:
        self._quantisation: dict[int, bytes] = {}
        self._huffman: dict[int, bytes] = {}
        self._conditioning: dict[int, int] = {}
        self.interval = 0

    def parse(self, marker: int, data: bytes) -> None:
        """Parse the tables of one DQT, DHT, DAC or DRI segment.

        Raises:
            UnreadableImage: They are damaged.
        """
        if marker == DQT:
            self._parse_quantisation(data)
        elif marker == DHT:
            self._parse_huffman(data)
        elif marker == DAC:
            self._parse_conditioning(data)
        elif len(data) == 2:
            self.interval = int.from_bytes(data, "big")
        else:
            raise UnreadableImage(BROKEN)

    def _parse_quantisation(self, data: bytes) -> None:
        def length(at: int) -> int:
            return 1 + (_COEFFICIENTS << (data[at] >> 4))

        for table in _tables(data, length):
            if table[0] >> 4 > 1 or table[0] & 15 > 3:
                raise UnreadableImage(BROKEN)
            self._quantisation[table[0] & 15] = table

    def _parse_huffman(self, data: bytes) -> None:
        def length(at: int) -> int:
            return 17 + sum(data[at + 1 : at + 17])

        for table in _tables(data, length):
            if table[0] >> 4 > 1 or table[0] & 15 > 3 or len(table) > 17 + 256:
                raise UnreadableImage(BROKEN)
            self._huffman[table[0]] = table

    def _parse_conditioning(self, data: bytes) -> None:
        for place, value in _tables(data, lambda _: 2):
            alternating = place >> 4
            valid = 1 <= value <= 63 if alternating else value & 15 <= value >> 4
            if alternating > 1 or place & 15 > 3 or not valid:
                raise UnreadableImage(BROKEN)
            self._conditioning[place] = value

    def with_direct(self, table: bytes) -> Tables:
        """A copy with another first DC table and without restarts."""
        other = Tables()
        other._quantisation = self._quantisation
        other._huffman = {**self._huffman, 0: table}
        return other

    def quantisation(self, place: int) -> bytes:
        """A DQT segment's contents for one table."""
        table = self._quantisation.get(place)
        if table is None:
            raise UnreadableImage(BROKEN)
        return table

    def huffman(self, place: int) -> bytes:
        """A DHT segment's contents for one table: its place, how many codes of each length, the symbols."""
        table = self._huffman.get(place)
        if table is None or not _is_usable(table):
            raise UnreadableImage(BROKEN)
        return table

    def conditioning(self, place: int) -> bytes:
        """A DAC segment's contents for one table."""
        value = self._conditioning.get(place, _AC_CONDITIONING if place >> 4 else _DC_CONDITIONING)
        return bytes([place, value])


def _tables(data: bytes, length: Callable[[int], int]) -> Iterator[bytes]:
    """The tables of a segment, each for a different place."""
    at, places = 0, set()
    while at < len(data):
        table = data[at : at + length(at)]
        if len(table) < length(at) or table[0] in places:
            raise UnreadableImage(BROKEN)
        places.add(table[0])
        yield table
        at += len(table)


def needed_tables(scan: Scan, frame: Frame) -> list[int]:
    """The places (16 and more: AC) of the entropy coding tables that a scan uses."""
    places = []
    for direct, alternating in scan.tables:
        # Refinement scans of DC store plain bits.
        if scan.first == 0 and (frame.arithmetic or not scan.refines):
            places.append(direct)
        if scan.last > 0:
            places.append(16 + alternating)
    if any(place & 15 > 3 for place in places):
        raise UnreadableImage(BROKEN)
    return [*dict.fromkeys(places)]


def _is_usable(table: bytes) -> bool:
    """Whether the codes fit into their lengths, none of them all ones, and DC's symbols are lengths."""
    code = 0
    for length, count in enumerate(table[1:17], 1):
        code += count
        if count and code >= 1 << length:
            return False
        code <<= 1
    return table[0] >= 16 or all(symbol <= 15 for symbol in table[17:])


def segment(marker: int, data: bytes) -> bytes:
    """A marker with its contents."""
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data


def written_frame(frame: Frame, names: tuple[int, ...]) -> bytes:
    """The frame header with other component identifiers."""
    size = frame.size.height.to_bytes(2, "big") + frame.size.width.to_bytes(2, "big")
    parts = (
        bytes([name, part.across << 4 | part.down, part.table])
        for name, part in zip(names, frame.components, strict=True)
    )
    return segment(frame.marker, b"\x08" + size + bytes([len(frame.components)]) + b"".join(parts))


def written_scan(scan: Scan, frame: Frame, names: tuple[int, ...]) -> bytes:
    """The scan header; the numbers of unused tables are 0."""
    direct, alternating = scan.first == 0 and (frame.arithmetic or not scan.refines), scan.last > 0
    parts = (
        bytes([names[part], (dc if direct else 0) << 4 | (ac if alternating else 0)])
        for part, (dc, ac) in zip(scan.parts, scan.tables, strict=True)
    )
    spectrum = bytes([scan.first, scan.last, scan.high << 4 | scan.low])
    return segment(SOS, bytes([len(scan.parts)]) + b"".join(parts) + spectrum)


class Coding(StrEnum):
    """The colors of the components, as Pillow names them to a decoder."""

    GREY = "L"
    YCC = "YCbCr"
    RGB = "RGB"
    CMYK = "CMYK"
    YCCK = "YCbCrK"


class Metadata:
    """The orientation, the ICC profile and the color coding, collected from APPn segments."""

    def __init__(self) -> None:
        self._jfif = False
        self._adobe: int | None = None
        self._exif: bytes | None = None
        self._profile: dict[int, bytes] = {}

    def add(self, marker: int, data: bytes) -> None:
        """Keep what is needed of one segment."""
        if marker == APP0 and data.startswith(b"JFIF\0") and len(data) >= 14:
            self._jfif = True
        elif marker == APP1 and data.startswith(b"Exif\0\0") and self._exif is None:
            self._exif = data
        elif marker == APP2 and data.startswith(b"ICC_PROFILE\0") and len(data) > 14:
            if sum(map(len, self._profile.values())) < _MOST_PROFILE:
                self._profile.setdefault(data[12], data[14:])
        elif marker == ADOBE and data.startswith(b"Adobe") and len(data) >= 12:
            self._adobe = data[11]

    @property
    def orientation(self) -> int:
        """By the first EXIF block, 1-8."""
        return orientation_of(self._exif) if self._exif else 1

    @property
    def profile(self) -> bytes | None:
        """The first ICC profile, joined from its segments, or None."""
        return b"".join(self._profile[key] for key in sorted(self._profile)) or None

    def coding(self, components: tuple[Component, ...]) -> Coding:
        """The coding of these components by the rules of libjpeg-turbo, which browsers follow."""
        if len(components) == 1:
            return Coding.GREY
        if len(components) == 4:
            return Coding.CMYK if self._adobe in (None, 0) else Coding.YCCK
        if self._jfif:
            return Coding.YCC
        if self._adobe is not None:
            return Coding.RGB if self._adobe == 0 else Coding.YCC
        return Coding.RGB if tuple(part.name for part in components) == tuple(b"RGB") else Coding.YCC
