"""JPEGs that other readers open; all but the ones of inks show one picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PIL import Image
from tests.support.imaging.jpegs import (
    ADOBE,
    APP0,
    DHT,
    DQT,
    SOS,
    put_together,
    segment,
    taken_apart,
    with_segments,
    without,
)
from tests.support.imaging.originals import encoded, scene

SIZE = (320, 240)


def picture() -> Image.Image:
    return scene(*SIZE, seed=7)


def adobe(transform: int) -> tuple[int, bytes]:
    return ADOBE, b"Adobe\0\x64\0\0\0\0" + bytes([transform])


def named(data: bytes, names: bytes) -> bytes:
    """With the components' identifiers replaced, in the frame and in the one scan."""
    segments, rest = taken_apart(data)
    out = []
    for marker, contents in segments:
        new = bytearray(contents)
        if marker in (0xC0, SOS):
            start, step = (6, 3) if marker == 0xC0 else (1, 2)
            new[start : start + step * len(names) : step] = names
        out.append((marker, bytes(new)))
    return put_together(out, rest)


def ycc(**options: object) -> bytes:
    return encoded(picture(), "JPEG", quality=95, **options)


def rgb_coded() -> bytes:
    """Components R, G and B, without any marker."""
    return without(encoded(picture(), "JPEG", quality=95, keep_rgb=True), APP0, ADOBE)


def inks() -> Image.Image:
    """Light inks: paper is light however a viewer converts them."""
    return Image.new("CMYK", SIZE, (20, 10, 5, 0))


def cmyk(*, marked: bool, names: bytes = b"\1\2\3\4") -> bytes:
    data = named(encoded(inks(), "JPEG", quality=95), names)
    return data if marked else without(data, ADOBE)


def trailer() -> bytes:
    """What a camera adds: text, a whole JPEG, marker-like bytes."""
    return (
        b"SEFT"
        + bytes(50)
        + b"\xff\xc4\0\5abc\xff\xe1\xff\xff"
        + encoded(picture().resize((64, 48)), "JPEG")
        + b"\xff\xda"
    )


def strays(count: int) -> bytes:
    data = ycc()
    segments, rest = taken_apart(data)
    return (
        b"\xff\xd8"
        + b"".join(segment(*each) + b"\0\x55" * count for each in segments[:-1])
        + segment(*segments[-1])
        + rest
    )


def _colours() -> Iterator[tuple[str, Callable[[], bytes]]]:
    plain = without(ycc(), APP0)
    yield "YCbCr, no marker", lambda: plain
    yield (
        "YCbCr by Adobe's marker, called RGB",
        lambda: named(with_segments(plain, adobe(1), before=0xDB), b"RGB"),
    )
    yield (
        "YCbCr by Adobe's marker, of an unknown transform",
        lambda: with_segments(plain, adobe(7), before=0xDB),
    )
    yield "YCbCr by JFIF, called RGB", lambda: named(ycc(), b"RGB")
    yield "YCbCr called 1, 34, 35", lambda: named(plain, b"\x01\x22\x23")
    yield "YCbCr called rgb", lambda: named(plain, b"rgb")
    yield "YCbCr called 0, 1, 2", lambda: named(plain, b"\0\1\2")
    yield "RGB by its names", rgb_coded
    yield (
        "RGB by Adobe's marker, called 1, 2, 3",
        lambda: named(with_segments(rgb_coded(), adobe(0), before=0xDB), b"\1\2\3"),
    )


def _tolerated() -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "no end", lambda: ycc()[:-2]
    yield "half an end", lambda: ycc()[:-1]
    yield "no end, restarts", lambda: ycc(restart_marker_blocks=7)[:-2]
    yield "no end, progressive", lambda: ycc(progressive=True)[:-2]
    yield "no end, grey chroma in full", lambda: ycc(subsampling=0)[:-2]
    yield "no end, but a trailer", lambda: ycc()[:-2] + trailer()
    yield "no end, restarts, a trailer", lambda: ycc(restart_marker_rows=1)[:-2] + trailer()
    yield (
        "no end, progressive, a trailer",
        lambda: ycc(progressive=True)[:-2] + b"\0\0" + b"\xff\xd8\xff\xc0" + trailer(),
    )
    yield "a trailer", lambda: ycc() + trailer()
    yield "bytes behind the data", lambda: ycc()[:-2] + bytes(300) + b"\xff\xd9"
    yield "a comment behind the data", lambda: ycc()[:-2] + segment(0xFE, b"text") + b"\xff\xd9"
    yield "stray bytes between segments", lambda: strays(1)
    yield "many stray bytes", lambda: strays(400)
    yield "fill bytes", lambda: b"\xff\xd8" + b"\xff" * 300 + ycc()[3:]
    yield "a scan for each component", lambda: sampled(1, 1)
    yield "chroma at a third across", lambda: sampled(3, 1)
    yield "chroma at a quarter down", lambda: sampled(1, 4)


def sampled(across: int, down: int) -> bytes:
    """Chroma that much coarser than luma, each component in a scan of its own."""
    bands = picture().convert("YCbCr").split()
    reduced = (-(-SIZE[0] // across), -(-SIZE[1] // down))
    scans = b""
    for name, band in enumerate(bands, 1):
        grey = encoded(band if name == 1 else band.resize(reduced, Image.Resampling.BOX), "JPEG", quality=95)
        segments, rest = taken_apart(grey)
        scans += segment(SOS, bytes([1, name, 0, 0, 63, 0])) + rest[:-2]
    tables = [each for each in segments if each[0] in (DQT, DHT)]
    size = SIZE[1].to_bytes(2, "big") + SIZE[0].to_bytes(2, "big")
    frame = b"\x08" + size + bytes([3, 1, across << 4 | down, 0, 2, 0x11, 0, 3, 0x11, 0])
    start = put_together([*tables, (0xC0, frame)], b"")
    return start + scans + b"\xff\xd9"


SHOWN: dict[str, Callable[[], bytes]] = {**dict(_colours()), **dict(_tolerated())}
INKS: dict[str, Callable[[], bytes]] = {
    "inks by Adobe's marker": lambda: cmyk(marked=True),
    "inks without a marker": lambda: cmyk(marked=False),
    "inks called C, M, Y, K": lambda: cmyk(marked=True, names=b"CMYK"),
    "inks called C, M, Y, K, without a marker": lambda: cmyk(marked=False, names=b"CMYK"),
}
