"""The fakes keep the contract of the ports that they stand for, as the real bindings do."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.support.gallery.adapters import LIMIT, Adapters
from tests.support.gallery.clock import Clock
from tests.support.gallery.contract import CHECKS
from tests.support.gallery.database import Pause, SqliteDatabase
from tests.support.gallery.fakes import (
    CountingLimiter,
    MemoryFlags,
    MemoryObjects,
    verify,
)

from gallery.errors import DatabaseError, StorageError


@pytest.mark.parametrize("name", CHECKS)
async def test_the_fakes_keep_the_contract(name: str) -> None:
    objects = MemoryObjects(time.time, Pause())

    async def put(key: str, data: bytes, content_type: str | None) -> None:
        objects.put(key, data, content_type or "")

    async def bytes_of(stream: Any) -> bytes:
        return bytes(stream)

    flags, limiter = MemoryFlags(time.time), CountingLimiter(LIMIT)
    await CHECKS[name](Adapters(SqliteDatabase(), objects, flags, limiter, verify, put, bytes_of))


async def test_a_flag_expires() -> None:
    clock = Clock(1000)
    flags = MemoryFlags(clock.now)
    await flags.put("flag", "1", 60)
    await clock.sleep(59)
    assert await flags.get("flag") == "1"
    await clock.sleep(1)
    assert await flags.get("flag") is None


async def test_the_limits_that_cloudflare_documents_and_workerd_does_not_have() -> None:
    database, objects = SqliteDatabase(), MemoryObjects(time.time, Pause())
    arguments = f"SELECT json_array({', '.join(['1'] * 33)})"
    with pytest.raises(DatabaseError, match="too many arguments"):
        await database.batch([(arguments, ())])
    with pytest.raises(DatabaseError, match="too big"):
        await database.batch([("SELECT ?1 AS v", ("x" * 2_000_001,))])
    with pytest.raises(StorageError, match="at most 1,000"):
        await objects.delete([str(number) for number in range(1001)])
