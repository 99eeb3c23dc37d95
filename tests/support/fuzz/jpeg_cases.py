"""JPEGs and strips of TIFFs, damaged where headers decide: segments, their order, lengths and contents.

Needs no more than the standard library and Pillow, so that it runs in Pyodide as well.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from random import Random
from typing import Any

from PIL import Image

Token = tuple[str, bytes]  # "segment", from its marker on, or "data", which is anything else
Case = tuple[bytes, bytes]  # a file or a strip, and the strip's tables

SOS, EOI, DHT, DQT, DRI, DAC = 0xDA, 0xD9, 0xC4, 0xDB, 0xDD, 0xCC
_FRAMES = [0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF]
_BARE = [0x01, *range(0xD0, 0xDA)]
_MARKERS = [
    *_FRAMES,
    *_BARE,
    SOS,
    DHT,
    DQT,
    DRI,
    DAC,
    0xDC,
    0xDE,
    0xDF,
    0xE0,
    0xE1,
    0xEE,
    0xF0,
    0xF8,
    0xFE,
    0x02,
]


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data


def bases() -> list[bytes]:
    """Whole pictures of every coding."""
    pictures = []
    for mode, size, options in (
        ("L", (33, 17), {}),
        ("L", (64, 40), {"progressive": True}),
        ("L", (1, 1), {}),
        ("RGB", (48, 40), {}),
        ("RGB", (47, 33), {"subsampling": 0, "optimize": True}),
        ("RGB", (50, 24), {"subsampling": 1, "restart_marker_blocks": 2}),
        ("RGB", (40, 40), {"progressive": True}),
        ("RGB", (30, 31), {"progressive": True, "subsampling": 0, "restart_marker_rows": 1}),
        ("RGB", (24, 24), {"keep_rgb": True}),
        ("CMYK", (20, 30), {}),
        ("CMYK", (32, 16), {"progressive": True}),
    ):
        pictures.append(_encoded(_card(size).convert(mode), **options))
    return [*pictures, _one_component_a_scan(), _arithmetic(0xC9), _arithmetic(0xCA)]


def _card(size: tuple[int, int]) -> Image.Image:
    bands = [Image.linear_gradient("L").rotate(90 * turn).resize(size) for turn in range(3)]
    # Nothing black: a column that was never decoded is told by its zeros.
    return Image.merge("RGB", [band.point(lambda level: 70 + level // 2) for band in bands])


def _encoded(picture: Image.Image, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", **options)
    return out.getvalue()


def _one_component_a_scan() -> bytes:
    """A sequential colour picture whose components have a scan each."""
    scans = b""
    for band in _card((40, 24)).split():
        tokens = taken_apart(_encoded(band))
        scans += segment(SOS, bytes([1, 1 + scans.count(b"\xff\xda"), 0, 0, 63, 0])) + tokens[-2][1]
    start = [token for _, token in tokens[:-3] if token[1] not in (0xC0, 0xE0)]
    frame = segment(0xC0, b"\x08\0\x18\0\x28\x03" + b"".join(bytes([name, 0x11, 0]) for name in (1, 2, 3)))
    return b"\xff\xd8" + frame + b"".join(start) + scans + b"\xff\xd9"


def _arithmetic(marker: int) -> bytes:
    """Arithmetic coding, for which any bytes are data."""
    quantisation = segment(DQT, b"\0" + bytes([9] * 64))
    frame = segment(marker, b"\x08\0\x18\0\x20\x01\x01\x11\0")
    spectrum = bytes([0, 63 if marker == 0xC9 else 0, 0])
    scan = segment(SOS, b"\x01\x01\0" + spectrum)
    return b"\xff\xd8" + quantisation + frame + scan + bytes(range(3, 90, 2)) + b"\xff\xd9"


def taken_apart(data: bytes) -> list[Token]:
    """All segments of an undamaged file but SOI, and the data behind each scan header."""
    tokens: list[Token] = []
    at = 2
    while at < len(data):
        length = 2 if data[at + 1] in _BARE else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        tokens.append(("segment", data[at : at + length]))
        at += length
        if tokens[-1][1][1] == SOS:
            end = at
            while data[end] != 0xFF or data[end + 1] == 0 or 0xD0 <= data[end + 1] <= 0xD7:
                end += 1
            tokens.append(("data", data[at:end]))
            at = end
    return tokens


def case(seed: int, originals: list[bytes]) -> Case:
    """The case with that number, the same everywhere."""
    random = Random(seed)  # noqa: S311
    tokens = taken_apart(random.choice(originals))
    apart = random.random() < 0.4
    tables = (
        [token for token in tokens if token[0] == "segment" and token[1][1] in (DQT, DHT)] if apart else []
    )
    # The tables of later scans stay where they are.
    tables = tables[:2]
    tokens = [token for token in tokens if token not in tables]
    for _ in range(random.choice((0, 1, 1, 1, 2, 3, 5))):
        random.choice(_DAMAGES)(random, tables if tables and random.random() < 0.3 else tokens, originals)
    start = (
        b"\xff\xd8" if random.random() < 0.97 else random.choice((b"", b"\xff\xff\xd8", b"\xff\xd8\xff\xd8"))
    )
    return (
        start + b"".join(token for _, token in tokens),
        b"\xff\xd8" + b"".join(token for _, token in tables) + b"\xff\xd9" if tables else b"",
    )


def _place(random: Random, tokens: list[Token], marker: int | None = None) -> int | None:
    places = [
        at
        for at, (kind, token) in enumerate(tokens)
        if len(token) > 4 and kind == "segment" and (marker is None or token[1] == marker)
    ]
    return random.choice(places) if places else None


def _replace(tokens: list[Token], at: int, token: bytes) -> None:
    tokens[at] = (tokens[at][0], token)


def _change_byte(random: Random, tokens: list[Token], _: list[bytes]) -> None:
    """Of what a segment says; frame and scan headers before all."""
    wanted = random.choice((None, SOS, SOS, 0xC0, 0xC0, 0xC2, 0xC2, 0xC9, 0xCA, DHT, DQT, DRI))
    at = _place(random, tokens, wanted)
    if at is None:
        return
    token = bytearray(tokens[at][1])
    place = random.randrange(4, min(len(token), random.choice((24, 1000))))
    old = token[place]
    value = random.choice((0, 1, 2, 3, 4, 5, 16, 17, 33, 49, 63, 64, 255, old ^ 1 << random.randrange(8)))
    token[place] = value
    _replace(tokens, at, bytes(token))


def _change_length(random: Random, tokens: list[Token], _: list[bytes]) -> None:
    at = _place(random, tokens)
    if at is None:
        return
    token = tokens[at][1]
    length = int.from_bytes(token[2:4], "big")
    length = random.choice((0, 1, 2, 3, length - 1, length + 1, length + 2, 2 * length, 65535)) & 0xFFFF
    _replace(tokens, at, token[:2] + length.to_bytes(2, "big") + token[4:])


def _change_contents_length(random: Random, tokens: list[Token], _: list[bytes]) -> None:
    """Cut or lengthen what a segment says, its length being right."""
    at = _place(random, tokens)
    if at is None:
        return
    token = tokens[at][1]
    contents = token[4:]
    step = random.choice((-3, -2, -1, 1, 2, 3, 30))
    contents = contents[:step] if step < 0 else contents + random.randbytes(step)
    _replace(tokens, at, segment(token[1], contents))


def _change_marker(random: Random, tokens: list[Token], _: list[bytes]) -> None:
    at = _place(random, tokens)
    if at is not None:
        _replace(tokens, at, bytes([0xFF, random.choice(_MARKERS)]) + tokens[at][1][2:])


def _double(random: Random, tokens: list[Token], _: list[bytes]) -> None:
    if tokens:
        tokens.insert(random.randrange(len(tokens) + 1), random.choice(tokens))


def _drop(random: Random, tokens: list[Token], _: list[bytes]) -> None:
    if tokens:
        del tokens[random.randrange(len(tokens))]


def _swap(random: Random, tokens: list[Token], _: list[bytes]) -> None:
    if tokens:
        one, other = random.randrange(len(tokens)), random.randrange(len(tokens))
        tokens[one], tokens[other] = tokens[other], tokens[one]


def _borrow(random: Random, tokens: list[Token], originals: list[bytes]) -> None:
    """A segment of another picture."""
    tokens.insert(random.randrange(len(tokens) + 1), random.choice(taken_apart(random.choice(originals))))


def _insert_frame(random: Random, tokens: list[Token], _: list[bytes]) -> None:
    """Another frame header, bare or inside a comment."""
    size = b"".join(random.choice((1, 8, 16, 50, 640, 60000)).to_bytes(2, "big") for _ in range(2))
    count = random.choice((1, 1, 3, 3, 2, 4))
    parts = b"".join(
        bytes([name, random.choice((0x11, 0x22, 0x21, 0x41)), 0]) for name in range(1, count + 1)
    )
    frame = segment(random.choice(_FRAMES), b"\x08" + size + bytes([count]) + parts)
    if random.random() < 0.4:
        frame = segment(random.choice((0xFE, 0xE5)), bytes(random.randrange(20)) + frame)
    tokens.insert(random.randrange(len(tokens) + 1), ("segment", frame))


def _insert_bytes(random: Random, tokens: list[Token], _: list[bytes]) -> None:
    """Fill bytes, strays, bare markers, ends."""
    stray = random.choice(
        (
            b"\xff" * random.randrange(1, 5),
            random.randbytes(random.randrange(1, 6)),
            b"\0" * random.randrange(1, 9),
            bytes([0xFF, random.choice(_BARE)]),
            bytes([0xFF, random.choice(_MARKERS)]),
            segment(DRI, random.choice((0, 1, 2, 7, 65535)).to_bytes(2, "big")),
            segment(DAC, bytes([random.choice((0, 1, 16, 17, 19, 99)), random.choice((0, 5, 16, 63, 64))])),
            segment(0xDC, random.choice((b"\0\x08", b"\xff\xff"))),
            segment(random.choice((0xE0, 0xE1, 0xEE, 0xFE, 0xF8)), random.randbytes(random.randrange(20))),
            segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([random.randrange(4)])),
        )
    )
    tokens.insert(random.randrange(len(tokens) + 1), ("data", stray))


def _damage_data(random: Random, tokens: list[Token], _: list[bytes]) -> None:
    """Inside a scan: other bytes, fewer, more, or a marker."""
    places = [at for at, (kind, token) in enumerate(tokens) if kind == "data" and token]
    if not places:
        return
    at = random.choice(places)
    token = tokens[at][1]
    place = random.randrange(len(token))
    new = random.choice(
        (b"", random.randbytes(3), b"\xff", b"\xff\xff", bytes([0xFF, random.choice(_MARKERS)]))
    )
    cut = random.choice((0, 0, 1, 5, len(token)))
    _replace(tokens, at, token[:place] + new + token[place + cut :])


def _cut(random: Random, tokens: list[Token], _: list[bytes]) -> None:
    if tokens and random.random() < 0.5:
        del tokens[-random.randrange(1, min(4, len(tokens) + 1)) :]


_DAMAGES: list[Callable[[Random, list[Token], list[bytes]], None]] = [
    _change_byte,
    _change_byte,
    _change_byte,
    _change_byte,
    _change_length,
    _change_contents_length,
    _change_marker,
    _double,
    _drop,
    _swap,
    _borrow,
    _insert_frame,
    _insert_bytes,
    _insert_bytes,
    _damage_data,
    _cut,
]
