"""Statements with named parameters, and transactions that repeat what is known to pass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from gallery.errors import DatabaseError, Unavailable
from gallery.ports import Platform, Row, Statement

# The time that judges leases and expiries: the database's own, in milliseconds since 1970, read while the
# statement runs. A statement that was long on its way is judged when it arrives.
NOW = "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"

_NAME = re.compile(r":([a-z_]+)")


def bind(text: str, **values: Any) -> Statement:
    """A statement whose `:name` parameters have these values. Raises TypeError when the names differ."""
    numbered, names = _numbered(text)
    if values.keys() != set(names):
        raise TypeError(f"the statement needs {', '.join(names)}, not {', '.join(values)}")
    return numbered, tuple(values[name] for name in names)


@cache
def _numbered(text: str) -> tuple[str, tuple[str, ...]]:
    names = tuple(dict.fromkeys(_NAME.findall(text)))
    return _NAME.sub(lambda match: f"?{names.index(match[1]) + 1}", text), names


TRIES = 5
FIRST_PAUSE = 0.05

# What Cloudflare documents as worth another try; anything else would only fail again.
_PASSING = (
    "Network connection lost",
    "storage caused object to be reset",
    "reset because its code was updated",
)


def is_transient(error: DatabaseError) -> bool:
    """Whether a fault is one of those that are documented to pass."""
    return any(text in str(error) for text in _PASSING)


async def transact(platform: Platform, *statements: Statement) -> list[list[Row]]:
    """Run idempotent statements as one transaction, at most five times. Raises Unavailable, DatabaseError."""
    for attempt in range(TRIES):
        try:
            return await platform.database.batch(statements)
        except DatabaseError as error:
            if not is_transient(error):
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
