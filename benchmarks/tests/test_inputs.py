"""The pictures that are measured, and the search for the largest."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import inputs
from benchmarks.inputs import MEASURED, Input, Kind
from benchmarks.sections.largest import LEAST, STEP, bisected, ladder
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image


@pytest.mark.parametrize("original", MEASURED, ids=lambda original: original.name)
def test_sizes_are_as_many_megapixels_as_they_say(original: Input) -> None:
    width, height = original.size
    assert width * height / 1e6 == pytest.approx(original.megapixels, rel=0.002)
    assert width / height == pytest.approx(4 / 3, rel=0.002)


@pytest.mark.parametrize("kind", Kind)
def test_a_file_is_of_its_kind(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "INPUTS", tmp_path)
    with Image.open(Input(kind, 0.2).path) as picture:
        expected = {
            Kind.BASELINE: ("JPEG", "RGB"),
            Kind.PROGRESSIVE: ("JPEG", "RGB"),
            Kind.PNG_RGB: ("PNG", "RGB"),
            Kind.PNG_RGBA: ("PNG", "RGBA"),
            Kind.WEBP: ("WEBP", "RGB"),
        }
        assert (picture.format, picture.mode) == expected[kind]
        assert bool(picture.info.get("progressive")) is (kind is Kind.PROGRESSIVE)


def test_pictures_are_always_the_same() -> None:
    assert inputs.picture((300, 200)).tobytes() == inputs.picture((300, 200)).tobytes()


def test_the_ladder_climbs_by_sevenths_to_its_top() -> None:
    sizes = ladder(100.0)
    assert sizes[-1] == 100.0
    assert sizes[0] < LEAST * STEP + 0.1
    assert all(1.1 < above / below < 1.2 for below, above in itertools.pairwise(sizes))


@given(st.integers(0, 60))
def test_bisection_finds_the_largest_that_fits(fitting: int) -> None:
    sizes = [float(size) for size in range(1, 61)]
    tried: list[float] = []

    def fits(size: float) -> bool:
        tried.append(size)
        return size <= fitting

    search: Callable[[float], bool] = fits
    assert bisected(sizes, search) == (float(fitting) if fitting else None)
    assert len(tried) <= 6
