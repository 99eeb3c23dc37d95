"""The bytes of an original, and how they are read in order."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Protocol, Self

from imaging.errors import UnreadableImage

CUT_SHORT = "The picture cannot be read: the file is cut short."


class Source(Protocol):
    """An original that can be read from its start, more than once, in chunks."""

    @property
    def size(self) -> int:
        """How many bytes the original has."""

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """All bytes from the first on; a caller may stop early."""


class BytesSource:
    """An original that is already in memory."""

    def __init__(self, data: bytes, chunk: int = 1 << 18) -> None:
        self._data = data
        self._chunk = chunk

    @property
    def size(self) -> int:
        return len(self._data)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for start in range(0, len(self._data), self._chunk):
            yield self._data[start : start + self._chunk]


class Feed:
    """One reading of a source, with exact reads for headers and the rest in chunks."""

    def __init__(self, source: Source) -> None:
        self._chunks = source.chunks()
        self._held = b""
        self._at = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A chunk that is kept would fragment the heap for the next decoding.
        self._held = b""
        await self._chunks.aclose()

    async def take(self, count: int) -> bytes:
        """Exactly the next `count` bytes.

        Raises:
            UnreadableImage: There are fewer.
        """
        data = await self.up_to(count)
        if len(data) < count:
            raise UnreadableImage(CUT_SHORT)
        return data

    async def up_to(self, count: int) -> bytes:
        """The next `count` bytes, or what is left."""
        if self._at + count <= len(self._held):
            data = self._held[self._at : self._at + count]
            self._at += count
            return data
        parts = [self._held[self._at :]]
        self._held, self._at = b"", 0
        missing = count - len(parts[0])
        async for chunk in self._chunks:
            if missing <= len(chunk):
                parts.append(chunk[:missing])
                self._held, self._at = chunk, missing
                break
            parts.append(chunk)
            missing -= len(chunk)
        return b"".join(parts)

    async def skip(self, count: int) -> None:
        """Pass over `count` bytes without keeping them."""
        while count > 0:
            step = min(count, 1 << 18)
            await self.take(step)
            count -= step

    def put_back(self, data: bytes) -> None:
        """Put bytes back that were taken, to be read again."""
        before = self._at - len(data)
        if before >= 0 and self._held[before : self._at] == data:  # the usual case: nothing is copied
            self._at = before
        else:
            self._held, self._at = data + self._held[self._at :], 0

    async def rest(self) -> AsyncGenerator[bytes, None]:
        """Everything that has not been taken, in chunks."""
        held, self._held = self._held[self._at :], b""
        self._at = 0
        if held:
            yield held
        async for chunk in self._chunks:
            yield chunk
