"""A progressive JPEG decoded component by component."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from tests.support.imaging.jpegs import DRI, put_together, taken_apart, with_segments
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import picture_of, reference
from tests.unit.imaging.test_jpeg import decoded, plan_for

from imaging.errors import TooLarge, UnreadableImage
from imaging.formats import jpeg_plan
from imaging.formats.jpeg_plan import Plan
from imaging.variants import Variant

KINDS: dict[str, dict[str, Any]] = {
    "4:2:0": {},
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "restarts": {"restart_marker_rows": 1},
    "restarts inside a row": {"restart_marker_blocks": 3},
}


def by_component(data: bytes, chroma: int, monkeypatch: pytest.MonkeyPatch, scale: int = 1) -> Any:
    monkeypatch.setattr("imaging.formats.jpeg.choose", lambda *_: Plan(scale, chroma, 3, 0))
    return picture_of(Variant.WATERMARK, data)


@pytest.mark.parametrize("size", [(203, 117), (64, 48), (9, 300), (1, 1), (3300, 40)])
@pytest.mark.parametrize("kind", ["4:2:0", "4:4:4", "restarts", "restarts inside a row"])
def test_the_picture_is_the_same_to_the_bit(
    kind: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(scene(*size), "JPEG", quality=90, progressive=True, **KINDS[kind])
    monkeypatch.setattr("imaging.formats.jpeg.choose", lambda *_: Plan(1, 2, 2, 0))
    whole = picture_of(Variant.WATERMARK, data)
    assert by_component(data, 2, monkeypatch).tobytes() == whole.tobytes()


def test_chroma_that_is_halved_one_way_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(scene(301, 217), "JPEG", quality=95, progressive=True, subsampling=1)
    assert psnr(by_component(data, 2, monkeypatch), decoded(data)) > 40
    assert psnr(by_component(data, 1, monkeypatch), decoded(data)) > 42


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variant", Variant)
def test_a_picture_too_large_at_once_is_decoded_component_by_component(
    kind: str, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_by_component(*arguments: Any) -> Iterator[Plan]:
        return (plan for plan in plans(*arguments) if plan.readings == 3)

    plans = jpeg_plan._plans
    monkeypatch.setattr(jpeg_plan, "_plans", only_by_component)
    data = encoded(scene(1203, 801), "JPEG", quality=92, progressive=True, **KINDS[kind])
    assert psnr(picture_of(variant, data), reference(variant, decoded(data))) > 38


def test_more_fits_component_by_component() -> None:
    data = encoded(scene(16, 16), "JPEG", progressive=True, subsampling=0)
    plan = plan_for(data, Variant.WATERMARK, (4000, 3000))
    assert (plan.scale, plan.readings) == (1, 3)
    assert plan_for(data, Variant.THUMBNAIL, (4000, 3000)).readings == 3
    halved = encoded(scene(16, 16), "JPEG", progressive=True)
    assert plan_for(halved, Variant.WATERMARK, (5500, 3900)).readings == 3
    with pytest.raises(TooLarge, match="progressive JPEG"):
        plan_for(data, Variant.WATERMARK, (9000, 6000))


def test_a_scan_of_one_component_needs_no_translation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script in which every component has its own DC scans."""
    bands = scene(120, 90).convert("YCbCr").split()
    parts = [encoded(band, "JPEG", progressive=True, quality=95) for band in bands]
    expected = Image.merge("YCbCr", [Image.open(BytesIO(part)) for part in parts])
    assert psnr(by_component(_interleaved_by_scan(parts), 1, monkeypatch), expected) > 50


def _interleaved_by_scan(parts: list[bytes]) -> bytes:
    """Three grey pictures as the components of one."""
    out = b""
    frame = b""
    for name, part in enumerate(parts, 1):
        segments, rest = taken_apart(part)
        [sof] = [data for marker, data in segments if marker == 0xC2]
        frame = frame or sof[:5] + b"\x03" + b"".join(bytes([each, 0x11, 0]) for each in (1, 2, 3))
        body = b"".join(
            b"\xff" + bytes([marker]) + (len(data) + 2).to_bytes(2, "big") + data
            for marker, data in segments
            if marker not in (0xE0, 0xC2, 0xDA)
        )
        scan = next(data for marker, data in segments if marker == 0xDA)
        scans = b"\xff\xda" + (len(scan) + 2).to_bytes(2, "big") + scan + rest[:-2]
        out += body + scans.replace(b"\xff\xda\x00\x08\x01\x01", b"\xff\xda\x00\x08\x01" + bytes([name]))
    return put_together([(0xC2, frame)], out + b"\xff\xd9")


def _cut(data: bytes) -> bytes:
    """Without the last third of the first scan's data."""
    segments, rest = taken_apart(data)
    end = next(
        at for at in range(len(rest)) if rest[at] == 0xFF and rest[at + 1] not in (0, *range(0xD0, 0xD8))
    )
    return put_together(segments, rest[: end * 2 // 3] + rest[end:])


@pytest.mark.parametrize("kind", ["4:2:0", "restarts"])
def test_an_interleaved_scan_that_is_cut_short_is_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(scene(203, 117), "JPEG", progressive=True, **KINDS[kind])
    with pytest.raises(UnreadableImage):
        by_component(_cut(data), 2, monkeypatch)


def test_restarts_that_are_not_where_they_belong_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(scene(203, 117), "JPEG", progressive=True, restart_marker_blocks=4)
    with pytest.raises(UnreadableImage):
        by_component(with_segments(data, (DRI, b"\0\x05"), before=0xDA), 2, monkeypatch)


def test_codes_that_do_not_exist_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    segments, rest = taken_apart(encoded(scene(203, 117), "JPEG", progressive=True))
    with pytest.raises(UnreadableImage):
        by_component(put_together(segments, b"\xff\0" * 40 + rest), 2, monkeypatch)
