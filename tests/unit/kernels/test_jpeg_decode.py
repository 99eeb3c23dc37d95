"""Planes of the JPEG kernel beside libjpeg-turbo's, at the scales at which both kinds of libjpeg agree."""

from __future__ import annotations

import pytest
from tests.support.imaging.originals import encoded, scene
from tests.support.kernels.jpegs import GOOD, damaged, good, size_of
from tests.support.kernels.oracle import kernel_planes, pillow_planes

vfa_kernels = pytest.importorskip("vfa_kernels", reason="set-up found no C compiler")
FULL = [name for name in GOOD if name.startswith("444") or name in ("flat", "noise", "one pixel", "one row")]


@pytest.mark.parametrize("scale", [1, 8])
@pytest.mark.parametrize("name", GOOD)
def test_luma_is_the_very_plane_of_libjpeg(name: str, scale: int) -> None:
    assert kernel_planes(good(name), scale, 0)[0] == pillow_planes(good(name), size_of(name), "L", scale)[0]


@pytest.mark.parametrize("scale", [1, 8])
@pytest.mark.parametrize("name", FULL)
def test_chroma_of_its_own_scale_is_the_very_plane_of_libjpeg(name: str, scale: int) -> None:
    assert kernel_planes(good(name), scale, scale) == pillow_planes(good(name), size_of(name), "YCbCr", scale)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 1000])
@pytest.mark.parametrize("name", ["420, restarts", "422, quality 75", "grey"])
def test_the_size_of_the_pieces_makes_no_difference(name: str, step: int) -> None:
    assert kernel_planes(good(name), 1, 1, step) == kernel_planes(good(name), 1, 1)


@pytest.mark.parametrize("name", ["420, quality 75", "420, restarts", "444, restarts", "grey", "noise"])
def test_damage_is_passed_over_as_libjpeg_does(name: str) -> None:
    """But for means far beyond black and white, which libjpeg-turbo wraps around at this scale."""
    for seed in range(200):
        data = damaged(good(name), seed)
        [ours, *_], [theirs] = kernel_planes(data, 8, 0), pillow_planes(data, size_of(name), "L", 8)
        pairs = zip(ours[1], theirs[1], strict=True)
        assert {mine for mine, other in pairs if mine != other} <= {0, 255}


@pytest.mark.parametrize("name", ["420, quality 75", "420, restarts", "444, restarts", "grey", "noise"])
def test_damage_at_full_scale_comes_to_the_same_bits_where_16_of_them_do(name: str) -> None:
    seeds = range(100)
    files = [damaged(good(name), seed) for seed in seeds]
    differing = [
        data for data in files if kernel_planes(data, 1, 0)[:1] != pillow_planes(data, size_of(name), "L", 1)
    ]
    assert len(differing) <= 2


def test_damage_is_told_with_its_row() -> None:
    whole = good("420, restarts")
    decoder = vfa_kernels.JpegDecoder()
    decoder.feed(whole[: len(whole) // 2] + b"\xff\xd9")
    while decoder.step():
        pass
    assert decoder.done
    assert decoder.damage is not None
    assert 0 < decoder.damage < 141


@pytest.mark.parametrize("name", ["420, quality 75", "420, restarts", "grey"])
def test_a_file_that_ends_too_early_is_refused_with_the_row_it_reached(name: str) -> None:
    data = good(name)[:-2]
    for length in range(0, len(data), 37):
        with pytest.raises(ValueError, match=r"the JPEG (ends in row \d+|'s header is broken)"):
            kernel_planes(data[:length], 1, 1)


def test_a_file_without_its_end_marker_is_whole_all_the_same() -> None:
    assert kernel_planes(good("grey")[:-2], 1, 1) == kernel_planes(good("grey"), 1, 1)


@pytest.mark.parametrize("options", [{"progressive": True}, {}])
def test_other_kinds_are_not_decoded_here(options: dict[str, bool]) -> None:
    picture = scene(60, 40) if options else scene(60, 40).convert("CMYK")
    with pytest.raises(NotImplementedError):
        kernel_planes(encoded(picture, "JPEG", **options), 1, 1)


def test_the_state_is_small_for_the_widest_picture() -> None:
    decoder = vfa_kernels.JpegDecoder(1, 1)
    decoder.feed(good("widest"))
    assert decoder.step()
    assert decoder.memory < 3 << 20
