"""Kernels and Pillow: who does what, and that renditions of both ways are alike."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest
from PIL import Image
from tests.support.imaging.originals import JPEG_KINDS, encoded, psnr, scene
from tests.support.imaging.rendering import picture_of, reference, rendered, seen

from imaging import kernels
from imaging.errors import UnreadableImage
from imaging.formats import jpeg_rows
from imaging.render import Options
from imaging.variants import Variant

pytestmark = pytest.mark.skipif(not find_spec("vfa_kernels"), reason="there is no C compiler")

OTHERS = {"jpeg-422": {"subsampling": 1}, "jpeg-restarts": {"restart_marker_blocks": 7}}
BASELINE = {name: options for name, options in JPEG_KINDS.items() if "progressive" not in options} | OTHERS
SIZES = [(2600, 1400), (333, 1217), (64, 48), (5, 3)]
FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90},
    "PNG": {"compress_level": 1},
    "WEBP": {"quality": 90},
    "GIF": {},
    "TIFF": {"compression": "tiff_deflate"},
}


@pytest.fixture
def without_kernels(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(kernels, "vfa_kernels", None)
    return monkeypatch


def both(monkeypatch: pytest.MonkeyPatch, variant: Variant, data: bytes) -> tuple[Image.Image, Image.Image]:
    """The picture by the kernels and by Pillow alone."""
    ours = picture_of(variant, data).convert("RGB")
    with monkeypatch.context() as patch:
        patch.setattr(kernels, "vfa_kernels", None)
        return ours, picture_of(variant, data).convert("RGB")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("kind", BASELINE)
def test_a_baseline_jpeg_is_rendered_alike_both_ways(
    kind: str, variant: Variant, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(scene(*size), "JPEG", **BASELINE[kind])
    ours, theirs = both(monkeypatch, variant, data)
    assert ours.size == theirs.size
    assert psnr(ours, theirs) >= 45


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_rendered_alike_both_ways(
    name: str, variant: Variant, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = scene(1700, 1100).convert(mode)
    if mode == "RGBA":
        picture.putalpha(Image.radial_gradient("L").resize(picture.size))
    if name in ("JPEG", "WEBP") and mode in ("RGBA", "P"):
        picture = picture.convert("RGB")
    ours, theirs = both(monkeypatch, variant, encoded(picture, name, **FORMATS[name]))
    assert psnr(ours, theirs) >= 45


@pytest.mark.parametrize("variant", Variant)
def test_without_the_module_pillow_does_everything(
    variant: Variant, without_kernels: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a kernel was asked")

    for name in ("jpeg_decoder", "resizer"):
        without_kernels.setattr(kernels, name, fail)
    picture = scene(1700, 1100)
    for name, options in FORMATS.items():
        data = encoded(picture, name, **options)
        narrower = (640, 320) if variant is Variant.WATERMARK else ()
        rendition = rendered(variant, data, Options(size=variant.rules.size, text="@mira", narrower=narrower))
        assert seen(rendition).size == rendition.size
    data = encoded(picture, "JPEG", quality=92)
    assert psnr(picture_of(variant, data), reference(variant, picture)) > 36


def test_a_jpeg_that_the_kernel_refuses_is_decoded_by_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = []

    class Refusing:
        done = False

        def attach(self, *_: object) -> None: ...
        def feed(self, _: bytes) -> None: ...
        def step(self) -> bool:
            refused.append(True)
            raise NotImplementedError

    data = encoded(scene(900, 700), "JPEG", quality=90)
    with monkeypatch.context() as patch:
        patch.setattr(kernels, "vfa_kernels", None)
        theirs = picture_of(Variant.WATERMARK, data)
    monkeypatch.setattr(kernels, "jpeg_decoder", lambda *_: Refusing())
    monkeypatch.setattr(kernels, "resizes", lambda _: False)
    assert picture_of(Variant.WATERMARK, data).tobytes() == theirs.tobytes()
    assert refused


@pytest.mark.parametrize("variant", Variant)
def test_a_jpeg_cut_short_anywhere_is_refused(variant: Variant) -> None:
    data = encoded(scene(416, 312), "JPEG", quality=40)
    start = data.index(b"\xff\xda") + 20
    for end in [*range(start, len(data) - 40, 371), *range(len(data) - 40, len(data) - 4)]:
        with pytest.raises(UnreadableImage):
            picture_of(variant, data[:end])


def test_a_jpeg_without_an_end_marker_is_whole_if_its_rows_are() -> None:
    data = encoded(scene(160, 120), "JPEG", quality=85)
    whole = picture_of(Variant.WATERMARK, data)
    assert picture_of(Variant.WATERMARK, data[:-2]).tobytes() == whole.tobytes()


def test_planes_are_decoded_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    async def spying(*arguments: object) -> object:
        calls.append(arguments)
        return await decode_rows(*arguments)  # type: ignore[arg-type]

    decode_rows = jpeg_rows.decode_rows
    monkeypatch.setattr("imaging.formats.jpeg.decode_rows", spying)
    for options in BASELINE.values():
        picture_of(Variant.ICON, encoded(scene(400, 300), "JPEG", **options))
    assert len(calls) == len(BASELINE)
    picture_of(Variant.ICON, encoded(scene(400, 300), "JPEG", progressive=True))
    assert len(calls) == len(BASELINE)
