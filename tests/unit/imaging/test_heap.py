"""What is accepted, by the model of memory that benchmarks/imaging_memory.py holds to real peaks."""

import asyncio
import re
import weakref
import zlib
from collections.abc import AsyncGenerator, Callable
from unittest import mock

import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, png_chunk, scene
from tests.support.imaging.rendering import OPTIONS, rendered

from imaging import heap
from imaging.errors import TooLarge
from imaging.formats import webp as webp_module
from imaging.geometry import Size
from imaging.render import render
from imaging.variants import Variant

SHAPES = [(4, 3), (3, 4), (1, 1), (3, 1), (1, 6)]


class _BeganError(Exception):
    """Raised where decoding would begin."""


class Header:
    """The beginning of a file that would be as long as such pictures are."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = data
        self.size = size

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield self._data


def jpeg(mode: str = "RGB", **options: object) -> Callable[[Size], bytes]:
    def header(size: Size) -> bytes:
        data = encoded(Image.new(mode, (16, 16)), "JPEG", **options)
        at = data.index(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0") + 5
        return data[:at] + size.height.to_bytes(2, "big") + size.width.to_bytes(2, "big") + data[at + 4 :]

    return header


def png(colour: int, depth: int = 8, interlaced: bool = False, extra: bytes = b"") -> Callable[[Size], bytes]:
    def header(size: Size) -> bytes:
        sides = size.width.to_bytes(4, "big") + size.height.to_bytes(4, "big")
        head = png_chunk(b"IHDR", sides + bytes([depth, colour, 0, 0, int(interlaced)]))
        palette = png_chunk(b"PLTE", bytes(768)) if colour == 3 else b""
        return b"\x89PNG\r\n\x1a\n" + head + palette + extra + png_chunk(b"IDAT", zlib.compress(bytes(99)))

    return header


def gif(size: Size) -> bytes:
    return (
        b"GIF89a"
        + size.width.to_bytes(2, "little")
        + size.height.to_bytes(2, "little")
        + b"\0\0\0,"
        + bytes(9)
    )


def webp(size: Size) -> bytes:
    sides = (size.width - 1).to_bytes(3, "little") + (size.height - 1).to_bytes(3, "little")
    frame = b"VP8 " + (size.width * size.height // 8).to_bytes(4, "little") + bytes(20)
    return b"RIFF" + bytes(4) + b"WEBPVP8X" + (10).to_bytes(4, "little") + bytes(4) + sides + frame


def accepted(variant: Variant, data: bytes, length: int) -> bool:
    """Whether the picture's decoding would begin."""

    def fits(peak: int) -> bool:
        if peak <= heap.BUDGET:
            raise _BeganError
        return False

    with mock.patch.object(heap, "fits", fits):
        try:
            asyncio.run(render(variant, Header(data, length), OPTIONS[variant]))
        except _BeganError:
            return True
        except TooLarge:
            return False
    raise AssertionError("neither refused nor begun")


def shaped(shape: tuple[int, int], megapixels: float) -> Size:
    unit = (megapixels * 1e6 / (shape[0] * shape[1])) ** 0.5
    return Size(int(shape[0] * unit), int(shape[1] * unit))


