"""How large an original may be: a model of the memory its rendering takes at the peak.

An isolate has 128 MB for JavaScript and WebAssembly together; 88 MiB of that is WebAssembly's. What Python,
the SDK and Pillow hold at rest is gone before a render starts. The rest is what a plan may take: every way to
decode states its peak from the header alone, and one that does not fit is not begun. docs/rendering.md has
the table.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from imaging.errors import TooLarge
from imaging.geometry import Size

MIB = 1 << 20
CEILING = 88 * MIB
AT_REST = 30 * MIB
BUDGET = CEILING - AT_REST
CHUNK = MIB // 4  # of the original's bytes, as they arrive
DECODING = MIB  # a chunk and the codec's own state
WORKING = 5 * MIB // 2  # that, a band on its way, Python objects
RESAMPLING = 7 * MIB  # strips on their way through averaging, windows and treatment, as well
MOST_PIXELS = 210_000_000
MOST_PIXELS_INFLATED = 100_000_000  # of formats whose every pixel must be decoded at full size

STEP = MIB // 2

_reserved = False


def _small_room(count: int = 3 * MIB // 80, every: int = 1024) -> list[bytes]:
    """Room for Python's small objects, held open by a few of them.

    Python takes such room a quarter MiB at a time and gives none back in which a single object stays. Taken
    in mid-render it would lie above the picture's pixels and cut the room for the next picture in two.
    """
    objects = [bytes(40) for _ in range(count)]
    return objects[::every]


_holding_it_open = _small_room()


def check_pixels(size: Size, most: int = MOST_PIXELS) -> None:
    """Refuse what would take too long, whatever its memory."""
    if size.width * size.height > most:
        raise TooLarge(f"{_described(size)}; the limit is {most // 10**6} megapixels.")


def admit(size: Size, kind: str, needed: Callable[[Size], int], held: int = 0) -> None:
    """Refuse a picture whose rendering would not fit in memory; make room for one that does.

    `held` is how many of the bytes needed are in memory already.
    """
    if needed(size) > BUDGET:
        raise too_large(size, kind, needed)
    reserve(needed(size), held)


def reserve(peak: int, held: int = 0) -> None:
    """Make the heap as large as it may be, once and before anything lies in the way.

    Left to itself it grows by a twentieth at least, and a growth that passes the ceiling fails as a whole.
    What is left above a small picture would be in a large one's way. `held` of the peak is in memory already.
    """
    global _reserved
    if _reserved:
        return
    _reserved = True
    for room in range(CEILING, peak - held - STEP, -STEP):
        with suppress(MemoryError):
            bytearray(room)
            return


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
