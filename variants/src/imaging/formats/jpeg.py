"""JPEG originals: scaled while decoding, luma apart from chroma where that saves memory and time.

libjpeg and libjpeg-turbo enlarge halved chroma differently. Decoded separately, luma and chroma are the same
to the bit in both, and the resizer enlarges chroma: a rendition does not depend on the library.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import NamedTuple

from PIL import Image

from imaging import heap
from imaging.formats.jpeg_planes import PlaneWriter, plane_of
from imaging.formats.jpeg_reader import MOST_BLOCKS, Begun, JpegHeader, JpegReading, read_header
from imaging.formats.jpeg_segments import Coding, Scan
from imaging.formats.jpeg_writer import LINE, Decoding, JpegWriter
from imaging.formats.raster import Raster
from imaging.geometry import Box, Size, area
from imaging.resample import UNTREATED, Resampler, Target, Treatment, treated
from imaging.source import Feed, Source

SCALES = (8, 4, 2, 1)
FINENESS = 1.4  # a scaled decode is at least so many times larger than its target, or it is visibly softer
FINENESS_OF_SMALL = 2.4
SMALL = 1024
MOST_ARITHMETIC = 50_000_000  # pixels; arithmetic decoding takes longer than Huffman codes
COARSEST = 0.84  # of FINENESS, where nothing finer fits in memory: softer, but not refused
FINENESS_OF_CHROMA = 0.475  # a display is stored with halved chroma, so half its own size is enough
SPLIT_FROM = 1.5  # times the target's size; below, a plain decode is cheap, and exact
# libjpeg itself enlarges chroma linearly; when chroma is reduced, bicubic keeps more detail.
_CHROMA_UP, _CHROMA_DOWN = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC
_LUMA = Image.Resampling.LANCZOS
_MODES = {Coding.GREY: "L", Coding.CMYK: "CMYK", Coding.YCCK: "CMYK"}


class Plan(NamedTuple):
    """One way to decode: the scale of luma, that of chroma when it is decoded separately, the number of
    readings.

    With three readings each component is decoded alone. `peak` is in bytes.
    """

    scale: int
    chroma: int | None
    readings: int
    peak: int


class Jpeg:
    """An original whose header has been read."""

    def __init__(self, source: Source, header: JpegHeader, begun: Begun, held: int = 0) -> None:
        """`held` is the number of bytes that the source itself keeps in memory."""
        self._source = source
        self._held = held
        self._header = header
        self._started: Begun | None = begun
        self._most_blocks = MOST_BLOCKS
        self.size = header.size
        self.orientation = header.orientation
        self.profile = header.profile

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> list[Image.Image]:
        """Every target; raises TooLarge before any decoding when no plan fits in memory."""
        plan = choose(self._header, targets, self._held)
        self._most_blocks = MOST_BLOCKS // (2 if plan.readings == 2 else 1)
        if plan.chroma and plan.readings == 3:
            return await self._by_component(plan, plan.chroma, targets, treatment)
        if plan.chroma:
            return await self._split(plan, plan.chroma, targets, treatment)
        image = (await self._decode([self._raster(plan.scale)])).pop().image
        return [_resized(image, target, plan.scale, treatment) for target in targets]

    async def _split(
        self, plan: Plan, chroma_scale: int, targets: Sequence[Target], treatment: Treatment
    ) -> list[Image.Image]:
        rasters = [self._raster(plan.scale, "L")]
        # A second reading for chroma takes a few lines more than luma; reserved now, it fits into luma's gap.
        spare = bytearray(4 * sum(rasters[0].image.size) + 4096)
        if plan.readings == 1:
            rasters.append(self._raster(chroma_scale, "YCbCr"))
        luma, *chromas = [raster.image for raster in await self._decode(rasters)]
        rasters.clear()
        planes = [[_resized(luma, target, plan.scale)] for target in targets]
        del luma, spare
        if plan.readings == 2:
            chromas = [raster.image for raster in await self._decode([self._raster(chroma_scale, "YCbCr")])]
        for channel in ("Cb", "Cr"):
            plane = chromas[0].getchannel(channel)
            for target, resized_planes in zip(targets, planes, strict=True):
                kernel = _CHROMA_UP if _ratio(target) <= chroma_scale else _CHROMA_DOWN
                resized_planes.append(_resized(plane, target, chroma_scale, kernel=kernel))
        chromas.clear()
        del plane, resized_planes
        # One by one, so that the planes of a target are freed as it is merged.
        return [treated(Image.merge("YCbCr", planes.pop(0)), treatment) for _ in targets]

    async def _by_component(
        self, plan: Plan, chroma_scale: int, targets: Sequence[Target], treatment: Treatment
    ) -> list[Image.Image]:
        planes: list[list[Image.Image]] = [[] for _ in targets]
        direct: dict[tuple[int, int], bytes] = {}
        # The results go into the gap that this leaves, and not where the next component's coefficients must
        # fit.
        spare = [bytearray(_room_for_planes(targets))]
        for part in range(3):
            across, down = self._header.reduction(part)
            scale = plan.scale if part == 0 else _scale_within(chroma_scale, max(across, down))
            plane = await self._component(part, scale, direct)
            across, down = across * scale, down * scale
            spare.clear()
            for target, resized_planes in zip(targets, planes, strict=True):
                kernel = _LUMA if part == 0 else _CHROMA_UP if _ratio(target) <= across else _CHROMA_DOWN
                resized_planes.append(_resized(plane, target, (across, down), kernel=kernel))
            del plane, resized_planes
        return [treated(Image.merge("YCbCr", planes.pop(0)), treatment) for _ in targets]

    async def _component(self, part: int, scale: int, direct: dict[tuple[int, int], bytes]) -> Image.Image:
        async with self._reading() as (reading, frame, first):
            alone = plane_of(frame, part)
            raster = Raster("L", scaled(alone.size, scale), "jpeg", ("L", "L", scale, 0))
            await _fill([Decoding(raster, reading.reader, PlaneWriter(frame, part, direct))], reading, first)
            return raster.image

    def _raster(self, scale: int, mode: str | None = None) -> Raster:
        mode = mode or _MODES.get(self._header.coding, "RGB")
        # The highest value of an ink is no ink, with Adobe's marker and without, as in every other reader.
        rawmode = "CMYK;I" if mode == "CMYK" else mode
        return Raster(mode, scaled(self.size, scale), "jpeg", (rawmode, self._header.coding.value, scale, 0))

    async def _decode(self, rasters: list[Raster]) -> list[Raster]:
        async with self._reading() as (reading, frame, first):
            coding = self._header.coding
            decodings = [Decoding(raster, reading.reader, JpegWriter(frame, coding)) for raster in rasters]
            await _fill(decodings, reading, first)
            return rasters

    @asynccontextmanager
    async def _reading(self) -> AsyncGenerator[Begun, None]:
        """The reading that was started for the header, or a new one."""
        begun, self._started = self._started, None
        if begun:
            begun[0].reader.most_blocks = self._most_blocks
            yield begun
            return
        async with Feed(self._source) as feed:
            begun = await JpegReading.begin(feed)
            begun[0].reader.most_blocks = self._most_blocks
            yield begun


async def _fill(decodings: list[Decoding], reading: JpegReading, first: Scan) -> None:
    for decoding in decodings:
        decoding.take(first)
    async with aclosing(reading.pieces()) as pieces:
        async for piece in pieces:
            for decoding in decodings:
                decoding.take(piece)
    for decoding in decodings:
        decoding.finish()


async def open_jpeg(source: Source, feed: Feed) -> Jpeg:
    """Read the header; refuses pictures that are too large, decodes nothing."""
    header, begun = await read_header(feed, source.size)
    heap.check_pixels(header.size, MOST_ARITHMETIC if header.arithmetic else heap.MOST_PIXELS)
    return Jpeg(source, header, begun)


def choose(header: JpegHeader, targets: Sequence[Target], held: int = 0) -> Plan:
    """The finest plan that is worth its time and fits in memory.

    Raises:
        TooLarge: None fits.
    """
    for plan in _plans(header, targets):
        if heap.fits(plan.peak + held):
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
    ratio = min(_ratio(target) for target in targets)
    small = all(max(target.size) <= SMALL for target in targets)
    fineness = FINENESS_OF_SMALL if small else FINENESS
    best = next((scale for scale in SCALES if ratio / scale >= fineness), 1)
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


def _worth_splitting(header: JpegHeader, scale: int, ratio: float, small: bool) -> bool:
    if header.coding is not Coding.YCC or scale == max(SCALES):
        return False
    return (header.halved and scale == 1) or (not small and ratio >= SPLIT_FROM)


def _ratio(target: Target) -> float:
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
    planes = _room_for_planes(targets)
    return max(area(scaled(header.size, scale)) + planes + decoding, 11 * plane + heap.WORKING)


def _room_for_planes(targets: Sequence[Target]) -> int:
    """Bytes for the results of the first two of three components, and for intermediate pictures."""
    return 2 * sum(area(target.size) for target in targets) + heap.MIB


def _scale_within(scale: int, reduction: int) -> int:
    """The scale for a component that is stored reduced, so that both together are at most `scale`."""
    return next((each for each in SCALES if each * reduction <= scale), 1)


def _codec(header: JpegHeader) -> int:
    return _lines(header) + sum(header.coefficients()) + header.kept


def _lines(header: JpegHeader) -> int:
    return header.size.width * LINE


def _resized(
    image: Image.Image,
    target: Target,
    scale: int | tuple[int, int],
    treatment: Treatment = UNTREATED,
    kernel: Image.Resampling = _LUMA,
) -> Image.Image:
    resampler = Resampler(Size(*image.size), _coarser(target, scale), treatment, kernel)
    resampler.feed(image)
    return resampler.finished()


def _coarser(target: Target, scale: int | tuple[int, int]) -> Target:
    """The target, its box in pixels of the scaled decode."""
    across, down = scale if isinstance(scale, tuple) else (scale, scale)
    left, top, right, bottom = target.box
    return target._replace(box=Box(left / across, top / down, right / across, bottom / down))
