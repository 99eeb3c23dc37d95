"""The clock that books time to stages, and the spans that overlap."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator

import pytest
from clock import StageClock, TimedMethods, replaced
from hypothesis import given
from hypothesis import strategies as st
from spans import length, merged, shares


class Ticks:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def clock(ticks: Ticks) -> StageClock:
    return StageClock(ticks)


def test_what_a_stage_calls_under_another_name_is_not_its_own(clock: StageClock, ticks: Ticks) -> None:
    with clock.stage("decode"):
        ticks.now += 3
        with clock.stage("fetch"):
            ticks.now += 5
        ticks.now += 2
    assert clock.seconds == {"decode": 5, "fetch": 5}


def test_time_outside_all_stages_is_nobodys(clock: StageClock, ticks: Ticks) -> None:
    ticks.now += 100
    with clock.stage("put"):
        ticks.now += 1
    ticks.now += 100
    with clock.stage("put"):
        ticks.now += 1
    assert clock.seconds == {"put": 2}


def test_a_stage_that_raises_is_booked_and_over(clock: StageClock, ticks: Ticks) -> None:
    def fails() -> None:
        ticks.now += 4
        raise ValueError("cut short")

    with pytest.raises(ValueError, match="cut short"):
        clock.timed("encode", fails)()
    ticks.now += 50
    assert clock.seconds == {"encode": 4}


def test_a_generator_is_timed_while_it_makes_its_values_and_not_between(
    clock: StageClock, ticks: Ticks
) -> None:
    async def chunks() -> AsyncGenerator[int, None]:
        for value in range(3):
            ticks.now += 2
            yield value

    async def consumed() -> list[int]:
        values = []
        async for value in clock.iterated("fetch", chunks)():
            ticks.now += 10
            values.append(value)
        return values

    assert asyncio.run(consumed()) == [0, 1, 2]
    assert clock.seconds == {"fetch": 6}


def test_timed_methods_leave_the_rest_of_an_object_alone(clock: StageClock) -> None:
    subject = TimedMethods("picture", upper=lambda upper: clock.timed("decode", upper))
    assert (subject.upper(), subject.lower()) == ("PICTURE", "picture")
    assert set(clock.seconds) == {"decode"}


def test_a_name_that_is_gone_is_an_error() -> None:
    with pytest.raises(AttributeError):
        replaced(Ticks, "no_such_method", lambda work: work)


Spans = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (min(pair), max(pair))))


@given(Spans)
def test_merged_spans_cover_the_same_moments_once(spans: list[tuple[int, int]]) -> None:
    moments = {moment for start, end in spans for moment in range(start, end)}
    assert length(spans) == len(moments)
    joined = merged(spans)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(joined))


@given(Spans, Spans)
def test_shares_sum_to_the_whole_and_the_first_in_rank_has_all_of_its_own(
    siblings: list[tuple[int, int]], database: list[tuple[int, int]]
) -> None:
    found = shares({"siblings": siblings, "D1": database}, ["siblings", "D1"])
    assert found["siblings"] == length(siblings)
    assert sum(found.values()) == length([*siblings, *database])
