"""How the benchmarks are timed and summed up."""

from __future__ import annotations

import functools

import pytest
from benchmarks.harness import Failed, Sample, interleaved, latencies, percentile, summary


def recording(name: str, calls: list[str], ms: float = 1.0) -> Sample:
    calls.append(name)
    return Sample(ms, {})


def test_every_subject_runs_once_a_round_and_the_order_turns() -> None:
    calls: list[str] = []
    interleaved({name: functools.partial(recording, name, calls) for name in "abc"}, 3, warm=0)
    assert "".join(calls) == "abc" + "bca" + "cab"


def test_warm_rounds_are_run_and_not_kept() -> None:
    calls: list[str] = []
    found = interleaved({"a": lambda: recording("a", calls)}, 2, warm=3)
    assert (len(calls), len(found["a"])) == (5, 2)


def test_a_subject_that_fails_is_left_out_and_says_why() -> None:
    calls: list[str] = []

    def fails() -> Sample:
        calls.append("f")
        raise Failed("too large")

    found = interleaved({"f": fails, "a": lambda: recording("a", calls)}, 3)
    assert found["f"] == "too large"
    assert calls.count("f") == 1
    assert len(found["a"]) == 3


def test_a_slow_subject_is_done_after_its_least_rounds() -> None:
    calls: list[str] = []
    subjects = {
        "slow": lambda: recording("slow", calls, ms=5000),
        "fast": lambda: recording("fast", calls, ms=10),
    }
    found = interleaved(subjects, 7, budget=8.0, least=3)
    assert {name: len(samples) for name, samples in found.items()} == {"slow": 3, "fast": 7}


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_one_of_the_values(share: float, expected: int) -> None:
    assert percentile(range(1, 101), share) == expected


def test_the_percentiles_of_one_value_are_that_value() -> None:
    assert {latencies([7.0])[name] for name in ("p50", "p95", "p99")} == {7.0}


def test_a_summary_has_the_median_its_spread_and_the_raw_values() -> None:
    found = summary([10, 12, 11, 13, 100])
    assert found["median"] == 12
    assert found["least"] == 10
    assert found["raw"] == [10, 12, 11, 13, 100]
    assert found["spread"] == pytest.approx((13 - 11) / 2 / 12, abs=1e-3)
