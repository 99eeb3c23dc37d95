"""Sizes and crops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.geometry import Size, centre_crop, fit_within, turned

sides = st.integers(1, 70_000)
sizes = st.builds(Size, sides, sides)


@given(sizes)
def test_a_fitted_size_keeps_the_aspect_within_a_pixel(size: Size) -> None:
    fitted = fit_within(size, 2048)
    assert min(fitted) >= 1
    assert max(fitted) <= max(2048, 1)
    factor = max(fitted) / max(size)
    assert abs(fitted.width - size.width * factor) <= 1
    assert abs(fitted.height - size.height * factor) <= 1


@given(sizes)
def test_a_fitted_size_is_never_larger(size: Size) -> None:
    fitted = fit_within(size, 2048)
    assert fitted.width <= size.width
    assert fitted.height <= size.height


@given(sizes, st.builds(Size, st.integers(1, 1024), st.integers(1, 1024)))
def test_a_crop_lies_in_the_centre_and_has_the_aspect(size: Size, target: Size) -> None:
    box = centre_crop(size, target)
    assert 0 <= box.left < box.right <= size.width
    assert 0 <= box.top < box.bottom <= size.height
    assert box.left == pytest.approx(size.width - box.right, abs=1e-6)
    assert box.top == pytest.approx(size.height - box.bottom, abs=1e-6)
    width, height = box.right - box.left, box.bottom - box.top
    assert width * target.height == pytest.approx(height * target.width, rel=1e-9)


@pytest.mark.parametrize(
    ("orientation", "expected"), [(1, (40, 30)), (4, (40, 30)), (5, (30, 40)), (8, (30, 40))]
)
def test_orientations_from_5_on_swap_the_sides(orientation: int, expected: tuple[int, int]) -> None:
    assert turned(Size(40, 30), orientation) == expected
