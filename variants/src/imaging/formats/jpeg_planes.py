"""One component of a progressive JPEG as a grey JPEG of its own, so that only its coefficients are in memory.

Scans of higher frequencies have one component each, and are passed on or left out. Only the scans of the
lowest frequency, DC, are interleaved: they are separated here, and written with another Huffman table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from operator import sub
from typing import TypeVar

from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.jpeg_segments import Coding, Frame, Scan, Tables
from imaging.formats.jpeg_writer import JpegWriter
from imaging.formats.raster import BROKEN
from imaging.geometry import Size
from imaging.source import CUT_SHORT

Key = TypeVar("Key")
Value = TypeVar("Value")
MOST_INTERLEAVED = 4  # scans, of which two are usual; a million blocks take up to a second in WebAssembly
_STEP = 1 << 15  # bytes of a scan that are converted to binary digits at once
_LONGEST = 31 * 10  # digits of a unit: ten blocks, a code of 16 bits and a difference of 15 each
_MANY = 8  # units of one match
_MOST_CACHED = 1 << 12
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
# Four digits each for the lengths 0 to 14; a code of all ones is not allowed.
_OWN_TABLE = bytes([0, 0, 0, 0, 15, *[0] * 12, *range(15)])


def plane_of(frame: Frame, part: int) -> Frame:
    """The frame of one component alone."""
    component = frame.components[part]
    size = Size(
        -(-frame.size.width * component.across // frame.across),
        -(-frame.size.height * component.down // frame.down),
    )
    return replace(frame, size=size, components=(component._replace(across=1, down=1),))


class PlaneWriter(JpegWriter):
    """Writes one component and leaves out the others.

    `direct` is shared by the writers of all components: the first one separates interleaved scans for all.
    """

    def __init__(self, frame: Frame, part: int, direct: dict[tuple[int, int], bytes]) -> None:
        super().__init__(plane_of(frame, part), Coding.GREY)
        self._whole = frame
        self._part = part
        self._kept = direct
        self._number = 0  # of the interleaved scan
        self._wanted = False
        self._reading: _DirectScan | None = None

    def scan(self, scan: Scan, tables: Tables) -> bytes:
        """The end of the previous scan, and the scan's header."""
        before = self.finish()
        interleaved = len(scan.parts) > 1
        self._wanted = scan.parts == (self._part,)
        self._number += interleaved
        if self._number > MOST_INTERLEAVED:
            raise TooLarge(
                f"The picture has {self._whole.size.width} × {self._whole.size.height} pixels in many scans; "
                f"the limit for a progressive JPEG of this size is {MOST_INTERLEAVED} interleaved ones."
            )
        if interleaved and (self._number, scan.parts[0]) not in self._kept:
            self._reading = _DirectScan(self._whole, scan, tables)
        if self._part not in scan.parts:
            return before
        alone = replace(scan, parts=(0,), tables=(scan.tables[scan.parts.index(self._part)],))
        if interleaved:
            tables, alone = tables.with_direct(_OWN_TABLE), replace(alone, tables=((0, 0),))
        kept = self._kept.get((self._number, self._part), b"") if interleaved else b""
        return before + super().scan(alone, tables) + kept

    def data(self, piece: bytes) -> bytes:
        """The component's part of it."""
        if self._reading:
            self._reading.feed(piece)
            return self._reading.taken(self._part)
        return piece if self._wanted else b""

    def finish(self) -> bytes:
        """The rest of an interleaved scan."""
        reading, self._reading = self._reading, None
        if not reading:
            return b""
        reading.finish()
        for part in reading.parts:
            if part != self._part:
                self._kept[self._number, part] = reading.taken(part)
        self._kept.setdefault((self._number, reading.parts[0]), b"")
        return reading.taken(self._part)


