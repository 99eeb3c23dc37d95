"""Sizes and crops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.geometry import Size, centre_crop, display_size, fit_within, turned

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


@pytest.mark.parametrize(
    ("size", "displayed"),
    [
        ((4000, 3000), (2048, 1536)),
        ((3000, 6000), (1024, 2048)),
        ((6000, 3000), (2048, 1024)),
        ((1000, 10_000), (458, 4579)),
        ((30_000, 3000), (4579, 458)),
        ((40_000, 1000), (8192, 205)),
        ((500, 5000), (458, 4579)),
        ((300, 3000), (300, 3000)),
        ((1, 60_000), (1, 8192)),
    ],
)
def test_a_long_picture_is_displayed_with_the_area_of_two_to_one(
    size: tuple[int, int], displayed: tuple[int, int]
) -> None:
    assert display_size(Size(*size)) == displayed


@given(sizes)
def test_a_display_is_bounded_in_area_and_length(size: Size) -> None:
    shown = display_size(size)
    assert max(shown) <= 8192
    assert shown.width <= size.width
    assert shown.height <= size.height
    # Of a picture less than 2:1 the square decides; a side of one pixel cannot shrink any further.
    assert shown.width * shown.height <= 2048 * 2048
    if max(size) >= 2 * min(size) and min(shown) > 1:
        assert shown.width * shown.height <= 2048 * 1024 + max(shown)


@given(sizes, st.builds(Size, st.integers(1, 1024), st.integers(1, 1024)))
def test_a_crop_lies_in_the_centre_and_has_the_aspect(size: Size, target: Size) -> None:
    box = centre_crop(size, target)
    assert 0 <= box.left < box.right <= size.width
    assert 0 <= box.top < box.bottom <= size.height
    assert box.left == pytest.approx(size.width - box.right, abs=1e-6)
    assert box.top == pytest.approx(size.height - box.bottom, abs=1e-6)
    width, height = box.right - box.left, box.bottom - box.top
    assert width * target.height == pytest.approx(height * target.width, rel=1e-6)


@pytest.mark.parametrize(
    ("orientation", "expected"), [(1, (40, 30)), (4, (40, 30)), (5, (30, 40)), (8, (30, 40))]
)
def test_orientations_from_5_on_swap_the_sides(orientation: int, expected: tuple[int, int]) -> None:
    assert turned(Size(40, 30), orientation) == expected
