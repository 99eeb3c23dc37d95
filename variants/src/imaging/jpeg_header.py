"""What a JPEG says before its first scan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from imaging.errors import UnreadableImage
from imaging.exif import orientation_of
from imaging.geometry import Size
from imaging.raster import BROKEN
from imaging.source import Feed

_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BUFFERED = {0xC2, 0xC6, 0xCA, 0xCE}
_LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
_SCAN, _END, _APP0, _EXIF, _PROFILE, _ADOBE, _COMMENT = 0xDA, 0xD9, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_PROFILE_LIMIT = 4 << 20


class Coding(StrEnum):
    """How the components are to be understood."""

    GREY = "grey"
    YCC = "ycc"
    RGB = "rgb"
    CMYK = "cmyk"


@dataclass(frozen=True, slots=True)
class Component:
    """One component's identifier and its sampling against the others."""

    name: int
    across: int
    down: int


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """`tables` is the header without metadata: what a decoder needs before the scan's bytes."""

    size: Size
    coding: Coding
    components: tuple[Component, ...]
    buffered: bool  # several scans: every coefficient is kept until the last one
    inverted: bool  # inks as Adobe stores them, paper being the highest value
    orientation: int
    profile: bytes | None
    tables: bytes

    @property
    def halved(self) -> bool:
        """Whether chroma is stored at half of luma's scale both ways, as most cameras do."""
        samplings = [(part.across, part.down) for part in self.components]
        return self.coding is Coding.YCC and samplings == [(2, 2), (1, 1), (1, 1)]

    def coefficients(self) -> list[int]:
        """Bytes of each component's coefficient array, which a buffered picture needs."""
        if not self.buffered:
            return []
        across = max(part.across for part in self.components)
        down = max(part.down for part in self.components)
        arrays = []
        for part in self.components:
            wide = -(-self.size.width * part.across // (8 * across))
            high = -(-self.size.height * part.down // (8 * down))
            arrays.append((wide + part.across) * (high + part.down) * 128)
        return arrays


class _Reading:
    """What has been seen so far."""

    def __init__(self) -> None:
        self.tables = bytearray(b"\xff\xd8")
        self.frame: int | None = None
        self.size = Size(0, 0)
        self.components: tuple[Component, ...] = ()
        self.jfif = False
        self.adobe: int | None = None
        self.orientation = 1
        self.profile: dict[int, bytes] = {}


async def read_header(feed: Feed) -> JpegHeader:
    """Read up to the first scan; the feed then stands at the scan's own header."""
    await feed.take(2)
    seen = _Reading()
    while True:
        marker = await _marker(feed)
        if marker == _END:
            raise UnreadableImage(BROKEN)
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        length = int.from_bytes(await feed.take(2), "big")
        if length < 2:
            raise UnreadableImage(BROKEN)
        if marker == _SCAN:
            scan = await feed.take(length - 2)
            feed.put_back(bytes([0xFF, marker]) + length.to_bytes(2, "big") + scan)
            return _header(seen, scan)
        _note(seen, marker, await feed.take(length - 2))


async def _marker(feed: Feed) -> int:
    if (await feed.take(1))[0] != 0xFF:
        raise UnreadableImage(BROKEN)
    while (code := (await feed.take(1))[0]) == 0xFF:
        pass
    return code


def _note(seen: _Reading, marker: int, data: bytes) -> None:
    if marker in _FRAMES:
        _note_frame(seen, marker, data)
    elif marker == _APP0:
        seen.jfif = seen.jfif or data.startswith(b"JFIF\0")
    elif marker == _EXIF and data.startswith(b"Exif\0\0"):
        seen.orientation = orientation_of(data)
    elif marker == _PROFILE and data.startswith(b"ICC_PROFILE\0") and len(data) > 14:
        if sum(map(len, seen.profile.values())) < _PROFILE_LIMIT:
            seen.profile[data[12]] = data[14:]
    elif marker == _ADOBE and data.startswith(b"Adobe") and len(data) >= 12:
        seen.adobe = data[11]
    if marker in (_APP0, _ADOBE) or not (0xE0 <= marker <= 0xEF or marker == _COMMENT):
        seen.tables += bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data


def _note_frame(seen: _Reading, marker: int, data: bytes) -> None:
    if len(data) < 6 or len(data) < 6 + 3 * data[5] or marker in _LOSSLESS or data[0] != 8:
        raise UnreadableImage("The picture cannot be read: only 8-bit JPEG with lossy coding is supported.")
    if seen.frame is not None:
        raise UnreadableImage(BROKEN)
    seen.frame = marker
    seen.size = Size(int.from_bytes(data[3:5], "big"), int.from_bytes(data[1:3], "big"))
    parts = (data[at : at + 3] for at in range(6, 6 + 3 * data[5], 3))
    seen.components = tuple(Component(part[0], part[1] >> 4, part[1] & 15) for part in parts)


def _header(seen: _Reading, scan: bytes) -> JpegHeader:
    count = len(seen.components)
    sampled = all(1 <= part.across <= 4 and 1 <= part.down <= 4 for part in seen.components)
    if seen.frame is None or min(seen.size) < 1 or count not in (1, 3, 4) or not sampled or not scan:
        raise UnreadableImage(BROKEN)
    return JpegHeader(
        size=seen.size,
        coding=_coding(seen),
        components=seen.components,
        buffered=seen.frame in _BUFFERED or scan[0] < count,
        inverted=seen.adobe is not None,
        orientation=seen.orientation,
        profile=b"".join(seen.profile[key] for key in sorted(seen.profile)) or None,
        tables=bytes(seen.tables),
    )


def _coding(seen: _Reading) -> Coding:
    """The decoder's own rules, so that what it will do is known beforehand."""
    if len(seen.components) == 1:
        return Coding.GREY
    if len(seen.components) == 4:
        return Coding.CMYK
    names = tuple(part.name for part in seen.components)
    if seen.jfif:
        return Coding.YCC
    if seen.adobe is not None:
        return Coding.RGB if seen.adobe == 0 else Coding.YCC
    return Coding.RGB if names == tuple(b"RGB") else Coding.YCC
