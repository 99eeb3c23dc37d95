"""Reading an original in order."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.errors import UnreadableImage
from imaging.source import BytesSource, Feed


@given(st.binary(max_size=300), st.integers(1, 70), st.lists(st.integers(0, 90), max_size=8))
def test_what_is_taken_and_the_rest_are_the_bytes(data: bytes, chunk: int, takes: list[int]) -> None:
    async def read() -> bytes:
        async with Feed(BytesSource(data, chunk)) as feed:
            parts = [await feed.up_to(count) for count in takes]
            return b"".join(parts) + b"".join([part async for part in feed.rest()])

    assert asyncio.run(read()) == data


def test_bytes_put_back_come_again() -> None:
    async def read() -> tuple[bytes, bytes]:
        async with Feed(BytesSource(b"abcdefgh", 3)) as feed:
            feed.put_back(await feed.take(5))
            return await feed.take(2), b"".join([part async for part in feed.rest()])

    assert asyncio.run(read()) == (b"ab", b"cdefgh")


def test_taking_more_bytes_than_there_are_is_an_error() -> None:
    async def read(skip: bool) -> None:
        async with Feed(BytesSource(b"abc", 2)) as feed:
            await (feed.skip(4) if skip else feed.take(4))

    for skip in (False, True):
        with pytest.raises(UnreadableImage, match="cut short"):
            asyncio.run(read(skip))


def test_a_reader_that_stops_early_closes_the_stream() -> None:
    class Watched:
        size = 1 << 30
        closed = False

        async def chunks(self) -> AsyncGenerator[bytes, None]:
            try:
                while True:
                    yield b"x" * 100
            finally:
                self.closed = True

    async def read(source: Watched) -> None:
        async with Feed(source) as feed:
            await feed.take(10)

    source = Watched()
    asyncio.run(read(source))
    assert source.closed
