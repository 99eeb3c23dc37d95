"""The gate: few inside, the rest by turns of their users, nobody for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from tests.support.gallery.clock import run

from gallery.errors import Overloaded
from gallery.queue import POLL, SILENCE, Queue


class Clock:
    """A clock that goes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def ticks(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds / 10
        await asyncio.sleep(0)


Visit = Callable[[int], Awaitable[None]]


def visits(
    gate: Queue, clock: Clock, count: int, seconds: float = 1.0, users: Sequence[str] = ()
) -> tuple[list[int], int, int]:
    """Who came in, in order; how many were inside at most; how many were turned away.

    Each is a user of its own unless `users` says whose they are.
    """
    order: list[int] = []
    inside = most = away = 0

    async def visit(number: int) -> None:
        nonlocal inside, most, away
        try:
            async with gate.place(users[number] if users else str(number), clock.ticks, clock.sleep):
                order.append(number)
                inside += 1
                most = max(most, inside)
                leave = clock.now + seconds
                while clock.now < leave:
                    await clock.sleep(POLL)
                inside -= 1
        except Overloaded:
            away += 1

    async def story() -> None:
        await asyncio.gather(*(visit(number) for number in range(count)))

    run(story())
    return order, most, away


def test_few_are_inside_and_the_rest_come_in_order() -> None:
    order, most, away = visits(Queue(places=3, patience=1000), Clock(), 20)
    assert (order, most, away) == (list(range(20)), 3, 0)


def test_a_long_queue_turns_away() -> None:
    order, most, away = visits(Queue(places=2, waiting=5, patience=1000), Clock(), 20)
    assert most == 2
    assert len(order) + away == 20
    assert len(order) >= 5


def test_nobody_waits_longer_than_patience() -> None:
    clock = Clock()
    order, _, away = visits(Queue(places=1, patience=2), clock, 10, seconds=1.5)
    assert 0 < len(order) < 10
    assert len(order) + away == 10


def test_one_user_has_two_places_and_the_rest_stay_free() -> None:
    clock = Clock()
    users = ["ann"] * 10 + ["bob"]
    order, most, away = visits(Queue(places=4, patience=1000), clock, 11, users=users)
    assert (order[:3], most, away) == ([0, 1, 10], 3, 0)
    assert order[3:] == list(range(2, 10))


def test_places_go_round_by_user() -> None:
    users = ["ann"] * 12 + ["bob"] * 6 + ["cat"] * 3
    order, _, away = visits(Queue(places=1, patience=1000), Clock(), 21, users=users)
    assert [users[number] for number in order[:9]] == ["ann", "bob", "cat"] * 3
    assert [users[number] for number in order[9:15]] == ["ann", "bob"] * 3
    assert away == 0
    for user in set(users):
        own = [number for number in order if users[number] == user]
        assert own == sorted(own)


def test_a_user_who_comes_late_is_served_next_however_many_wait() -> None:
    gate, clock = Queue(places=1, patience=1000), Clock()
    served: list[str] = []

    async def visit(user: str, seconds: float) -> None:
        async with gate.place(user, clock.ticks, clock.sleep):
            served.append(user)
            leave = clock.now + seconds
            while clock.now < leave:
                await clock.sleep(POLL)

    async def late() -> None:
        while len(served) < 3:  # noqa: ASYNC110 (the clock is not asyncio's)
            await asyncio.sleep(0)
        await visit("bob", 0.1)

    async def story() -> None:
        await asyncio.gather(*(visit("ann", 1.0) for _ in range(12)), late())

    run(story())
    assert served.index("bob") == 3


def test_one_user_cannot_fill_the_queue() -> None:
    users = ["ann"] * 60 + ["bob"] * 3
    order, _, away = visits(Queue(places=1, waiting=20, patience=1000), Clock(), 63, users=users)
    assert away == 60 - 1 - 12
    assert [users[number] for number in order].count("bob") == 3


def test_who_has_left_is_forgotten() -> None:
    gate = Queue(places=1, patience=1000)
    visits(gate, Clock(), 50)
    assert gate._served == {}


def test_a_failure_inside_gives_the_place_back() -> None:
    gate, clock = Queue(places=1, patience=0), Clock()

    async def fails() -> None:
        async with gate.place("ann", clock.ticks, clock.sleep):
            raise KeyError

    for _ in range(3):
        with pytest.raises(KeyError):
            run(fails())


async def test_those_who_never_come_back_are_forgotten() -> None:
    gate, clock = Queue(places=1, waiting=1, patience=0, lease=10), Clock()

    lost = gate.place("ann", clock.ticks, clock.sleep)
    await lost.__aenter__()
    with pytest.raises(Overloaded):
        async with gate.place("ann", clock.ticks, clock.sleep):
            raise AssertionError
    clock.now += 11
    async with gate.place("ann", clock.ticks, clock.sleep):
        pass


def test_one_who_fell_asleep_in_the_queue_holds_nobody_up() -> None:
    gate, clock = Queue(places=1, patience=100), Clock()

    async def story() -> list[str]:
        seen: list[str] = []

        async def forever(_: float) -> None:
            await asyncio.Event().wait()

        async def visit(name: str, sleep: Callable[[float], Awaitable[None]]) -> None:
            async with gate.place("ann", clock.ticks, sleep):
                seen.append(name)
                await clock.sleep(POLL)
                await clock.sleep(POLL)

        first = asyncio.ensure_future(visit("first", clock.sleep))
        asleep = asyncio.ensure_future(visit("asleep", forever))
        await asyncio.sleep(0)
        clock.now += SILENCE + 1
        await visit("awake", clock.sleep)
        await first
        asleep.cancel()
        return seen

    assert run(story()) == ["first", "awake"]
