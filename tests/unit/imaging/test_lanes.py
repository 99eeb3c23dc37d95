"""One channel resized as four: it is what Pillow's own resize gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops
from tests.support.imaging.originals import scene

from imaging.geometry import Size
from imaging.lanes import resized

KERNELS = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BILINEAR)
SIDES = st.integers(1, 90)


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(KERNELS), st.data())
def test_it_is_what_pillow_gives(
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
def test_more_channels_are_pillows_own(mode: str) -> None:
    picture = scene(90, 60).convert(mode)
    box = (1.5, 2.0, 80.0, 51.25)
    ours = resized(picture, Size(31, 17), Image.Resampling.LANCZOS, box)
    assert ours.tobytes() == picture.resize((31, 17), Image.Resampling.LANCZOS, box).tobytes()
