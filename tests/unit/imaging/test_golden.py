"""Renditions as they were when somebody last looked at them, rendered with the kernels.

`GOLDEN=rewrite pytest tests/unit/imaging/test_golden.py` makes them anew; look at them before you commit.
"""

import os
from pathlib import Path

import pytest
from PIL import Image
from tests.support.imaging.cases import CASES, original_of, variant_of
from tests.support.imaging.originals import psnr
from tests.support.imaging.rendering import rendered, seen

from imaging import kernels

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("case", CASES)
def test_a_rendition_looks_as_it_did(case: str) -> None:
    file = GOLDEN / f"{case}.jpg"
    rendition = rendered(variant_of(case), original_of(case))
    if os.environ.get("GOLDEN") == "rewrite":
        file.write_bytes(rendition.data)
    with Image.open(file) as golden:
        assert golden.mode == seen(rendition).mode
        # Without a C compiler Pillow resizes: a level more or less in a pixel can change whole JPEG blocks.
        assert psnr(seen(rendition), golden) > (45 if kernels.encodes("L") else 38)


@pytest.mark.parametrize("case", list(CASES)[::4])
def test_a_rendition_by_pillow_alone_looks_the_same(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imaging.kernels.vfa_kernels", None)
    with Image.open(GOLDEN / f"{case}.jpg") as golden:
        assert psnr(seen(rendered(variant_of(case), original_of(case))), golden) > 38


@pytest.mark.parametrize("case", list(CASES)[::3])
def test_the_same_original_gives_the_same_bytes(case: str) -> None:
    data = original_of(case)
    assert rendered(variant_of(case), data).data == rendered(variant_of(case), data).data


def test_every_golden_image_has_a_case() -> None:
    assert {file.stem for file in GOLDEN.glob("*.jpg")} == set(CASES)
