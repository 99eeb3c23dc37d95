"""JPEG originals: scaled while decoding, luma apart from chroma where that saves memory and time.

libjpeg and libjpeg-turbo enlarge halved chroma differently. Decoded separately, luma and chroma are the same
to the bit in both, and the resizer enlarges chroma: a rendition does not depend on the library.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager

from PIL import Image

from imaging import heap
from imaging.formats.jpeg_plan import (
    MOST_ARITHMETIC,
    SMALL,
    Plan,
    choose,
    coarser,
    ratio_of,
    room_for_planes,
    scale_within,
    scaled,
)
from imaging.formats.jpeg_planes import PlaneWriter, plane_of
from imaging.formats.jpeg_reader import MOST_BLOCKS, Begun, JpegHeader, JpegReading, read_header
from imaging.formats.jpeg_rows import decode_rows
from imaging.formats.jpeg_segments import Coding, Scan
from imaging.formats.jpeg_writer import Decoding, JpegWriter
from imaging.formats.raster import Raster
from imaging.geometry import Size
from imaging.planes import Picture, as_image
from imaging.resample import UNTREATED, Resampler, Target, Treatment, treated
from imaging.source import Feed, Source

# libjpeg itself enlarges chroma linearly; when chroma is reduced, bicubic keeps more detail.
_CHROMA_UP, _CHROMA_DOWN = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC
_LUMA = Image.Resampling.LANCZOS
_MODES = {Coding.GREY: "L", Coding.CMYK: "CMYK", Coding.YCCK: "CMYK"}


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

    async def resampled(self, targets: Sequence[Target], treatment: Treatment) -> Sequence[Picture]:
        """Every target; raises TooLarge before any decoding when no plan fits in memory."""
        plan = choose(self._header, targets, self._held)
        if plan.rows:
            try:
                return await self._by_rows(plan, targets, treatment)
            except NotImplementedError:  # an unusual sampling, with rows too large for the kernel
                plan = choose(self._header, targets, self._held, by_rows=False)
        self._most_blocks = MOST_BLOCKS // (2 if plan.readings == 2 else 1)
        if plan.chroma and plan.readings == 3:
            return await self._by_component(plan, plan.chroma, targets, treatment)
        if plan.chroma:
            return await self._split(plan, plan.chroma, targets, treatment)
        image = (await self._decode([self._raster(plan.scale)])).pop().image
        return [_resized(image, target, plan.scale, treatment) for target in targets]

    async def _by_rows(
        self, plan: Plan, targets: Sequence[Target], treatment: Treatment
    ) -> Sequence[Picture]:
        scales = plan.scale, plan.chroma or plan.scale
        filters = [self._filters(scales[1], target) for target in targets]
        async with self._reading() as begun:
            planes: list[Picture] = [*await decode_rows(begun, self._header, scales, targets, filters)]
        for at, picture in enumerate(planes):
            if not treatment.keeps(picture.mode):
                planes[at] = treated(as_image(picture), treatment)
        return planes

    def _filters(self, chroma_scale: int, target: Target) -> list[Image.Resampling]:
        """The resizing filter of each component."""
        filters, down = [_LUMA], _LUMA if max(target.size) <= SMALL else _CHROMA_DOWN
        for part in range(1, len(self._header.components)):
            across, _ = self._header.reduction(part)
            filters.append(_CHROMA_UP if ratio_of(target) <= across * chroma_scale else down)
        return filters

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
                kernel = _CHROMA_UP if ratio_of(target) <= chroma_scale else _CHROMA_DOWN
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
        spare = [bytearray(room_for_planes(targets))]
        for part in range(3):
            across, down = self._header.reduction(part)
            scale = plan.scale if part == 0 else scale_within(chroma_scale, max(across, down))
            plane = await self._component(part, scale, direct)
            across, down = across * scale, down * scale
            spare.clear()
            for target, resized_planes in zip(targets, planes, strict=True):
                kernel = _LUMA if part == 0 else _CHROMA_UP if ratio_of(target) <= across else _CHROMA_DOWN
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


def _resized(
    image: Image.Image,
    target: Target,
    scale: int | tuple[int, int],
    treatment: Treatment = UNTREATED,
    kernel: Image.Resampling = _LUMA,
) -> Image.Image:
    resampler = Resampler(Size(*image.size), coarser(target, scale), treatment, kernel)
    resampler.feed(image)
    return resampler.finished()
