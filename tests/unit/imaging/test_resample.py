"""Resizing in bands."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops
from tests.support.imaging.originals import psnr, scene

from imaging import resample as module
from imaging.errors import UnreadableImage
from imaging.geometry import Box, Size, centre_crop
from imaging.resample import UNTREATED, Resampler, Target, resample, resized, slices, treated


def in_strips(picture: Image.Image, heights: list[int]) -> Iterator[Image.Image]:
    top, turn = 0, 0
    while top < picture.height:
        bottom = min(picture.height, top + heights[turn % len(heights)])
        yield picture.crop((0, top, picture.width, bottom))
        top, turn = bottom, turn + 1


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8))


heights = st.lists(st.integers(1, 90), min_size=1, max_size=4)
sides = st.integers(1, 400)


def furthest(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of two pictures' levels."""
    return int(np.abs(np.asarray(one, int) - np.asarray(other, int)).max())


@settings(deadline=None, max_examples=40)
@given(sides, sides, st.sampled_from([200, 300]), heights)
def test_bands_of_a_crop_give_what_one_resize_gives(
    width: int, height: int, side: int, heights: list[int]
) -> None:
    picture, size = noise(width, height), Size(side, side)
    box = centre_crop(Size(width, height), size)
    [banded] = resample(in_strips(picture, heights), Size(width, height), [Target(box, size)], UNTREATED)
    # Rounding of a band's edges may move a level by one.
    assert furthest(banded, picture.resize(size, Image.Resampling.LANCZOS, box=box)) <= 1


@settings(deadline=None, max_examples=40)
@given(sides, sides, st.sampled_from([1, 7, 64]), heights)
def test_averaged_bands_give_what_averaging_the_whole_gives(
    width: int, height: int, side: int, heights: list[int]
) -> None:
    picture, size, box = noise(width, height), Size(side, side), Box(0, 0, width, height)
    [banded] = resample(in_strips(picture, heights), Size(width, height), [Target(box, size)], UNTREATED)
    expected = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    assert furthest(banded, expected) <= 1


@pytest.mark.parametrize("by", ["kernel", "Pillow"])
def test_many_bands_meet_without_a_seam(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if by == "Pillow":
        monkeypatch.setattr("imaging.kernels.vfa_kernels", None)
    monkeypatch.setattr(module, "WINDOW", 1)
    picture = scene(500, 900)
    target = Target(Box(0, 0, 500, 900), Size(250, 450))
    [banded] = resample(slices(picture, 10), Size(500, 900), [target], UNTREATED)
    assert psnr(banded, picture.resize((250, 450), Image.Resampling.LANCZOS)) > (54 if by == "kernel" else 75)


def test_averaging_first_stays_close_to_a_full_resize() -> None:
    picture = scene(1600, 1200)
    target = Target(Box(0, 0, 1600, 1200), Size(128, 96))
    [banded] = resample(slices(picture), Size(1600, 1200), [target], UNTREATED)
    assert psnr(banded, picture.resize((128, 96), Image.Resampling.LANCZOS)) > 50


def test_several_targets_come_from_one_passage() -> None:
    picture = scene(400, 300)
    targets = [Target(Box(0, 0, 400, 300), Size(200, 150)), Target(Box(50, 0, 350, 300), Size(30, 30))]
    made = resample(slices(picture), Size(400, 300), targets, UNTREATED)
    alone = [resample(slices(picture), Size(400, 300), [target], UNTREATED)[0] for target in targets]
    assert [one.tobytes() for one in made] == [one.tobytes() for one in alone]


def test_rows_outside_a_crop_are_not_kept() -> None:
    resampler = Resampler(Size(40, 4000), Target(Box(0, 1980, 40, 2020), Size(30, 30)))
    kept = 0
    for strip in slices(Image.new("RGB", (40, 4000)), 50):
        resampler.feed(strip)
        kept = max(kept, sum(piece.image.height for piece in resampler._pieces))
    assert resampler.finished().size == (30, 30)
    assert kept <= 150
    assert not resampler._pieces


def test_missing_rows_are_noticed() -> None:
    resampler = Resampler(Size(10, 10), Target(Box(0, 0, 10, 10), Size(5, 5)))
    resampler.feed(Image.new("L", (10, 4)))
    with pytest.raises(UnreadableImage):
        resampler.finished()


def test_a_finished_picture_is_treated_band_by_band() -> None:
    seen = []

    class Negative:
        def before(self, strip: Image.Image) -> Image.Image:
            seen.append(strip.height)
            return strip

        def after(self, band: Image.Image) -> Image.Image:
            return band.point(lambda level: 255 - level)

        def keeps(self, mode: str) -> bool:
            return mode != "L"

    picture = scene(60, 700).convert("L")
    assert treated(picture, Negative()).tobytes() == picture.point(lambda level: 255 - level).tobytes()
    assert seen == [256, 256, 188]
    colour = scene(60, 70)
    assert treated(colour, Negative()) is colour


KERNELS = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BILINEAR)
SMALL_SIDES = st.integers(1, 90)


@given(SMALL_SIDES, SMALL_SIDES, SMALL_SIDES, SMALL_SIDES, st.sampled_from(KERNELS), st.data())
def test_one_channel_is_resized_as_pillow_does(
    width: int, height: int, wide: int, high: int, kernel: Image.Resampling, data: st.DataObject
) -> None:
    picture = scene(90, 90).convert("L").crop((0, 0, width, height))
    left, top = data.draw(st.floats(0, width * 0.4)), data.draw(st.floats(0, height * 0.4))
    right, bottom = data.draw(st.floats(width * 0.6, width)), data.draw(st.floats(height * 0.6, height))
    box = (left, top, right, bottom)
    ours, theirs = resized(picture, Size(wide, high), kernel, box), picture.resize((wide, high), kernel, box)
    assert ours.size == theirs.size
    # Coefficients are made from the window's own offset, whose last bit may fall on the other side of a half.
    assert max(ImageChops.difference(ours, theirs).tobytes()) <= 1


@pytest.mark.parametrize("mode", ["RGB", "YCbCr", "CMYK"])
def test_more_channels_are_left_to_pillow(mode: str) -> None:
    picture = scene(90, 60).convert(mode)
    box = (1.5, 2.0, 80.0, 51.25)
    ours = resized(picture, Size(31, 17), Image.Resampling.LANCZOS, box)
    assert ours.tobytes() == picture.resize((31, 17), Image.Resampling.LANCZOS, box).tobytes()
