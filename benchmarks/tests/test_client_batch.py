"""What the benchmark of a thousand files makes of its samples."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.client_batch import growth, is_right

STEADY = [5.0] * 10 + [39.0] * 90


def result(**other: Any) -> dict[str, Any]:
    right = {"artworks": 95, "distinctTitles": 95, "good": 95, "badAmongThem": 0}
    return {**right, "runs": [{"grownMiB": 0.5}, {"grownMiB": None}], **other}


def test_the_start_of_a_process_is_no_growth() -> None:
    assert growth(STEADY) == 0
    assert growth(STEADY[:20]) is None


def test_memory_that_follows_the_files_is_growth() -> None:
    assert growth([30.0 + second for second in range(100)]) == 80


@pytest.mark.parametrize(
    ("other", "right"),
    [
        ({}, True),
        ({"artworks": 96}, False),
        ({"distinctTitles": 94}, False),
        ({"badAmongThem": 1}, False),
        ({"runs": [{"grownMiB": 4.1}]}, False),
    ],
)
def test_a_run_is_right_when_every_answer_is_yes(other: dict[str, Any], right: bool) -> None:
    assert is_right(result(**other)) is right
