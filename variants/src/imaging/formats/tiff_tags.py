"""The first directory of a TIFF or BigTIFF: where each tag's value is; a value is read when it is asked for.

TIFF 6.0, section 2; BigTIFF as libtiff defines it. Other directories are never read, so cycles of them
do no harm.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.raster import BROKEN
from imaging.source import CUT_SHORT

MOST_ENTRIES = 4096  # usual files have fewer than a hundred
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_REALS = {5: ("II", 8), 10: ("ii", 8), 11: ("f", 4), 12: ("d", 8)}
_BYTES = (1, 2, 6, 7)


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: the code of its type, how many values it has, and where in the file they begin."""

    kind: int
    count: int
    at: int


class Directory:
    """The tags of a file, read from `data` on demand. `order` is "<" or ">", as `struct` writes it."""

    def __init__(self, data: memoryview, order: str, entries: dict[int, Entry]) -> None:
        self._data = data
        self._entries = entries
        self.order = order

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def count(self, tag: int) -> int:
        """How many values the tag says it has."""
        return self._entries[tag].count if tag in self._entries else 0

    def number(self, tag: int, default: int) -> int:
        """The first integer of a tag; the default where the tag is missing or holds none."""
        values = self.numbers(tag, 1)
        return values[0] if values else default

    def numbers(self, tag: int, most: int) -> tuple[int, ...]:
        """The first integers of a tag, at most so many; none where it holds no integers.

        Raises:
            UnreadableImage: the values reach past the end of the file.
        """
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _INTEGERS:
            return ()
        wanted = struct.Struct(f"{self.order}{min(entry.count, most)}{_INTEGERS[entry.kind]}")
        if entry.at + wanted.size > len(self._data):
            raise UnreadableImage(CUT_SHORT)
        return wanted.unpack_from(self._data, entry.at)

    def reals(self, tag: int, wanted: int) -> tuple[float, ...]:
        """Exactly so many fractions or floating point numbers; none where the tag does not hold them."""
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _REALS or entry.count < wanted:
            return ()
        code, length = _REALS[entry.kind]
        if entry.at + wanted * length > len(self._data):
            return ()
        parts = struct.unpack_from(self.order + code * wanted, self._data, entry.at)
        if len(code) == 1:
            return parts
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return tuple(above / below if below else 0.0 for above, below in pairs)

    def content(self, tag: int, most: int) -> bytes | None:
        """A tag of bytes; None where it is missing, longer than `most`, or past the end of the file."""
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _BYTES or not 0 < entry.count <= most:
            return None
        value = bytes(self._data[entry.at : entry.at + entry.count])
        return value if len(value) == entry.count else None


def read_directory(data: memoryview) -> Directory:
    """The first directory of a whole file.

    Raises:
        UnreadableImage: the directory is not there or is cut short.
        TooLarge: it has more than MOST_ENTRIES entries.
    """
    order = "<" if bytes(data[:2]) == b"II" else ">"
    try:
        if struct.unpack_from(order + "H", data, 2)[0] == 43:
            [at] = struct.unpack_from(order + "Q", data, 8)
            [count] = struct.unpack_from(order + "Q", data, at)
            layout, inline = struct.Struct(order + "HHQ"), 8
        else:
            [at] = struct.unpack_from(order + "I", data, 4)
            [count] = struct.unpack_from(order + "H", data, at)
            layout, inline = struct.Struct(order + "HHI"), 4
        if count > MOST_ENTRIES:
            raise TooLarge(f"The TIFF's directory has {count:,} entries; the limit is {MOST_ENTRIES:,}.")
        return Directory(data, order, _entries(data, order, at + (8 if inline == 8 else 2), count, layout))
    except (struct.error, OverflowError) as error:
        raise UnreadableImage(BROKEN) from error


def _entries(data: memoryview, order: str, first: int, count: int, layout: struct.Struct) -> dict[int, Entry]:
    """The entries by tag; of a repeated tag the first counts."""
    inline = layout.size - 4
    pointer = struct.Struct(order + ("Q" if inline == 8 else "I"))
    entries: dict[int, Entry] = {}
    for number in range(count):
        at = first + number * (layout.size + inline)
        tag, kind, length = layout.unpack_from(data, at)
        value = at + layout.size
        if length * _width(kind) > inline:
            [value] = pointer.unpack_from(data, value)
        entries.setdefault(tag, Entry(kind, length, value))
    return entries


def _width(kind: int) -> int:
    """Bytes of one value; that of unknown types does not matter, as they are never read."""
    if kind in _INTEGERS:
        return struct.calcsize("<" + _INTEGERS[kind])
    return _REALS[kind][1] if kind in _REALS else 1
