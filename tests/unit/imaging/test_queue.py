"""The queue of an isolate."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from imaging.errors import Overloaded
from imaging.queue import Turn, Turns


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def queue(clock: Clock, waiting: int = 3, patience: float = 8, lease: float = 5) -> Turns:
    return Turns(waiting=waiting, patience=patience, lease=lease, poll=0.01, clock=clock, sleep=clock.sleep)


def run(test: Callable[[Clock], Awaitable[None]]) -> None:
    async def with_clock() -> None:
        await test(Clock())

    asyncio.run(with_clock())


def test_one_renders_at_a_time_and_the_others_follow_in_order() -> None:
    async def test(clock: Clock) -> None:
        turns, active, order = queue(clock), 0, []

        async def render(number: int) -> None:
            nonlocal active
            async with turns.take():
                active += 1
                assert active == 1
                order.append(number)
                await clock.sleep(0.05)
                active -= 1

        await asyncio.gather(*(render(number) for number in range(4)))
        assert order == [0, 1, 2, 3]

    run(test)


def test_a_full_queue_refuses_and_says_when_to_come_again() -> None:
    async def test(clock: Clock) -> None:
        turns, done = queue(clock, waiting=2), []

        async def render() -> None:
            async with turns.take():
                await clock.sleep(0.05)
                done.append(True)

        results = await asyncio.gather(*(render() for _ in range(5)), return_exceptions=True)
        refused = [result for result in results if isinstance(result, Overloaded)]
        assert (len(done), len(refused)) == (3, 2)
        assert all(error.retry_after >= 1 and error.status == 503 for error in refused)

    run(test)


def test_a_failed_render_gives_its_turn_on() -> None:
    async def test(clock: Clock) -> None:
        turns = queue(clock)
        with pytest.raises(ZeroDivisionError):
            async with turns.take():
                raise ZeroDivisionError
        async with turns.take():
            pass

    run(test)


def test_whoever_waits_too_long_is_let_go() -> None:
    async def test(clock: Clock) -> None:
        turns = queue(clock, patience=1, lease=60)

        async def hold() -> None:
            async with turns.take() as turn:
                for _ in range(500):
                    await clock.sleep(0.01)
                    turns.touch(turn)

        async def wait() -> None:
            async with turns.take():
                raise AssertionError("had its turn")

        holder = asyncio.create_task(hold())
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await wait()
        await holder

    run(test)


def test_a_request_that_fell_silent_loses_its_turn_and_is_stopped() -> None:
    async def test(clock: Clock) -> None:
        turns = queue(clock, lease=2)
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stopped = False

        async def silent() -> None:
            nonlocal stopped
            try:
                async with turns.take():
                    await never
            except asyncio.CancelledError:
                stopped = True
                raise

        task = asyncio.create_task(silent())
        await asyncio.sleep(0)
        async with turns.take():
            assert clock.now >= 2
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stopped

    run(test)


def test_a_holder_that_shows_life_keeps_its_turn() -> None:
    async def test(clock: Clock) -> None:
        turns, order = queue(clock, lease=1), []

        async def slow() -> None:
            async with turns.take() as turn:
                for _ in range(40):
                    await clock.sleep(0.1)
                    turns.touch(turn)
                order.append("slow")

        async def next_one() -> None:
            async with turns.take():
                order.append("next")

        await asyncio.gather(slow(), next_one())
        assert order == ["slow", "next"]

    run(test)


def test_a_turn_that_was_given_on_cannot_be_kept() -> None:
    async def test(clock: Clock) -> None:
        with pytest.raises(Overloaded):
            queue(clock).touch(Turn(0))

    run(test)


def test_a_stall_of_the_whole_thread_is_nobodys_silence() -> None:
    async def test(clock: Clock) -> None:
        turns, order = queue(clock, lease=1, patience=60), []

        async def render(number: int) -> None:
            async with turns.take() as turn:
                clock.now += 30  # computes, and nobody else runs meanwhile
                await clock.sleep(0.01)
                turns.touch(turn)
                order.append(number)

        await asyncio.gather(*(render(number) for number in range(3)))
        assert order == [0, 1, 2]

    run(test)


def test_the_dead_are_dropped_after_a_stall_too() -> None:
    async def test(clock: Clock) -> None:
        turns = queue(clock, lease=1)
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def silent() -> None:
            async with turns.take():
                await never

        task = asyncio.create_task(silent())
        await asyncio.sleep(0)
        clock.now += 30
        async with turns.take():
            assert 31 <= clock.now < 32
        with pytest.raises(asyncio.CancelledError):
            await task

    run(test)
