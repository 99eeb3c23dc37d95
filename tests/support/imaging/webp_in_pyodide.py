"""The half of test_webp_rows.py that runs in Pyodide: files in /given, decoded by the module and by Pillow.

Prints a line of JSON for each file: what came of it by name, and for those that begin with "fuzz" how many
changed copies were refused and how many decoded.
"""

import json
import random
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

sys.path[:0] = ["/bundle", "/bundle/python_modules"]

import vfa_webp  # noqa: E402

from imaging import heap  # noqa: E402
from imaging.errors import UnreadableImage  # noqa: E402
from imaging.formats import webp  # noqa: E402
from imaging.formats.webp import Frame, WebpHeader, first_frame, frame_of, read_header  # noqa: E402
from imaging.source import BytesSource, Feed  # noqa: E402

CASES = 400
_Result = TypeVar("_Result")


def run(coroutine: Coroutine[None, None, _Result]) -> _Result:
    """What it returns; nothing in it waits for anything, and the loop here cannot be entered twice."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    raise AssertionError("it waits")


async def opened(data: bytes) -> tuple[WebpHeader, bytes]:
    async with Feed(BytesSource(data)) as feed:
        header = await read_header(feed)

        def check() -> None:
            if header.length > 1 << 24:
                raise UnreadableImage("long")

        check()
        return header, await first_frame(feed, header, check)


def by_module(header: WebpHeader, file: bytes, room: int = heap.BUDGET) -> bytes:
    return b"".join(strip.tobytes() for strip in webp._rows(frame_of(file, header), header, room))


def by_pillow(header: WebpHeader, file: bytes) -> bytes:
    return b"".join(strip.tobytes() for strip in webp._strips(webp._decoded(file), header))


def outcome(data: bytes) -> list[str]:
    """What the module and Pillow make of a file: "decoded", "otherwise" than by the other, or an error."""
    try:
        header, file = run(opened(data))
    except UnreadableImage as error:
        return [type(error).__name__] * 2
    pixels: list[bytes] = []
    named: list[str] = []
    for decode in (by_module, by_pillow):
        try:
            pixels.append(decode(header, file))
            named.append("decoded" if pixels[0] == pixels[-1] else "otherwise")
        except UnreadableImage as error:
            named.append(type(error).__name__)
    return named


def spent(data: bytes) -> int:
    """Bytes that the decoder took at the peak."""
    header, file = run(opened(data))
    frame: Frame = frame_of(file, header)
    channels = 4 if header.alpha else 3
    decoder = vfa_webp.open(frame.pixels, frame.alpha, frame.lossless, *frame.size, channels, heap.BUDGET)
    while vfa_webp.rows(decoder, 64):
        pass
    return vfa_webp.most(decoder)


def refused_for_room(data: bytes) -> bool:
    header, file = run(opened(data))
    try:
        by_module(header, file, room=4096)
    except MemoryError:
        return True
    return False


def changed(data: bytes, chance: random.Random) -> bytes:
    copy = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(12, min(len(copy), chance.choice((80, len(copy)))))
        copy[at] = chance.choice((copy[at] ^ 1 << chance.randrange(8), chance.randrange(256)))
    return bytes(copy[: chance.randrange(20, len(copy))] if chance.random() < 0.3 else copy)


def fuzzed(data: bytes) -> dict[str, int]:
    chance = random.Random(len(data))  # noqa: S311
    counts = {"decoded": 0, "refused": 0}
    for _ in range(CASES):
        try:
            header, file = run(opened(changed(data, chance)))
            if header.size.width * header.size.height < 1 << 20:  # the others take long
                by_module(header, file)
            counts["decoded"] += 1
        except (UnreadableImage, MemoryError):
            counts["refused"] += 1
    return counts


for path in sorted(Path("/given").iterdir()):
    data = path.read_bytes()
    line: dict[str, object] = {"name": path.name, "outcome": outcome(data)}
    if path.name.startswith("fuzz"):
        line["fuzzed"] = fuzzed(data)
    if line["outcome"] == ["decoded", "decoded"]:
        line |= {"spent": spent(data), "refused": refused_for_room(data)}
    print(json.dumps(line))  # noqa: T201
