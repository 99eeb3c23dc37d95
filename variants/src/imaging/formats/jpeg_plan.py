"""How to decode a JPEG: at which scale, luma and chroma together or not, so that it fits in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from typing import NamedTuple

from imaging import heap, kernels
from imaging.formats.jpeg_reader import JpegHeader
from imaging.formats.jpeg_segments import Coding
from imaging.formats.jpeg_writer import LINE
from imaging.geometry import Box, Size, area
from imaging.resample import REACH, Target

SCALES = (8, 4, 2, 1)
FINENESS = 1.35  # a scaled decode is at least so many times larger than its target, or it is visibly softer
FINENESS_OF_SMALL = 2.0  # 46 dB or more from a full decode on photographs
SMALL = 1024  # pixels of a target's longer side
MOST_ARITHMETIC = 50_000_000  # pixels; arithmetic decoding takes longer than Huffman codes
COARSEST = 0.84  # of FINENESS, where nothing finer fits in memory: softer, but not refused
FINENESS_OF_CHROMA = 0.475  # a display is stored with halved chroma, so half its own size is enough
_ROW_DECODER = 7 * heap.MIB // 2  # bytes, of which its rows are at most 3 MiB (kernels/README.md)
SPLIT_FROM = 1.5  # times the target's size; below, a plain decode is cheap, and exact


class Plan(NamedTuple):
    """One way to decode. `scale` is that of luma, `chroma` that of chroma when it is decoded separately.

    The file is read `readings` times; three times when each component is decoded alone. `peak` is in bytes.
    With `rows` the kernel decodes and resizes row by row, and `chroma` is relative to the size that chroma
    is stored in.
    """

    scale: int
    chroma: int | None
    readings: int
    peak: int
    rows: bool = False


def choose(header: JpegHeader, targets: Sequence[Target], held: int = 0, *, by_rows: bool = True) -> Plan:
    """The finest plan that is worth its time and fits in memory; by the kernel only if `by_rows`.

    `held` is the number of bytes that the source keeps in memory.

    Raises:
        TooLarge: None fits.
    """
    for plan in _plans(header, targets):
        if heap.fits(plan.peak + held) and (by_rows or not plan.rows):
            return plan
    kind = "a progressive JPEG" if header.buffered else "a JPEG"

    def smallest_peak(size: Size) -> int:
        factor = size.width / header.size.width
        shrunk = replace(header, size=size, kept=int(header.kept * factor * factor))
        boxes = [Target(Box(*(edge * factor for edge in target.box)), target.size) for target in targets]
        return min(plan.peak for plan in _plans(shrunk, boxes)) + int(held * factor * factor)

    raise heap.too_large(header.size, kind, smallest_peak)


def scaled(size: Size, scale: int) -> Size:
    """The size of a picture that the decoder scales down."""
    return Size(-(-size.width // scale), -(-size.height // scale))


def _plans(header: JpegHeader, targets: Sequence[Target]) -> Iterator[Plan]:
    """The plans to try, the finest first."""
    ratio = min(ratio_of(target) for target in targets)
    small = all(max(target.size) <= SMALL for target in targets)
    fineness = FINENESS_OF_SMALL if small else FINENESS
    best = next((scale for scale in SCALES if ratio / scale >= fineness), 1)
    if kernels.decodes(header) and ratio >= 1:  # libjpeg and Pillow enlarge chroma in two steps
        chroma = _chroma_of_rows(header, best, ratio, small)
        yield Plan(best, chroma, 1, _rows_peak(header, (best, chroma), targets), rows=True)
    for scale in (scale for scale in reversed(SCALES) if scale >= best):
        if scale > best and ratio / scale < COARSEST:
            return
        if _worth_splitting(header, scale, ratio, small):
            for chroma, readings in _chroma_ways(scale, 0 if small or not header.halved else ratio):
                peak = _split_peak(header, scale, chroma, readings, targets)
                yield Plan(scale, chroma, readings, peak)
        else:
            yield Plan(scale, None, 1, _whole_peak(header, scale, targets))
        if header.separable:
            chroma = scale if small else next(_chroma_ways(scale, ratio if header.halved else 0))[0]
            yield Plan(scale, chroma, 3, _components_peak(header, scale, targets))


def _chroma_ways(scale: int, ratio: float) -> Iterator[tuple[int, int]]:
    """The scales of chroma for a scale of luma, each with a number of readings, the best first.

    Chroma at a quarter comes first where the `ratio` to the target says that it is not visible, else last.
    """
    half, quarter = 2 * scale, 4 * scale
    if quarter in SCALES and ratio / quarter >= FINENESS_OF_CHROMA:
        yield from ((quarter, 1), (quarter, 2))
        return
    yield from ((half, 1), (half, 2))
    if quarter in SCALES:
        yield quarter, 2


def _chroma_of_rows(header: JpegHeader, scale: int, ratio: float, small: bool) -> int:
    """The scale of the stored chroma for rows: that of luma for squares, else as where Pillow decodes it."""
    stored = max(header.reduction(len(header.components) - 1))
    if small or not (header.halved or ratio >= SPLIT_FROM):
        return scale_within(scale, stored)
    return scale_within(next(_chroma_ways(scale, ratio if header.halved else 0))[0], stored)


def _worth_splitting(header: JpegHeader, scale: int, ratio: float, small: bool) -> bool:
    if header.coding is not Coding.YCC or scale == max(SCALES):
        return False
    return (header.halved and scale == 1) or (not small and ratio >= SPLIT_FROM)


def ratio_of(target: Target) -> float:
    box, size = target
    return min((box.right - box.left) / size.width, (box.bottom - box.top) / size.height)


def _whole_peak(header: JpegHeader, scale: int, targets: Sequence[Target]) -> int:
    image = area(scaled(header.size, scale)) * (1 if header.coding is Coding.GREY else 4)
    outcome = sum(area(target.size) for target in targets) * 4
    return image + max(_codec(header) + heap.DECODING, outcome + heap.WORKING)


def _split_peak(
    header: JpegHeader, scale: int, chroma_scale: int, readings: int, targets: Sequence[Target]
) -> int:
    luma, chroma = area(scaled(header.size, scale)), area(scaled(header.size, chroma_scale)) * 4
    plane = sum(area(target.size) for target in targets)
    codec, merging = _codec(header) + heap.DECODING, 11 * plane + heap.WORKING
    resizing = 3 * plane + chroma // 4 + heap.WORKING
    if readings == 1:
        return max(luma + chroma + max(2 * codec, plane + heap.WORKING), chroma + resizing, merging)
    # The first target is allocated above luma. What fits into luma's gap goes there; the rest goes above,
    # where small objects may have been left.
    room, above = max(0, luma - chroma), (2 if header.halved else 5) * heap.MIB
    for array in sorted(header.coefficients()):
        room, above = (room - array, above) if array <= room else (room, above + array)
    second = max(luma, chroma) + plane + above + _lines(header) + heap.DECODING
    return max(luma + max(codec, plane + heap.WORKING), second, chroma + resizing, merging)


def _components_peak(header: JpegHeader, scale: int, targets: Sequence[Target]) -> int:
    # Chroma is no larger than luma, and the results of each component are allocated above it.
    plane = sum(area(target.size) for target in targets)
    # For interleaved scans two bytes a block are kept, and twice while they are copied.
    direct = sum(header.coefficients()) // 32
    decoding = max(header.coefficients()) + direct + _lines(header) + heap.DECODING + heap.WORKING
    planes = room_for_planes(targets)
    return max(area(scaled(header.size, scale)) + planes + decoding, 11 * plane + heap.WORKING)


def _rows_peak(header: JpegHeader, scales: tuple[int, int], targets: Sequence[Target]) -> int:
    planes = sum(area(target.size) for target in targets)
    parts = range(len(header.components))
    resizers = sum(
        _resizer_bytes(header, part, scales[min(part, 1)], target) for part in parts for target in targets
    )
    return max(len(parts) * planes + _ROW_DECODER + resizers, 11 * planes) + heap.WORKING


def _resizer_bytes(header: JpegHeader, part: int, scale: int, target: Target) -> int:
    across, down = header.reduction(part)
    box, size = coarser(target, (scale * across, scale * down))
    spans = (box.right - box.left, box.bottom - box.top)
    across, down = (
        ceil(2 * REACH * max(1.0, span / side)) + 8 for span, side in zip(spans, size, strict=True)
    )
    # Rows that are kept or wait to be taken, and weights: two bytes each
    return 2 * (size.width * (down + 32) + size.width * across + size.height * down)


def room_for_planes(targets: Sequence[Target]) -> int:
    """Bytes for the results of the first two of three components, and for intermediate pictures."""
    return 2 * sum(area(target.size) for target in targets) + heap.MIB


def scale_within(scale: int, reduction: int) -> int:
    """The scale for a component that is stored reduced, so that both together are at most `scale`."""
    return next((each for each in SCALES if each * reduction <= scale), 1)


def _codec(header: JpegHeader) -> int:
    return _lines(header) + sum(header.coefficients()) + header.kept


def _lines(header: JpegHeader) -> int:
    return header.size.width * LINE


def coarser(target: Target, scale: int | tuple[int, int]) -> Target:
    """The target, its box in pixels of the scaled decode."""
    across, down = scale if isinstance(scale, tuple) else (scale, scale)
    left, top, right, bottom = target.box
    return target._replace(box=Box(left / across, top / down, right / across, bottom / down))
