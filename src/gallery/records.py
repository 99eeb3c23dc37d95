"""The records in D1: one call a transaction, repeated when the fault is known to pass."""

from __future__ import annotations

from collections.abc import Sequence

from gallery.artwork import Row
from gallery.errors import DatabaseError, Unavailable
from gallery.ports import Platform, Statement

TRIES = 5
FIRST_PAUSE = 0.05

# What Cloudflare documents as worth another try; anything else would only fail again.
_PASSING = (
    "Network connection lost",
    "storage caused object to be reset",
    "reset because its code was updated",
)


def passes(error: DatabaseError) -> bool:
    """Whether a fault is one of those that are documented to pass."""
    return any(text in str(error) for text in _PASSING)


async def transact(platform: Platform, *statements: Statement) -> list[list[Row]]:
    """Run idempotent statements as one transaction, at most five times. Raises Unavailable, DatabaseError."""
    for attempt in range(TRIES):
        try:
            return await platform.database.batch(statements)
        except DatabaseError as error:
            if not passes(error):
                raise
            platform.log({"event": "d1_retry", "attempt": attempt + 1, "reason": str(error)})
        if attempt + 1 < TRIES:
            await platform.sleep(FIRST_PAUSE * 2**attempt * (0.5 + platform.random()))
    raise Unavailable


async def only(platform: Platform, statement: Statement) -> Row | None:
    """The first row of one statement."""
    rows = (await transact(platform, statement))[0]
    return rows[0] if rows else None


def first(rows: Sequence[Row]) -> Row | None:
    return rows[0] if rows else None
