"""How large an original may be: a model of the memory its rendering takes at the peak, and bounds of work.

An isolate has 128 MB for JavaScript and WebAssembly together; JavaScript takes 19 to 27 MiB, and 96 MiB are
WebAssembly's. What Python, the SDK and Pillow hold at rest is gone before a render starts. The rest is what a
plan may take: every way to decode states its peak from the header alone, and one that does not fit is not
begun. Nor is one whose work is out of proportion to its pixels. docs/rendering.md has the tables.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from imaging.errors import TooLarge
from imaging.geometry import Size

MIB = 1 << 20
CEILING = 96 * MIB
AT_REST = 31 * MIB  # 26 in production, and a few to spare
BUDGET = CEILING - AT_REST
CHUNK = MIB // 4  # of the original's bytes, as they arrive
DECODING = MIB  # a chunk and the codec's own state
WORKING = 5 * MIB // 2  # that, a band on its way, Python objects
RESAMPLING = 7 * MIB  # strips on their way through averaging, windows and treatment, as well
MOST_PIXELS = 210_000_000
MOST_PIXELS_INFLATED = 100_000_000  # of formats whose every pixel must be decoded at full size
MOST_ROWS = 1_000_000  # a row costs as much as a few pixels, however short it is
MOST_PARTS = 40_000  # chunks or blocks of a file; a 30 MB PNG in IDATs of a KiB has 30,000

STEP = MIB // 2
LARGE = 4 * MIB
SMALL_ROOM = 5 * MIB // 2
OBJECT = 64  # what one of 40 bytes takes

_TRIES = 2
_Made = TypeVar("_Made")

_grown = False


def _small_room() -> list[bytes]:
    """Room for Python's small objects: gaps of every size, held open by an object behind each.

    The allocator takes the smallest gap that is large enough. Where there is none but the picture's own, an
    object that outlives the picture lies above its pixels and cuts the room for the next one in two.
    """
    lengths = [8 << power for power in range(8)]
    gaps = [length for length in lengths for _ in range(SMALL_ROOM // len(lengths) // length // OBJECT)]
    objects = [[bytes(40) for _ in range(length)] for length in gaps]
    return [gap[-1] for gap in objects]


_holding_it_open = _small_room()


def check_pixels(size: Size, most: int = MOST_PIXELS, kind: str = "") -> None:
    """Refuse what would take too long, whatever its memory; `kind` is what has a limit of its own."""
    if size.width * size.height > most:
        raise TooLarge(
            f"{_described(size)}; the limit is {most // 10**6} megapixels{kind and f' for {kind}'}."
        )
    if size.height > MOST_ROWS:
        raise TooLarge(f"{_described(size)}; the limit is {MOST_ROWS} rows.")


def held(size: Size, pixel: int) -> int:
    """Bytes of a whole picture in Pillow's memory, at `pixel` bytes each: rows are padded, and pointed to."""
    return size.height * ((size.width * pixel + 3) // 4 * 4 + 4)


def fits(peak: int) -> bool:
    """Whether there is room for so many bytes beside what is in memory at rest."""
    return peak <= BUDGET


def admit(size: Size, kind: str, needed: Callable[[Size], int]) -> None:
    """Refuse a picture whose rendering would not fit in memory."""
    if not fits(needed(size)):
        raise too_large(size, kind, needed)


def check_room(sizes: Sequence[int]) -> None:
    """Raise MemoryError where there is no room for as many bytes as each of `sizes` says, all at once."""
    [bytearray(size) for size in sizes]


async def within_memory(make: Callable[[], Awaitable[_Made]], make_room: Callable[[], None]) -> _Made:
    """What `make` makes, tried once more where the memory did not suffice: the heap may have been fragmented.

    Raises:
        TooLarge: It did not suffice twice. That is final: asking again would end in the same way.
    """
    for _ in range(_TRIES):
        make_room()
        with suppress(MemoryError):  # and let go of everything that its traceback holds
            return await make()
    raise TooLarge("The picture needs more memory than a renderer has: send a smaller version of it.")


def grow() -> None:
    """Make the heap as large as it may be, once and before anything lies in the way.

    Left to itself it grows by a twentieth at least, and a growth that passes the ceiling fails as a whole.
    What is left above a small picture would be in a large one's way.
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
    """Where a block lies that fits into no gap: the bytes in use, as WebAssembly's addresses count from 0."""
    return id(bytes(LARGE))


def too_large(size: Size, kind: str, peak: Callable[[Size], int]) -> TooLarge:
    """The refusal of a picture whose rendering would not fit in memory, with the largest that would."""
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
