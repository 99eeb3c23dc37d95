"""JPEGs taken apart into their segments and put together otherwise."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.imaging.originals import encoded, scene

Segment = tuple[int, bytes]
SOI, EOI, SOS, DQT, DHT, DRI, DNL, DAC = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xDC, 0xCC
APP0, APP1, APP2, ADOBE, COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE


def taken_apart(data: bytes) -> tuple[list[Segment], bytes]:
    """The segments up to the first scan's header, SOI left out, and all that follows it."""
    segments: list[Segment] = []
    at = 2
    while not segments or segments[-1][0] != SOS:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segments.append((data[at + 1], data[at + 4 : at + 2 + length]))
        at += 2 + length
    return segments, data[at:]


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data


def put_together(segments: Iterable[Segment], rest: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segment(*each) for each in segments) + rest


def changed(data: bytes, marker: int, at: int, value: int) -> bytes:
    """With one byte of the first such segment's contents replaced; a negative place counts from its end."""
    segments, rest = taken_apart(data)
    index = [each for each, _ in segments].index(marker)
    contents = bytearray(segments[index][1])
    contents[at] = value
    segments[index] = (marker, bytes(contents))
    return put_together(segments, rest)


def with_segments(data: bytes, *added: Segment, before: int = SOS) -> bytes:
    """With segments put in front of the first one with that marker."""
    segments, rest = taken_apart(data)
    index = [each for each, _ in segments].index(before)
    return put_together([*segments[:index], *added, *segments[index:]], rest)


def without(data: bytes, *markers: int) -> bytes:
    segments, rest = taken_apart(data)
    return put_together([each for each in segments if each[0] not in markers], rest)


def abbreviated(data: bytes) -> tuple[bytes, bytes]:
    """The tables alone, and the picture without them, as TIFF keeps them."""
    segments, rest = taken_apart(data)
    tables = [each for each in segments if each[0] in (DQT, DHT)]
    others = [each for each in segments if each[0] not in (DQT, DHT)]
    return put_together(tables, b"\xff\xd9"), put_together(others, rest)


def photograph(width: int = 96, height: int = 64, mode: str = "RGB", **options: object) -> bytes:
    return encoded(scene(width, height).convert(mode), "JPEG", **options)
