"""The queue of an isolate."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from imaging.errors import Overloaded
from imaging.queue import Lease, Queue


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def new_queue(clock: Clock, waiting: int = 3, patience: float = 8, lease: float = 5) -> Queue:
    return Queue(waiting=waiting, patience=patience, lease=lease, poll=0.01, clock=clock, sleep=clock.sleep)


def run(test: Callable[[Clock], Awaitable[None]]) -> None:
    async def with_clock() -> None:
        await test(Clock())

    asyncio.run(with_clock())


def test_one_request_renders_at_a_time_in_order_of_arrival() -> None:
    async def test(clock: Clock) -> None:
        queue, active, order = new_queue(clock), 0, []

        async def render(number: int) -> None:
            nonlocal active
            async with queue.enter():
                active += 1
                assert active == 1
                order.append(number)
                await clock.sleep(0.05)
                active -= 1

        await asyncio.gather(*(render(number) for number in range(4)))
        assert order == [0, 1, 2, 3]

    run(test)


def test_a_full_queue_refuses_with_a_time_to_retry_after() -> None:
    async def test(clock: Clock) -> None:
        queue, done = new_queue(clock, waiting=2), []

        async def render() -> None:
            async with queue.enter():
                await clock.sleep(0.05)
                done.append(True)

        results = await asyncio.gather(*(render() for _ in range(5)), return_exceptions=True)
        refused = [result for result in results if isinstance(result, Overloaded)]
        assert (len(done), len(refused)) == (3, 2)
        assert all(error.retry_after >= 1 and error.status == 503 for error in refused)

    run(test)


def test_after_a_failed_render_the_next_one_starts() -> None:
    async def test(clock: Clock) -> None:
        queue = new_queue(clock)
        with pytest.raises(ZeroDivisionError):
            async with queue.enter():
                raise ZeroDivisionError
        async with queue.enter():
            pass

    run(test)


def test_a_request_that_waits_too_long_is_refused() -> None:
    async def test(clock: Clock) -> None:
        queue = new_queue(clock, patience=1, lease=60)

        async def hold() -> None:
            async with queue.enter() as lease:
                for _ in range(500):
                    await clock.sleep(0.01)
                    queue.renew(lease)

        async def wait() -> None:
            async with queue.enter():
                raise AssertionError("entered")

        holder = asyncio.create_task(hold())
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await wait()
        await holder

    run(test)


def test_a_request_whose_lease_expires_is_cancelled() -> None:
    async def test(clock: Clock) -> None:
        queue = new_queue(clock, lease=2)
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stopped = False

        async def stuck() -> None:
            nonlocal stopped
            try:
                async with queue.enter():
                    await never
            except asyncio.CancelledError:
                stopped = True
                raise

        task = asyncio.create_task(stuck())
        await asyncio.sleep(0)
        async with queue.enter():
            assert clock.now >= 2
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stopped

    run(test)


def test_a_renewed_lease_does_not_expire() -> None:
    async def test(clock: Clock) -> None:
        queue, order = new_queue(clock, lease=1), []

        async def slow() -> None:
            async with queue.enter() as lease:
                for _ in range(40):
                    await clock.sleep(0.1)
                    queue.renew(lease)
                order.append("slow")

        async def next_one() -> None:
            async with queue.enter():
                order.append("next")

        await asyncio.gather(slow(), next_one())
        assert order == ["slow", "next"]

    run(test)


def test_an_expired_lease_cannot_be_renewed() -> None:
    async def test(clock: Clock) -> None:
        with pytest.raises(Overloaded):
            new_queue(clock).renew(Lease(0))

    run(test)


def test_stalled_time_does_not_expire_leases() -> None:
    async def test(clock: Clock) -> None:
        queue, order = new_queue(clock, lease=1, patience=60), []

        async def render(number: int) -> None:
            async with queue.enter() as lease:
                clock.now += 30  # computes, and nobody else runs meanwhile
                await clock.sleep(0.01)
                queue.renew(lease)
                order.append(number)

        await asyncio.gather(*(render(number) for number in range(3)))
        assert order == [0, 1, 2]

    run(test)


def test_a_lease_that_is_never_renewed_expires_after_a_stall_too() -> None:
    async def test(clock: Clock) -> None:
        queue = new_queue(clock, lease=1)
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def stuck() -> None:
            async with queue.enter():
                await never

        task = asyncio.create_task(stuck())
        await asyncio.sleep(0)
        clock.now += 30
        async with queue.enter():
            assert 31 <= clock.now < 32
        with pytest.raises(asyncio.CancelledError):
            await task

    run(test)
