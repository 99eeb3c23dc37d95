"""What the gateway relies on D1 to do; contract.py says where it is used."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from tests.support.gallery.adapters import Adapters, refused, same

from gallery.ports import Row


async def _rows(adapters: Adapters, text: str, *values: Any) -> Sequence[Row]:
    return (await adapters.database.batch([(text, values)]))[0]


async def _value(adapters: Adapters, text: str, *values: Any) -> Any:
    """The one value of a statement that calls it `v`."""
    [row] = await _rows(adapters, text, *values)
    return row["v"]


async def rows_are_dictionaries_by_column(adapters: Adapters) -> None:
    found = await _rows(adapters, "SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, NULL")
    same([dict(row) for row in found], [{"a": 1, "b": "x"}, {"a": 2, "b": None}])
    assert all(isinstance(row, dict) for row in found)
    same(list(await _rows(adapters, "SELECT 1 AS a WHERE 0")), [])


async def a_batch_answers_each_statement_in_its_order(adapters: Adapters) -> None:
    found = await adapters.database.batch(
        [
            ("CREATE TABLE ordered (id INTEGER PRIMARY KEY, name TEXT)", ()),
            ("INSERT INTO ordered VALUES (?1, ?2)", (1, "one")),
            ("INSERT INTO ordered VALUES (2, 'two') RETURNING id", ()),
            ("UPDATE ordered SET name = 'more'", ()),
            ("SELECT changes() AS v", ()),
            ("SELECT count(*) AS v FROM ordered", ()),
        ]
    )
    same([[dict(row) for row in each] for each in found], [[], [], [{"id": 2}], [], [{"v": 2}], [{"v": 2}]])


async def a_batch_is_one_transaction(adapters: Adapters) -> None:
    await _rows(adapters, "CREATE TABLE whole (id INTEGER PRIMARY KEY)")
    insert = "INSERT INTO whole VALUES (?1)"
    await refused(adapters.database.batch([(insert, (1,)), (insert, (2,)), (insert, (1,))]), "UNIQUE")
    same(await _value(adapters, "SELECT count(*) AS v FROM whole"), 0)


async def a_batch_may_have_a_hundred_statements_but_not_none(adapters: Adapters) -> None:
    same(len(await adapters.database.batch([("SELECT 1 AS v", ())] * 100)), 100)
    await refused(adapters.database.batch([]), "D1_ERROR: No SQL statements detected.")
    await refused(_rows(adapters, " "), "D1_ERROR: No SQL statements detected.")


async def a_statement_cannot_end_the_transaction(adapters: Adapters) -> None:
    await _rows(adapters, "CREATE TABLE unended (id INTEGER)")
    for text in ("BEGIN", "COMMIT", " commit", "ROLLBACK", "SAVEPOINT a"):
        batch = [("INSERT INTO unended VALUES (1)", ()), (text, ())]
        await refused(adapters.database.batch(batch), "D1_ERROR: To execute a transaction, please use")
    same(await _value(adapters, "SELECT count(*) AS v FROM unended"), 0)


async def other_databases_are_out_of_reach(adapters: Adapters) -> None:
    await refused(_rows(adapters, "ATTACH ':memory:' AS other"), "D1_ERROR: not authorized")
    await refused(_rows(adapters, "CREATE TEMP TABLE fleeting (id INTEGER)"), "D1_ERROR: not authorized")


async def constraints_are_named_in_errors(adapters: Adapters) -> None:
    await _rows(adapters, "CREATE TABLE parents (id INTEGER PRIMARY KEY)")
    name = "name TEXT NOT NULL UNIQUE CHECK (name <> 'bad')"
    await _rows(adapters, f"CREATE TABLE children ({name}, parent REFERENCES parents)")
    await _rows(adapters, "INSERT INTO children VALUES ('a', NULL)")
    insert, code = "INSERT INTO children VALUES (?1, ?2)", "SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_"
    unique = "D1_ERROR: UNIQUE constraint failed: children.name: "
    await refused(_rows(adapters, insert, "a", None), unique + code + "UNIQUE)")
    missing = "D1_ERROR: NOT NULL constraint failed: children.name: "
    await refused(_rows(adapters, insert, None, None), missing + code + "NOTNULL)")
    await refused(_rows(adapters, insert, "bad", None), "D1_ERROR: CHECK constraint failed: name <> 'bad': ")
    await refused(_rows(adapters, insert, "b", 7), "D1_ERROR: FOREIGN KEY constraint failed: " + code)


async def wrong_statements_are_named_in_errors(adapters: Adapters) -> None:
    await refused(
        _rows(adapters, "SELECT * FROM absent"), "D1_ERROR: no such table: absent", ": SQLITE_ERROR"
    )
    await refused(_rows(adapters, "SELEC 1"), 'D1_ERROR: near "SELEC": syntax error', ": SQLITE_ERROR")


async def every_parameter_has_its_value(adapters: Adapters) -> None:
    wrong = "D1_ERROR: Wrong number of parameter bindings for SQL query."
    await refused(_rows(adapters, "SELECT ?1 AS v, ?2 AS w", "a"), wrong)
    await refused(_rows(adapters, "SELECT ?1 AS v", "a", "b"), wrong)


async def values_come_back_as_they_went(adapters: Adapters) -> None:
    for sent in ("", "é", "🖼", "a\0b", None, 0, -1, 5.5, 1e300, 2**31, 2**53 - 2, -(2**53) + 2):
        same(await _value(adapters, "SELECT ?1 AS v", sent), sent)


async def numbers_are_bound_as_reals(adapters: Adapters) -> None:
    for sent in (5, 5.0, True):
        same(await _value(adapters, "SELECT typeof(?1) AS v", sent), "real")
    same(await _value(adapters, "SELECT ?1 / 2 AS v", 5), 2.5)
    same(await _value(adapters, "SELECT json_array(?1) AS v", 5), "[5.0]")
    await _rows(adapters, "CREATE TABLE kinds (i INTEGER, t TEXT, n, r REAL)")
    await _rows(adapters, "INSERT INTO kinds VALUES (?1, ?1, ?1, ?1)", 7)
    [row] = await _rows(adapters, "SELECT typeof(i) AS i, t, typeof(n) AS n, typeof(r) AS r FROM kinds")
    same(dict(row), {"i": "integer", "t": "7.0", "n": "real", "r": "real"})


async def whole_numbers_are_read_as_integers(adapters: Adapters) -> None:
    for text, expected in (("2.0", 2), ("7", 7), ("-0.0", 0), ("9007199254740991", 2**53 - 1)):
        found = await _value(adapters, f"SELECT {text} AS v")
        same((type(found), found), (int, expected))
    same(await _value(adapters, "SELECT ?1 AS v", True), 1)


async def integers_from_2_to_the_53_are_read_as_floats(adapters: Adapters) -> None:
    for text in ("9007199254740992", "9007199254740993", "-9007199254740993", "9223372036854775807"):
        found = await _value(adapters, f"SELECT {text} AS v")
        same((type(found), found), (float, float(text)))


async def integers_from_2_to_the_53_less_1_are_refused(adapters: Adapters) -> None:
    for sent in (2**53 - 1, 2**53, -(2**53) + 1, 2**64):
        await refused(
            _rows(adapters, "SELECT ?1 AS v", sent),
            f"D1_TYPE_ERROR: Type 'bigint' not supported for value '{sent}'",
        )


async def what_is_not_a_finite_number_is_null(adapters: Adapters) -> None:
    for sent in (math.nan, math.inf, -math.inf):
        same(await _value(adapters, "SELECT ?1 AS v", sent), None)
        same(await _value(adapters, "SELECT typeof(?1) AS v", sent), "null")
    same(await _value(adapters, "SELECT 1e999 AS v"), None)


async def bytes_are_read_as_a_list(adapters: Adapters) -> None:
    same(list(await _value(adapters, "SELECT ?1 AS v", b"ab")), [97, 98])
    same(await _value(adapters, "SELECT typeof(?1) AS v", b"ab"), "blob")
    assert isinstance(await _value(adapters, "SELECT x'6162' AS v"), list)


async def half_of_a_surrogate_pair_is_replaced(adapters: Adapters) -> None:
    same(await _value(adapters, "SELECT ?1 AS v", "a\ud800b"), "a\ufffd\ufffd\ufffdb")


async def a_statement_has_at_most_100000_bytes(adapters: Adapters) -> None:
    same(await _value(adapters, "SELECT 1 AS v".ljust(100_000)), 1)
    await refused(
        _rows(adapters, "SELECT 1 AS v".ljust(100_001)), "D1_ERROR: statement too long: SQLITE_TOOBIG"
    )


async def a_statement_has_at_most_100_parameters(adapters: Adapters) -> None:
    def text(count: int) -> str:
        return f"SELECT 7 IN ({', '.join(f'?{number}' for number in range(1, count + 1))}) AS v"

    same(await _value(adapters, text(100), *range(100)), 1)
    await refused(
        _rows(adapters, text(101), *range(101)), "D1_ERROR: variable number must be between ?1 and ?100"
    )


async def a_result_has_at_most_100_columns(adapters: Adapters) -> None:
    def text(count: int) -> str:
        return f"SELECT {', '.join(f'1 AS c{number}' for number in range(count))}"

    same(len((await _rows(adapters, text(100)))[0]), 100)
    await refused(_rows(adapters, text(101)), "D1_ERROR: too many columns in result set: SQLITE_ERROR")


async def a_table_has_at_most_100_columns(adapters: Adapters) -> None:
    def text(count: int) -> str:
        return f"CREATE TABLE wide{count} ({', '.join(f'c{number}' for number in range(count))})"

    await _rows(adapters, text(100))
    await refused(_rows(adapters, text(101)), "D1_ERROR: too many columns on wide101: SQLITE_ERROR")


async def a_function_may_have_32_arguments(adapters: Adapters) -> None:
    # D1 documents 32; the binding in workerd takes up to 127, the fake 32.
    def text(count: int) -> str:
        return f"SELECT json_array_length(json_array({', '.join(['1'] * count)})) AS v"

    same(await _value(adapters, text(32)), 32)
    await refused(_rows(adapters, text(128)), "D1_ERROR: too many arguments on function json_array")


async def expressions_and_unions_have_a_depth(adapters: Adapters) -> None:
    same(await _value(adapters, f"SELECT 1{'+1' * 99} AS v"), 100)
    await refused(_rows(adapters, f"SELECT 1{'+1' * 100} AS v"), "D1_ERROR: Expression tree is too large")
    same(len(await _rows(adapters, " UNION ALL ".join(["SELECT 1 AS v"] * 5))), 5)
    await refused(
        _rows(adapters, " UNION ALL ".join(["SELECT 1 AS v"] * 6)), "too many terms in compound SELECT"
    )


async def a_pattern_has_at_most_50_bytes(adapters: Adapters) -> None:
    same(await _value(adapters, "SELECT 'x' LIKE ?1 AS v", "y" * 50), 0)
    for operator in ("LIKE", "GLOB"):
        text = f"SELECT 'x' {operator} ?1 AS v"
        await refused(
            _rows(adapters, text, "y" * 51), "D1_ERROR: LIKE or GLOB pattern too complex: SQLITE_ERROR"
        )


async def a_text_may_have_two_million_bytes(adapters: Adapters) -> None:
    same(await _value(adapters, "SELECT length(?1) AS v", "x" * 1_999_999), 1_999_999)


async def the_clock_of_statements_is_exact_to_a_millisecond(adapters: Adapters) -> None:
    text = "SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) AS v"
    assert abs(await _value(adapters, text) / 1000 - time.time()) < 30
