"""JPEG: scaled decoding, luma apart from chroma, several scans."""

import asyncio
from collections.abc import AsyncGenerator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from tests.support.imaging.originals import JPEG_KINDS, encoded, psnr, scene
from tests.support.imaging.rendering import OPTIONS, picture_of, reference

from imaging import heap
from imaging.color.convert import Colours
from imaging.errors import UnreadableImage
from imaging.formats.jpeg import Jpeg
from imaging.formats.jpeg_plan import Plan, choose
from imaging.formats.jpeg_reader import JpegHeader, read_header
from imaging.formats.jpeg_segments import Coding, Component
from imaging.formats.original import open_original
from imaging.geometry import Box, Size, display_size, fit_within
from imaging.planes import as_image
from imaging.render import target_of
from imaging.resample import Target
from imaging.source import BytesSource, Feed
from imaging.variants import Variant


def header_of(data: bytes) -> JpegHeader:
    async def read() -> JpegHeader:
        async with Feed(BytesSource(data)) as feed:
            header, _ = await read_header(feed, len(data))
            return header

    return asyncio.run(read())


def plan_for(data: bytes, variant: Variant, size: tuple[int, int]) -> Plan:
    """The plan for Pillow and a picture of that kind and of another size."""
    header = header_of(data)
    resized = JpegHeader(**{name: getattr(header, name) for name in header.__slots__} | {"size": Size(*size)})
    if variant is Variant.WATERMARK:
        return choose(resized, [Target(Box(0, 0, *size), fit_within(Size(*size), 2048))], by_rows=False)
    side, short = OPTIONS[variant].size, min(size)
    return choose(resized, [Target(Box(0, 0, short, short), side)], by_rows=False)


def decoded(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("kind", JPEG_KINDS)
def test_every_coding_gives_the_picture(kind: str, variant: Variant) -> None:
    data = encoded(scene(2600, 1400), "JPEG", **JPEG_KINDS[kind])
    assert psnr(picture_of(variant, data), reference(variant, decoded(data))) > 43


def test_a_picture_that_is_neither_enlarged_nor_reduced_keeps_its_pixels() -> None:
    data = encoded(scene(1200, 800), "JPEG", quality=90)
    assert psnr(picture_of(Variant.WATERMARK, data), decoded(data)) > 48
    full = encoded(scene(1200, 800), "JPEG", quality=90, subsampling=0)
    picture = picture_of(Variant.WATERMARK, full)
    with Image.open(BytesIO(full)) as stored:
        stored.draft(picture.mode, stored.size)  # RGB, or as it is stored
        assert picture.tobytes() == stored.tobytes()


def test_luma_and_chroma_in_one_reading_or_two_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(scene(3300, 500), "JPEG", quality=90)
    once = picture_of(Variant.WATERMARK, data)
    monkeypatch.setattr("imaging.formats.jpeg.choose", lambda *_: Plan(1, 2, 2, 0))
    assert picture_of(Variant.WATERMARK, data).tobytes() == once.tobytes()


def test_a_second_reading_is_another_passage_through_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted(BytesSource):
        readings = 0

        async def chunks(self) -> AsyncGenerator[bytes, None]:
            self.readings += 1
            async for chunk in super().chunks():
                yield chunk

    async def read(source: Counted) -> None:
        async with Feed(source) as feed:
            original = await open_original(source, feed)
            target = target_of(Variant.WATERMARK, original, OPTIONS[Variant.WATERMARK])
            await original.resampled([target], Colours(None, "#ffffff"))

    for readings in (1, 2):
        monkeypatch.setattr(
            "imaging.formats.jpeg.choose", lambda *_, readings=readings: Plan(1, 2, readings, 0)
        )
        source = Counted(encoded(scene(3300, 300), "JPEG"))
        asyncio.run(read(source))
        assert source.readings == readings


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_codings_are_never_split(mode: str) -> None:
    data = encoded(scene(64, 64).convert(mode), "JPEG")
    assert not plan_for(data, Variant.WATERMARK, (4000, 3000)).chroma


def test_rgb_components_are_read_as_rgb() -> None:
    data = encoded(scene(2400, 300), "JPEG", quality=95, keep_rgb=True)
    assert header_of(data).coding is Coding.RGB
    assert psnr(picture_of(Variant.WATERMARK, data), reference(Variant.WATERMARK, decoded(data))) > 50


@pytest.mark.parametrize(
    ("size", "variant", "scale"),
    [
        ((4000, 3000), Variant.WATERMARK, 1),
        ((8200, 6000), Variant.WATERMARK, 2),
        ((17000, 11800), Variant.WATERMARK, 4),
        ((4000, 3000), Variant.THUMBNAIL, 4),
        ((4000, 3000), Variant.ICON, 8),
        ((12000, 9000), Variant.ICON, 8),
        ((400, 300), Variant.THUMBNAIL, 1),
    ],
)
def test_scaling_stops_well_above_the_target(size: tuple[int, int], variant: Variant, scale: int) -> None:
    assert plan_for(encoded(scene(16, 16), "JPEG"), variant, size).scale == scale


def test_where_the_finest_plan_does_not_fit_a_coarser_one_is_taken() -> None:
    data = encoded(scene(16, 16), "JPEG", progressive=True)
    assert plan_for(data, Variant.WATERMARK, (4000, 3000)).scale == 1
    coarser = plan_for(data, Variant.WATERMARK, (5300, 3975))
    assert coarser.scale == 2
    assert coarser.peak <= heap.BUDGET


def test_chroma_that_is_stored_in_full_stays_at_half() -> None:
    data = encoded(scene(16, 16), "JPEG", subsampling=0)
    assert plan_for(data, Variant.WATERMARK, (4000, 3000))[:3] == (1, 2, 1)
    halved = encoded(scene(16, 16), "JPEG")
    assert plan_for(halved, Variant.WATERMARK, (4000, 3000))[:3] == (1, 4, 1)
    assert plan_for(halved, Variant.WATERMARK, (3500, 2600))[:3] == (1, 2, 1)


def test_the_last_resort_is_a_hair_coarser_than_the_display() -> None:
    data = encoded(scene(16, 16), "JPEG", progressive=True, keep_rgb=True)
    assert plan_for(data, Variant.WATERMARK, (3700, 2000)).scale == 2


@pytest.mark.parametrize("plan", [Plan(1, 4, 2, 0), Plan(2, 4, 2, 0)])
def test_what_is_done_for_lack_of_memory_is_good_enough(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(scene(3900, 2000), "JPEG", quality=90)
    monkeypatch.setattr("imaging.formats.jpeg.choose", lambda *_: plan)
    assert psnr(picture_of(Variant.WATERMARK, data), reference(Variant.WATERMARK, decoded(data))) > 38


def test_bytes_behind_the_picture_are_not_fetched() -> None:
    class Trailing:
        size = 1 << 24
        fetched = 0

        async def chunks(self) -> AsyncGenerator[bytes, None]:
            yield encoded(scene(200, 100), "JPEG")
            for _ in range(50):
                self.fetched += 1
                yield bytes(1000)

    async def read(source: Trailing) -> tuple[int, int]:
        async with Feed(source) as feed:
            original = await open_original(source, feed)
            target = target_of(Variant.ICON, original, OPTIONS[Variant.ICON])
            [picture] = await original.resampled([target], Colours(None, "#ffffff"))
            return picture.size

    source = Trailing()
    assert asyncio.run(read(source)) == (128, 128)
    assert source.fetched == 0


@pytest.mark.parametrize("chunk", [1, 3, 17, 1000])
def test_bytes_may_come_in_any_portions(chunk: int) -> None:
    async def read(data: bytes) -> Image.Image:
        source = BytesSource(data, chunk)
        async with Feed(source) as feed:
            original = await open_original(source, feed)
            target = target_of(Variant.WATERMARK, original, OPTIONS[Variant.WATERMARK])
            return as_image((await original.resampled([target], Colours(None, "#ffffff")))[0])

    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 3}):
        data = encoded(scene(120, 80), "JPEG", **options)
        assert psnr(asyncio.run(read(data)), decoded(data)) > 45