ACCEPTED = {
    "baseline JPEG": (100, jpeg()),
    "baseline JPEG, full chroma": (100, jpeg(subsampling=0)),
    "baseline JPEG, stretch": (200, jpeg()),
    "grey JPEG": (100, jpeg("L")),
    "CMYK JPEG": (30, jpeg("CMYK")),
    "progressive JPEG": (16, jpeg(progressive=True)),
    "PNG RGB": (48, png(2)),
    "PNG RGBA": (48, png(6)),
    "PNG grey": (48, png(0)),
    "PNG palette": (48, png(3)),
    "PNG, 16 bits": (48, png(2, 16)),
    "interlaced PNG": (6, png(6, 8, True)),
    "interlaced PNG, 16 bits": (6, png(6, 16, True)),
    "GIF": (12, gif),
    "WebP": (4.7, webp),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", ACCEPTED)
def test_at_least_this_much_is_accepted_for_all_three(kind: str, shape: tuple[int, int]) -> None:
    megapixels, header = ACCEPTED[kind]
    size = shaped(shape, megapixels)
    length = min(60_000_000, size.width * size.height // 2)
    assert all(accepted(variant, header(size), length) for variant in Variant)


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize(("flags", "megapixels"), [(0, 50), (0x10, 35)])
def test_with_its_module_a_webp_fits_up_to_that_bound(flags: int, megapixels: int, variant: Variant) -> None:
    with mock.patch.object(webp_module, "vfa_webp", object()):
        for length, fits in ((30_000_000, True), (50_000_000, False)):
            data = bytearray(webp(shaped((4, 3), megapixels - 0.1)))
            data[20] = flags
            data[34:38] = length.to_bytes(4, "little")
            assert accepted(variant, bytes(data), length) is fits


@pytest.mark.parametrize(("flags", "megapixels"), [(0, 50), (0x10, 35), (0x02, 35)])
def test_a_webp_has_a_bound_of_work(flags: int, megapixels: int) -> None:
    data = bytearray(webp(shaped((4, 3), megapixels + 0.1)))
    data[20] = flags
    with pytest.raises(TooLarge, match=f"the limit is {megapixels} megapixels for a WebP"):
        asyncio.run(render(Variant.ICON, Header(bytes(data), 1 << 20), OPTIONS[Variant.ICON]))


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("packing", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_tiff_of_six_megapixels_is_accepted(packing: str | None, variant: Variant) -> None:
    data = encoded(
        Image.radial_gradient("L").resize((3000, 2000)).convert("RGB"), "TIFF", compression=packing
    )
    assert accepted(variant, data, len(data))


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize(
    ("kind", "megapixels"), [("progressive JPEG", 90), ("interlaced PNG", 45), ("GIF", 90), ("WebP", 45)]
)
def test_the_limit_that_is_named_is_the_limit(kind: str, megapixels: float, variant: Variant) -> None:
    header = ACCEPTED[kind][1]
    size = shaped((4, 3), megapixels)
    length = size.width * size.height // 2
    with pytest.raises(TooLarge) as refusal:
        asyncio.run(render(variant, Header(header(size), length), OPTIONS[variant]))
    found = re.search(r"of this shape is ([\d.]+) megapixels", str(refusal.value))
    assert found
    named = float(found[1])
    below, above = shaped((4, 3), named * 0.97), shaped((4, 3), named * 1.05)
    assert accepted(variant, header(below), length * below.width * below.height // (size.width * size.height))
    assert not accepted(
        variant, header(above), length * above.width * above.height // (size.width * size.height)
    )


def test_the_heap_takes_all_there_is_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    at_rest, there_is = 25 * heap.MIB, 55 * heap.MIB

    def allocate(count: int) -> None:
        asked.append(count)
        if count > there_is:
            raise MemoryError

    monkeypatch.setattr(heap, "_grown", False)
    monkeypatch.setattr(heap, "_end", lambda: at_rest)
    monkeypatch.setattr(heap, "bytearray", allocate, raising=False)
    heap.grow()
    assert at_rest + asked[0] <= heap.CEILING
    assert there_is - heap.STEP < asked[-1] <= there_is
    times = len(asked)
    heap.grow()
    assert len(asked) == times


COLOUR_KEY = png_chunk(b"tRNS", bytes(6))
MOST_MEGAPIXELS = {
    "grey": (100, png(0)),
    "grey, 16 bits": (100, png(0, 16)),
    "colour": (60, png(2)),
    "palette": (60, png(3)),
    "alpha": (50, png(6)),
    "grey with alpha": (50, png(4)),
    "16 bits": (50, png(2, 16)),
    "transparent colour": (50, png(2, extra=COLOUR_KEY)),
    "transparent colour of 16 bits": (35, png(2, 16, extra=COLOUR_KEY)),
}


@pytest.mark.parametrize("kind", MOST_MEGAPIXELS)
def test_a_png_may_have_as_many_pixels_as_its_kind_costs(kind: str) -> None:
    most, header = MOST_MEGAPIXELS[kind]
    assert accepted(Variant.WATERMARK, header(shaped((4, 3), most * 0.99)), 1_000_000)
    with pytest.raises(TooLarge, match=rf"the limit is {most} megapixels"):
        asyncio.run(
            render(Variant.ICON, Header(header(shaped((4, 3), most * 1.01)), 9), OPTIONS[Variant.ICON])
        )


def test_rows_are_judged_as_well_as_pixels() -> None:
    assert accepted(Variant.ICON, png(0)(Size(1, 1_000_000)), 9)
    for size in (Size(1, 1_000_001), Size(3, 20_000_000)):
        with pytest.raises(TooLarge, match="the limit is 1000000 rows"):
            asyncio.run(render(Variant.ICON, Header(png(0)(size), 9), OPTIONS[Variant.ICON]))


@pytest.mark.parametrize(("failures", "expected"), [(0, "made"), (1, "made"), (2, None)])
def test_what_does_not_fit_is_tried_once_more_in_a_cleared_heap(failures: int, expected: str | None) -> None:
    done: list[str] = []

    async def make() -> str:
        done.append("try")
        if done.count("try") <= failures:
            raise MemoryError
        return "made"

    def attempt() -> str:
        return asyncio.run(heap.within_memory(make, lambda: done.append("clear")))

    if expected:
        assert attempt() == expected
    else:
        with pytest.raises(TooLarge, match="more memory than a renderer has"):
            attempt()
    assert done == ["clear", "try"] * min(2, failures + 1)


def test_a_failed_render_frees_the_picture() -> None:
    held: list[weakref.ref[Image.Image]] = []

    async def make() -> None:
        picture = Image.new("L", (1, 1))
        assert all(reference() is None for reference in held)
        held.append(weakref.ref(picture))
        raise MemoryError

    with pytest.raises(TooLarge):
        asyncio.run(heap.within_memory(make, lambda: None))
    assert len(held) == 2


def test_a_heap_that_cannot_grow_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise MemoryError

    monkeypatch.setattr(heap, "_grown", False)
    monkeypatch.setattr(heap, "_end", lambda: 25 * heap.MIB)
    monkeypatch.setattr(heap, "bytearray", full, raising=False)
    heap.grow()


@pytest.mark.parametrize(
    "data",
    [
        encoded(scene(64, 64), "JPEG"),
        encoded(scene(64, 64), "JPEG", progressive=True),
        encoded(scene(64, 64), "TIFF", compression="tiff_lzw"),
    ],
    ids=["JPEG", "progressive JPEG", "TIFF"],
)
def test_a_decoder_that_runs_out_of_memory_does_not_report_a_broken_file(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise MemoryError

    monkeypatch.setattr("imaging.kernels.vfa_kernels", None)
    monkeypatch.setattr(heap, "bytearray", full, raising=False)
    with pytest.raises(MemoryError):
        rendered(Variant.WATERMARK, data)
