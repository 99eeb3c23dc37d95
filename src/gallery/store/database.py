"""Statements with named parameters, rows by name, and transactions that are repeated after passing faults."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from itertools import chain
from typing import Any

from gallery.errors import DatabaseError
from gallery.ports import Platform, Row, Statement

# The time that judges leases and expiries: the database's own, in milliseconds since 1970, read while the
# statement runs, so that a statement that was delayed on its way is judged when it arrives.
NOW = "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"
PING = "SELECT 1 AS one"

TRIES = 5
FIRST_PAUSE = 0.05  # seconds

# Faults that are worth another try (D1's documentation, "Debug D1"); any other would only fail again.
_TRANSIENT = (
    "Network connection lost",
    "storage caused object to be reset",
    "reset because its code was updated",
)
_NAME = re.compile(r":([a-z_]+)")
_MOST_ARGUMENTS = 32  # of one SQL function in D1


def d1_error(message: str) -> DatabaseError:
    """The error that a message of D1 stands for."""
    return DatabaseError(message, transient=any(text in message for text in _TRANSIENT))


def columns(record: type) -> tuple[str, ...]:
    """The names of a dataclass' fields, which are those of its columns."""
    return tuple(field.name for field in fields(record))


def listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def assigned(names: Iterable[str]) -> str:
    """Each column set to the parameter of the same name."""
    return ", ".join(f"{name} = :{name}" for name in names)


def bind(text: str, /, **values: Any) -> Statement:
    """A statement whose `:name` parameters have these values. Raises TypeError when the names differ.

    D1 only knows parameters by number.
    """
    numbered, names = _numbered(text)
    if values.keys() != set(names):
        raise TypeError(f"the statement needs {listed(names)}, not {listed(values)}")
    return numbered, tuple(values[name] for name in names)


@cache
def _numbered(text: str) -> tuple[str, tuple[str, ...]]:
    names = tuple(dict.fromkeys(_NAME.findall(text)))
    return _NAME.sub(lambda match: f"?{names.index(match[1]) + 1}", text), names


def packed(expressions: Iterable[str]) -> str:
    """An SQL expression for the values of many as one JSON text; `unpacked` gives them their names again.

    One text crosses from JavaScript to Python faster than two dozen values.
    """
    values = list(expressions)
    groups = [values[start : start + _MOST_ARGUMENTS] for start in range(0, len(values), _MOST_ARGUMENTS)]
    return f"json_array({listed(f'json_array({listed(group)})' for group in groups)})"


def unpacked(names: Iterable[str], text: str) -> dict[str, Any]:
    return dict(zip(names, chain.from_iterable(json.loads(text)), strict=True))


def json_list(keys: Iterable[str]) -> str:
    """Keys as one parameter, which `json_each` reads."""
    return json.dumps(list(keys))


async def transact(platform: Platform, **statements: Statement) -> dict[str, Sequence[Row]]:
    """Run statements in their order as one transaction; the rows of each by the name it was given.

    The statements must be idempotent: after a transient fault they are run again, at most five times in all.
    Raises DatabaseError.
    """
    rows = await batch(platform, list(statements.values()))
    return dict(zip(statements, rows, strict=True))


async def only(platform: Platform, statement: Statement) -> Row | None:
    """The first row of one statement. Raises DatabaseError."""
    return first((await batch(platform, [statement]))[0])


async def rows_of(platform: Platform, statement: Statement) -> Sequence[Row]:
    """The rows of one statement. Raises DatabaseError."""
    return (await batch(platform, [statement]))[0]


async def batch(platform: Platform, statements: Sequence[Statement]) -> Sequence[Sequence[Row]]:
    """As `transact`, for a number of statements that is not fixed."""
    attempt = 0
    while True:
        try:
            return await platform.database.batch(statements)
        except DatabaseError as error:
            attempt += 1
            if not error.transient:
                raise
            platform.log({"event": "d1_retry", "attempt": attempt, "reason": str(error)})
            if attempt == TRIES:
                raise
        await platform.sleep(FIRST_PAUSE * 2 ** (attempt - 1) * (0.5 + platform.random()))


def first(rows: Sequence[Row]) -> Row | None:
    return rows[0] if rows else None


def row_by(name: str, rows: Iterable[Row]) -> Mapping[str, Row]:
    """Rows by the value of one column."""
    return {row[name]: row for row in rows}