class _DirectScan:
    """An interleaved scan of DC → the same of each component, row by row of its blocks."""

    def __init__(self, frame: Frame, scan: Scan, tables: Tables) -> None:
        self.parts = scan.parts
        self._across = -(-frame.size.width // (8 * frame.across))
        self._left = frame.units(scan.parts)
        self._interval = tables.interval or self._left
        self._left_of_interval = min(self._interval, self._left)
        counts = [frame.components[part].across * frame.components[part].down for part in scan.parts]
        self._each = sum(counts)
        codes = [{} if scan.refines else _codes(tables.huffman(direct)) for direct, _ in scan.tables]
        self._one = self._many = None
        if not scan.refines:
            unit = "".join(_blocks(*each) for each in zip(codes, counts, strict=True))
            self._one, self._many = re.compile(unit), re.compile(unit * _MANY)
        self._lanes = {
            part: _Lane(frame, part, codes[at], sum(counts[:at]), self._each)
            for at, part in enumerate(scan.parts)
        }
        self._digits = ""
        self._found: list[str] = []  # since the last restart or row

    def feed(self, piece: bytes) -> None:
        """Read a piece of the scan's data."""
        at = 0
        for restart in _RESTART.finditer(piece):
            self._read(piece[at : restart.start()])
            self._restart()
            at = restart.end()
        self._read(piece[at:])

    def finish(self) -> None:
        """Read the rest; raises UnreadableImage when blocks are missing."""
        self._match(0)
        if self._left:
            raise UnreadableImage(CUT_SHORT)
        for lane in self._lanes.values():
            lane.fill()

    def taken(self, part: int) -> bytes:
        """The finished data of a component, each byte once."""
        return self._lanes[part].taken() if part in self._lanes else b""

    def _read(self, data: bytes) -> None:
        data = data.replace(b"\xff\0", b"\xff")
        for start in range(0, len(data), _STEP):
            part = data[start : start + _STEP]
            self._digits += f"{int.from_bytes(part, 'big'):0{8 * len(part)}b}"
            self._match(_LONGEST * _MANY)

    def _restart(self) -> None:
        self._match(0)
        if self._left_of_interval:
            raise UnreadableImage(BROKEN)
        self._pass_on()
        for lane in self._lanes.values():
            lane.restart()
        self._digits, self._left_of_interval = "", min(self._interval, self._left)

    def _match(self, spare: int) -> None:
        """Read all units except those that may reach into the last `spare` digits."""
        at, end = 0, len(self._digits) - spare
        while at < end and self._left_of_interval:
            most = min(self._left_of_interval, (self._left - 1) % self._across + 1)
            count, at = self._units(at, most)
            self._left -= count
            self._left_of_interval -= count
            if self._left % self._across == 0:
                self._pass_on()
                for lane in self._lanes.values():
                    lane.write_row()
        self._digits = self._digits[at:] if self._left_of_interval else ""

    def _units(self, at: int, most: int) -> tuple[int, int]:
        """Read up to `most` units that begin at digit `at`; return their number and their end."""
        if not self._one or not self._many:
            count = min(most, (len(self._digits) - at) // self._each)
            if not count:
                raise UnreadableImage(CUT_SHORT)
            self._found += self._digits[at : at + count * self._each]
            return count, at + count * self._each
        many = most >= _MANY and self._many.match(self._digits, at)
        found = many or self._one.match(self._digits, at)
        if not found:
            raise UnreadableImage(BROKEN)
        self._found += found.groups()
        return _MANY if many else 1, found.end()

    def _pass_on(self) -> None:
        for lane in self._lanes.values():
            lane.take(self._found)
        self._found.clear()


class _Lane:
    """One component of an interleaved scan."""

    def __init__(self, frame: Frame, part: int, codes: dict[str, int], first: int, each: int) -> None:
        component = frame.components[part]
        self._across, self._down = component.across, component.down
        self._blocks = frame.blocks(part)
        self._units_across = -(-frame.size.width // (8 * frame.across))
        self._places = [slice(first + place, None, each) for place in range(self._across * self._down)]
        self._refines = not codes
        self._differences: _Cached[str, int] = _Cached(lambda digits: _difference(digits, codes))
        self._own_codes: _Cached[int, str] = _Cached(_own_code)
        self._levels: list[list[int]] = [[] for _ in self._places]  # by the block's place in the unit
        self._level = self._before = 0
        self._digits: list[str] = []
        self._bytes = bytearray()

    def take(self, found: list[str]) -> None:
        """Convert the digits of whole units to levels, which are stored as differences."""
        each = len(self._places)
        digits = [""] * (len(found[self._places[0]]) * each)
        for place, part in enumerate(self._places):
            digits[place::each] = found[part]
        if self._refines:
            levels = [*map(int, digits)]
        else:
            differences = map(self._differences.__getitem__, digits)
            levels = [*accumulate(differences, initial=self._level)][1:]
            self._level = levels[-1] if levels else self._level
        for place, row in enumerate(self._levels):
            row += levels[place::each]

    def restart(self) -> None:
        """The next level is stored as the difference to 0."""
        self._level = 0

    def write_row(self) -> None:
        """Write the blocks of a row of units, without those beyond the picture's edges."""
        for line in range(min(self._down, self._blocks.height)):
            row = [0] * (self._units_across * self._across)
            for column in range(self._across):
                row[column :: self._across] = self._levels[line * self._across + column]
            row = row[: self._blocks.width]
            if self._refines:
                self._digits.append("".join(map(str, row)))
            else:
                differences = map(sub, row, [self._before, *row])
                self._digits.append("".join(map(self._own_codes.__getitem__, differences)))
                self._before = row[-1]
        self._blocks = self._blocks._replace(height=max(0, self._blocks.height - self._down))
        for levels in self._levels:
            levels.clear()
        self._pack()

    def fill(self) -> None:
        """Fill the last byte with ones."""
        self._digits.append("1" * (-sum(map(len, self._digits)) % 8))

    def taken(self) -> bytes:
        """The complete bytes, each once."""
        self._pack()
        taken, self._bytes = bytes(self._bytes), bytearray()
        return taken

    def _pack(self) -> None:
        digits = "".join(self._digits)
        whole = len(digits) // 8 * 8
        self._digits = [digits[whole:]]
        self._bytes += int(digits[:whole] or "0", 2).to_bytes(whole // 8, "big").replace(b"\xff", b"\xff\0")


class _Cached(dict[Key, Value]):
    """A function whose latest results are cached."""

    def __init__(self, function: Callable[[Key], Value]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, key: Key) -> Value:
        if len(self) >= _MOST_CACHED:
            self.clear()
        self[key] = value = self._function(key)
        return value


def _blocks(codes: dict[str, int], count: int) -> str:
    """A pattern for the digits of a unit's blocks of one component."""
    return ("(" + "|".join(f"{code}.{{{length}}}" for code, length in codes.items()) + ")") * count


def _codes(table: bytes) -> dict[str, int]:
    """The codes of a DC table, as digits: how many digits of the difference follow."""
    codes, code, at = {}, 0, 17
    for length, count in enumerate(table[1:17], 1):
        for symbol in table[at : at + count]:
            codes[f"{code:0{length}b}"] = symbol
            code += 1
        at += count
        code <<= 1
    return codes


def _difference(digits: str, codes: dict[str, int]) -> int:
    end = next(end for end in range(1, len(digits) + 1) if digits[:end] in codes)
    length = len(digits) - end
    value = int(digits[end:] or "0", 2)
    return value if length == 0 or digits[end] == "1" else value - (1 << length) + 1


def _own_code(difference: int) -> str:
    length = abs(difference).bit_length()
    if length > 14:
        raise UnreadableImage(BROKEN)
    value = difference if difference > 0 else difference + (1 << length) - 1
    return f"{length:04b}" + (f"{value:0{length}b}" if length else "")
