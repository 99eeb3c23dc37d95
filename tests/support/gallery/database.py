"""D1 in memory: real SQL on SQLite, with D1's limits, values and errors (contract.py holds it to them)."""

from __future__ import annotations

import asyncio
import math
import random
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from gallery.errors import DatabaseError
from gallery.ports import Row, Statement
from gallery.store.database import d1_error

ROOT = Path(__file__).parents[3]
# D1 sets these limits of SQLite. It documents 32 arguments and texts of 2 MB, but takes more of both inside
# workerd. The others are checked by contract.py.
D1_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 2_000_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 32,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
}
STATEMENT_BYTES = 100_000
# The SDK hands larger integers to JavaScript as BigInt, which D1 refuses.
LARGEST_INTEGER = 2**53 - 2
TRANSACTION = re.compile(r"\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE)
FOREIGN = re.compile(r"\s*(ATTACH|DETACH|CREATE\s+TEMP(ORARY)?)\b", re.IGNORECASE)


class Pause:
    """How often a binding lets others run before it answers: never, or a random number of times by a seed."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = None if seed is None else random.Random(seed)  # noqa: S311

    async def some(self) -> None:
        for _ in range(self._random.randrange(6) if self._random else 0):
            await asyncio.sleep(0)


class SqliteDatabase:
    """D1 over sqlite, by the clock `now`. `faults` are raised one a call: before the transaction, or after it
    when `lost`. Before a transaction that runs a text with `slow[0]` in it, `slow[1]` is awaited, once.
    """

    def __init__(self, now: Callable[[], float] = time.time, pause: Pause | None = None) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for limit, value in D1_LIMITS.items():
            self.connection.setlimit(limit, value)
        # Seconds since 1970 as a Julian day, which is how the statements ask for the time.
        self.connection.create_function("julianday", 1, lambda _: now() / 86400 + 2440587.5)
        self.pause = pause or Pause()
        self.slow: tuple[str, Callable[[], Awaitable[object]]] | None = None
        self.connection.row_factory = sqlite3.Row
        self.connection.executescript((ROOT / "schema.sql").read_text())
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.calls: list[Sequence[Statement]] = []
        self.faults: list[str | None] = []
        self.lost = False

    async def batch(self, statements: Sequence[Statement]) -> list[list[Row]]:
        self.calls.append(statements)
        fault = self.faults.pop(0) if self.faults else None
        if fault and not self.lost:
            raise d1_error(fault)
        await self.pause.some()
        if self.slow is not None and any(self.slow[0] in text for text, _ in statements):
            _, wait = self.slow
            self.slow = None
            await wait()
        answers = self._transaction(statements)
        await asyncio.sleep(0)
        if fault:
            raise d1_error(fault)
        return answers

    def _transaction(self, statements: Sequence[Statement]) -> list[list[Row]]:
        if not statements:
            raise _refusal("No SQL statements detected.")
        bound = [(text, [_sent(value) for value in values]) for text, values in statements]
        self.connection.execute("BEGIN")
        try:
            answers = [self._run(text, values) for text, values in bound]
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        return answers

    def _run(self, text: str, values: Sequence[Any]) -> list[Row]:
        _check_statement(text)
        try:
            found = self.connection.execute(text, values).fetchall()
        except sqlite3.ProgrammingError as error:
            raise _refusal("Wrong number of parameter bindings for SQL query.") from error
        except sqlite3.Error as error:
            raise _refusal(f"{error}: {_code(error)}") from error
        return [{name: _received(row[name]) for name in row.keys()} for row in found]  # noqa: SIM118

    def rows(self, text: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in self.connection.execute(text, values)]


def _refusal(message: str) -> DatabaseError:
    return d1_error(f"Error: D1_ERROR: {message}")


def _check_statement(text: str) -> None:
    if not text.strip():
        raise _refusal("No SQL statements detected.")
    if len(text.encode()) > STATEMENT_BYTES:
        raise _refusal("statement too long: SQLITE_TOOBIG")
    if TRANSACTION.match(text):
        raise _refusal("To execute a transaction, please use the state.storage.transaction() … APIs")
    if FOREIGN.match(text):
        raise _refusal("not authorized: SQLITE_AUTH")


def _code(error: sqlite3.Error) -> str:
    """SQLite's names of an error, as D1 writes them."""
    extended: str = error.sqlite_errorname
    name = "_".join(extended.split("_")[:2])
    return name if name == extended else f"{name} (extended: {extended})"


def _sent(value: Any) -> Any:
    """A parameter as D1 binds it: every number as a double, and what is not finite as NULL."""
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise d1_error(f"Error: D1_TYPE_ERROR: Type 'bigint' not supported for value '{value}'")
    if isinstance(value, (int, float)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode(errors="surrogatepass").decode(errors="replace")
    return value


def _received(value: Any) -> Any:
    """A value as it comes from SQLite through JSON and JavaScript, which tells 2.0 from 2 no more."""
    if isinstance(value, bytes):
        return list(value)
    if not isinstance(value, (int, float)):
        return value
    if not math.isfinite(value):
        return None
    return int(value) if abs(value) < 2**53 and value == int(value) else float(value)
