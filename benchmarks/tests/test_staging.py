"""The stage clocks around the renderer: they find what they time, and change nothing of what it makes."""

from __future__ import annotations

import pytest
from benchmarks import inputs
from benchmarks.engines import native
from benchmarks.inputs import Input, Kind


@pytest.fixture(scope="module", params=[Kind.BASELINE, Kind.PNG_RGBA, Kind.WEBP])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Input:
    original = Input(request.param, 0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "INPUTS", tmp_path_factory.getbasetemp())
        assert original.path.exists()
    return original


@pytest.fixture(autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "INPUTS", tmp_path_factory.getbasetemp())


def test_stages_are_found_and_sum_to_no_more_than_the_whole(original: Input) -> None:
    with native("--stages") as engine:
        sample = engine.render(original)
    stages = sample.facts["stages"]
    assert {"open", "decode", "resize", "orient", "mark", "encode"} <= set(stages)
    assert all(stages[name] > 0 for name in ("decode", "resize", "encode"))
    assert sum(stages.values()) <= sample.ms


def test_clocks_change_nothing_of_the_renditions(original: Input) -> None:
    with native() as plain, native("--stages") as staged:
        assert plain.render(original).facts["outputs"] == staged.render(original).facts["outputs"]
