"""The model of memory: how much a render may take, and bounds of work.

An isolate has 128 MB for JavaScript and WebAssembly together. JavaScript takes 19 to 27 MiB (measured),
which leaves 96 MiB for WebAssembly. Python, the SDK and Pillow hold a part of them at rest; BUDGET is the
rest. Every way to decode computes its peak from the header alone, and one that does not fit is not started.
Neither is one whose work is out of proportion to its pixels. docs/rendering.md has the tables.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from imaging.errors import TooLarge
from imaging.geometry import Size

MIB = 1 << 20
CEILING = 96 * MIB
# 26 measured in production with Python 3.13, and a reserve. Python 3.14 takes 7 more: docs/python-versions.md
AT_REST_313, AT_REST_314 = 31 * MIB, 38 * MIB
AT_REST = AT_REST_314 if sys.platform == "emscripten" and sys.version_info >= (3, 14) else AT_REST_313
BUDGET = CEILING - AT_REST
CHUNK = MIB // 4  # bytes of the original that are read at once
DECODING = MIB  # a chunk and the state of the codec
WORKING = 5 * MIB // 2  # DECODING, one band of rows, Python objects
RESAMPLING = 7 * MIB  # WORKING, and strips being averaged, resized and converted
MOST_PIXELS = 210_000_000
MOST_PIXELS_INFLATED = 100_000_000  # of formats whose every pixel must be decoded at full size
MOST_ROWS = 1_000_000  # every row costs as much as a few pixels
MOST_PARTS = 40_000  # chunks or blocks of a file; a 30 MB PNG in IDATs of a KiB has 30,000

STEP = MIB // 2
LARGE = 4 * MIB
SMALL_ROOM = 5 * MIB // 2  # bytes reserved for small objects
OBJECT = 64  # bytes that an object of 40 bytes takes

_TRIES = 2
_Made = TypeVar("_Made")

_grown = False


def _reserve_small_gaps() -> list[bytes]:
    """Reserve gaps of every size for Python's small objects; an object behind each keeps it from merging.

    The allocator takes the smallest gap that is large enough. If there were none, an object that outlives a
    picture would be allocated above its pixels and fragment the heap for the next one.
    """
    lengths = [8 << power for power in range(8)]
    gaps = [length for length in lengths for _ in range(SMALL_ROOM // len(lengths) // length // OBJECT)]
    objects = [[bytes(40) for _ in range(length)] for length in gaps]
    return [gap[-1] for gap in objects]


_reserved = _reserve_small_gaps()


def check_pixels(size: Size, most: int = MOST_PIXELS, kind: str = "") -> None:
    """Refuse a picture that would take too long; `most` is in pixels, `kind` names what has a limit of its
    own.

    Raises:
        TooLarge: It has more pixels, or more than MOST_ROWS rows.
    """
    if size.width * size.height > most:
        raise TooLarge(
            f"{_described(size)}; the limit is {most // 10**6} megapixels{kind and f' for {kind}'}."
        )
    if size.height > MOST_ROWS:
        raise TooLarge(f"{_described(size)}; the limit is {MOST_ROWS} rows.")


def held(size: Size, pixel: int) -> int:
    """Bytes of a whole picture in Pillow, at `pixel` bytes a pixel: rows are padded, with a pointer each."""
    return size.height * ((size.width * pixel + 3) // 4 * 4 + 4)


def fits(peak: int) -> bool:
    """Whether a peak of so many bytes, apart from what is held at rest, is within the budget."""
    return peak <= BUDGET


def admit(size: Size, kind: str, needed: Callable[[Size], int]) -> None:
    """Refuse a picture whose rendering would not fit in memory; `needed` gives the peak in bytes for a size.

    Raises:
        TooLarge: The peak is above the budget.
    """
    if not fits(needed(size)):
        raise too_large(size, kind, needed)


def check_room(sizes: Sequence[int]) -> None:
    """Check that blocks of these sizes, in bytes, can be allocated at the same time.

    Raises:
        MemoryError: They cannot.
    """
    [bytearray(size) for size in sizes]


async def within_memory(make: Callable[[], Awaitable[_Made]], make_room: Callable[[], None]) -> _Made:
    """The result of `make`, which is called once more if memory runs out: the heap may have been fragmented.

    `make_room` is called before each try.

    Raises:
        TooLarge: Memory ran out twice. A repeated request would end in the same way.
    """
    for _ in range(_TRIES):
        make_room()
        with suppress(MemoryError):  # which also frees what its traceback refers to
            return await make()
    raise TooLarge("The picture needs more memory than a renderer has: send a smaller version of it.")


def grow() -> None:
    """Grow the heap to its ceiling, once and before the first picture.

    Otherwise it grows by at least a twentieth at a time, and a growth beyond the ceiling fails as a whole.
    What a small picture leaves behind at the end of a smaller heap would also fragment it for a large one.
    """
    global _grown
    if _grown:
        return
    _grown = True
    for room in range(CEILING - STEP - _end(), STEP, -STEP):
        with suppress(MemoryError):
            bytearray(room)
            return


def _end() -> int:
    """The address of a block that fits into no gap: the size of the heap in use, as addresses start at 0."""
    return id(bytes(LARGE))


def too_large(size: Size, kind: str, peak: Callable[[Size], int]) -> TooLarge:
    """The error for a picture that would not fit in memory; it names the largest of this shape that would."""
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        smaller = Size(max(1, int(size.width * middle)), max(1, int(size.height * middle)))
        low, high = (middle, high) if peak(smaller) <= BUDGET else (low, middle)
    most = size.width * size.height * low * low / 1e6
    return TooLarge(f"{_described(size)}; the limit for {kind} of this shape is {most:.1f} megapixels.")


def _described(size: Size) -> str:
    megapixels = size.width * size.height / 1e6
    return f"The picture has {size.width} × {size.height} pixels ({megapixels:.1f} megapixels)"
