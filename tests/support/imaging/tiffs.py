"""A writer of TIFF, of every kind that Pillow does not write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Levels = np.ndarray[Any, Any]
Tags = dict[int, Any]
PLAIN, LZW, DEFLATE, PACKBITS = 1, 5, 8, 32773
_SHORT, _LONG, _LONG8, _BYTES = (3, "H"), (4, "I"), (16, "Q"), (7, "B")
_SHORTS = {258, 259, 262, 266, 274, 277, 284, 317, 320, 338, 339, 530}


@dataclass(frozen=True)
class Packing:
    """How a picture's samples are laid out in the file."""

    bits: int = 8
    compression: int = PLAIN
    predictor: int = 1
    planar: bool = False
    rows: int | None = None  # of a strip
    tile: tuple[int, int] | None = None  # width, height
    order: str = "<"
    big: bool = False
    reverse: bool = False  # the bits of each byte
    tags: Tags = field(default_factory=dict)
    without: tuple[int, ...] = ()


def tiff(levels: Levels, photometric: int, packing: Packing = Packing()) -> bytes:
    """A TIFF of rows × columns × samples, whose levels lie between 0 and 2 ** bits - 1."""
    height, width, samples = levels.shape
    rows = packing.rows or height
    tags: Tags = {
        256: width,
        257: height,
        258: (packing.bits,) * samples,
        259: packing.compression,
        262: photometric,
        277: samples,
        284: 2 if packing.planar else 1,
    }
    tags |= {322: packing.tile[0], 323: packing.tile[1]} if packing.tile else {278: rows}
    tags |= {317: packing.predictor} if packing.predictor != 1 else {}
    tags |= {266: 2} if packing.reverse else {}
    planes = [levels[..., [sample]] for sample in range(samples)] if packing.planar else [levels]
    blocks = [packed(block, packing) for plane in planes for block in _blocks(plane, rows, packing.tile)]
    return file_of(tags | packing.tags, blocks, packing)


def file_of(tags: Tags, blocks: list[bytes], packing: Packing = Packing()) -> bytes:
    """A file of these tags and packed blocks, whose places are added; tags of `without` are left out."""
    big, order = packing.big, packing.order
    start = 16 if big else 8
    offsets, body = [], bytearray()
    for block in blocks:
        offsets.append(start + len(body))
        body += block + bytes(len(block) % 2)
    places, lengths = (324, 325) if 322 in tags else (273, 279)
    tags = {places: tuple(offsets), lengths: tuple(map(len, blocks)), **tags}
    tags = {tag: value for tag, value in sorted(tags.items()) if tag not in packing.without}
    at = start + len(body)
    head = (b"II" if order == "<" else b"MM") + (
        struct.pack(order + "HHHQ", 43, 8, 0, at) if big else struct.pack(order + "HI", 42, at)
    )
    return head + bytes(body) + _directory(tags, at, order, big)


def _directory(tags: Tags, at: int, order: str, big: bool) -> bytes:
    inline = 8 if big else 4
    count, pointer, entry = ("Q", "Q", "HHQ") if big else ("H", "I", "HHI")
    at += struct.calcsize("<" + count) + len(tags) * (4 + 2 * inline) + inline
    entries, extra = struct.pack(order + count, len(tags)), b""
    for tag, value in tags.items():
        values = tuple(value) if isinstance(value, tuple | bytes) else (value,)
        kind, code = _BYTES if isinstance(value, bytes) else _SHORT if tag in _SHORTS else _LONG
        if big and tag in (273, 279, 324, 325):
            kind, code = _LONG8
        data = struct.pack(f"{order}{len(values)}{code}", *values)
        entries += struct.pack(order + entry, tag, kind, len(values))
        if len(data) <= inline:
            entries += data.ljust(inline, b"\0")
        else:
            entries += struct.pack(order + pointer, at + len(extra))
            extra += data + bytes(len(data) % 2)
    return entries + bytes(inline) + extra


def _blocks(levels: Levels, rows: int, tile: tuple[int, int] | None) -> Iterator[Levels]:
    height, width, _ = levels.shape
    if tile is None:
        yield from (levels[top : top + rows] for top in range(0, height, rows))
        return
    across, down = -(-width // tile[0]), -(-height // tile[1])
    padded = np.pad(levels, ((0, down * tile[1] - height), (0, across * tile[0] - width), (0, 0)), "edge")
    for top in range(0, down * tile[1], tile[1]):
        for left in range(0, across * tile[0], tile[0]):
            yield padded[top : top + tile[1], left : left + tile[0]]


def packed(levels: Levels, packing: Packing) -> bytes:
    """One block's bytes."""
    if packing.predictor == 2:
        differences = levels.astype(np.int64)
        differences[:, 1:] -= levels[:, :-1]
        levels = differences % (1 << packing.bits)
    data = _as_bytes(levels.reshape(levels.shape[0], -1), packing)
    row = len(data) // levels.shape[0]
    data = {
        PLAIN: lambda: data,
        LZW: lambda: lzw(data),
        DEFLATE: lambda: zlib.compress(data),
        PACKBITS: lambda: b"".join(packbits(data[at : at + row]) for at in range(0, len(data), row)),
    }[packing.compression]()
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in data) if packing.reverse else data


def _as_bytes(levels: Levels, packing: Packing) -> bytes:
    """Rows of samples, each row filled up to a whole byte."""
    if packing.bits in (8, 16, 32):
        return levels.astype(f"{packing.order}u{packing.bits // 8}").tobytes()
    bits = (levels[..., None] >> np.arange(packing.bits - 1, -1, -1)) & 1
    return np.packbits(bits.reshape(levels.shape[0], -1).astype(np.uint8), axis=1).tobytes()


def lzw(data: bytes) -> bytes:
    """TIFF's LZW: most significant bit first, codes one bit longer one code early."""
    bits: list[str] = []
    table: dict[bytes, int] = {}

    def emit(code: int) -> None:
        width = max(9, (258 + len(table)).bit_length())
        bits.append(f"{code:0{width}b}")

    emit(256)
    held = b""
    for byte in data:
        longer = held + bytes([byte])
        if len(longer) == 1 or longer in table:
            held = longer
            continue
        emit(table.get(held, held[0]))
        table[longer] = 258 + len(table)
        held = bytes([byte])
        if len(table) == 4094 - 258:
            bits.append(f"{256:012b}")
            table.clear()
    if held:
        emit(table.get(held, held[0]))
        table[held + b"\0\0"] = 0
    emit(257)
    stream = "".join(bits)
    return int(stream.ljust(-(-len(stream) // 8) * 8, "0"), 2).to_bytes(-(-len(stream) // 8), "big")


def packbits(row: bytes) -> bytes:
    """Runs and literals."""
    out, at = b"", 0
    while at < len(row):
        run = 1
        while run < 128 and at + run < len(row) and row[at + run] == row[at]:
            run += 1
        if run > 1:
            out += bytes([257 - run, row[at]])
            at += run
            continue
        end = at + 1
        while end < len(row) and end - at < 128 and (end + 1 >= len(row) or row[end] != row[end + 1]):
            end += 1
        out += bytes([end - at - 1]) + row[at:end]
        at = end
    return out
