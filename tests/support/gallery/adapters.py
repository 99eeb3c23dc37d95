"""A set of adapters that the port contract is checked on, and what its checks say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from gallery.errors import DatabaseError, PortError, StorageError
from gallery.ports import Database, Flags, Limiter, Objects, Verify

LIMIT = 3  # how often `Adapters.limiter` allows a key


@dataclass(frozen=True, slots=True)
class Adapters:
    """The ports under test, and what a check needs besides.

    `put(key, data, content_type)` stores an object as it comes to the bucket: an upload, under `originals/`,
    without a SHA-256, a rendition with it. `bytes_of` reads the stream of an ObjectBody.
    """

    database: Database
    objects: Objects
    flags: Flags
    limiter: Limiter
    verify: Verify
    put: Callable[[str, bytes, str | None], Awaitable[object]]
    bytes_of: Callable[[Any], Awaitable[bytes]]


def same(found: object, expected: object) -> None:
    # A plain `assert` shows no values inside the Worker.
    if found != expected:
        raise AssertionError(f"{found!r:.500} is not {expected!r:.500}")


async def refused(work: Awaitable[object], *words: str) -> None:
    """That the call raises the port's error, which is not transient and has these words in it."""
    error: PortError | None = None
    try:
        await work
    except PortError as raised:
        error = raised
    assert isinstance(error, (DatabaseError, StorageError)), "nothing was refused"
    assert not getattr(error, "transient", False)
    for word in words:
        assert word in str(error), f"{word!r} is not in {str(error)!r}"