def _marker(data: bytes, code: int) -> int:
    return data.index(bytes([0xFF, code]))


def cut_in_header(data: bytes) -> bytes:
    return data[: _marker(data, 0xC0) + 6]


def twice_the_frame(data: bytes) -> bytes:
    at = _marker(data, 0xC0)
    frame = data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
    return data[:at] + frame + data[at:]


def no_height(data: bytes) -> bytes:
    at = _marker(data, 0xC0)
    return data[: at + 5] + bytes(2) + data[at + 7 :]


def twelve_bits(data: bytes) -> bytes:
    at = _marker(data, 0xC0)
    return data[: at + 4] + b"\x0c" + data[at + 5 :]


def no_sampling(data: bytes) -> bytes:
    at = _marker(data, 0xC0)
    return data[: at + 11] + b"\0" + data[at + 12 :]


@pytest.mark.parametrize(
    "damage",
    [
        cut_in_header,
        twice_the_frame,
        no_height,
        twelve_bits,
        no_sampling,
        lambda data: data[: len(data) // 2],
        lambda data: data[:-40],
        lambda data: data[:3] + b"\xd9",
    ],
)
def test_damage_is_reported(damage: Any) -> None:
    data = encoded(scene(200, 150), "JPEG")
    with pytest.raises(UnreadableImage):
        picture_of(Variant.ICON, damage(data))


def test_a_jpeg_is_opened_as_one() -> None:
    async def opened() -> object:
        source = BytesSource(encoded(scene(8, 8), "JPEG"))
        async with Feed(source) as feed:
            return await open_original(source, feed)

    assert isinstance(asyncio.run(opened()), Jpeg)


@pytest.mark.parametrize("shape", [1.0, 4 / 3, 1.5, 1 / 4, 1 / 12])
@pytest.mark.parametrize("coding", [Coding.CMYK, Coding.YCC])
def test_a_smaller_picture_is_never_refused_where_a_larger_one_is_not(coding: Coding, shape: float) -> None:
    components = tuple(Component(name, 1, 1, 0) for name in range(1, 5 if coding is Coding.CMYK else 4))
    for megapixels in range(1, 210):
        height = round((megapixels * 1e6 / shape) ** 0.5)
        size = Size(round(height * shape), height)
        header = JpegHeader(
            size=size,
            coding=coding,
            components=components,
            progressive=False,
            buffered=False,
            arithmetic=False,
            kept=0,
            orientation=1,
            profile=None,
        )
        assert choose(header, [Target(Box(0, 0, *size), display_size(size))])
