"""What `make bench-check` calls worse."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.check import Compared, compared, read_ratios, trio_ratios
from tools.problem import Problem


def timed(**medians: float) -> dict[str, Any]:
    return {name: {"ms": {"median": median}} for name, median in medians.items()}


@pytest.mark.parametrize(
    ("now", "worse"), [(1.14, False), (1.16, True), (0.5, False), (1.0, False), (3.0, True)]
)
def test_worse_is_more_than_fifteen_percent_up(now: float, worse: bool) -> None:
    assert Compared("a ratio", 1.0, now).worse is worse


def test_a_machine_that_is_twice_as_slow_changes_no_ratio() -> None:
    engines = timed(ours=500, native=250, sharp=300)
    slower = timed(ours=1000, native=500, sharp=600)
    assert trio_ratios({"baseline-12": engines}) == trio_ratios({"baseline-12": slower})


def test_ratios_are_our_time_over_each_peers() -> None:
    found = trio_ratios({"baseline-12": timed(ours=500, native=250, sharp=400)})
    assert found == {
        "12 MP baseline JPEG: time over native's": 2.0,
        "12 MP baseline JPEG: time over sharp's": 1.25,
    }


def test_an_engine_that_failed_has_no_ratio() -> None:
    engines = timed(ours=500, native=250) | {"sharp": {"failed": "out of memory"}}
    assert list(trio_ratios({"baseline-12": engines})) == ["12 MP baseline JPEG: time over native's"]


def test_a_ratio_that_cannot_be_measured_any_more_is_a_problem() -> None:
    with pytest.raises(Problem, match="12 MP"):
        compared({"12 MP": 1.0, "2 MP": 1.0}, {"2 MP": 1.0})


def test_reads_are_compared_with_the_empty_worker_of_the_same_run() -> None:
    latency = {"empty": {"p50": 2.0}, "artwork": {"p50": 3.0}, "list": {"p50": 8.0}}
    assert list(read_ratios(latency).values()) == [1.5, 4.0]
