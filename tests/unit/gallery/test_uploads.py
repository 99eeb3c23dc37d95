"""The statements of the table `uploads`, run against the schema, and binding by name."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import pytest
from tests.support.gallery.database import SqliteDatabase

from gallery.ports import Statement
from gallery.store import uploads
from gallery.store.database import NOW, bind

KEY = "originals/usr_ada/1.jpg"
EVERY: dict[str, Statement] = {
    "issue": uploads.issue(KEY, "usr_ada", "image/jpeg", 5, max_uploads=2, max_bytes=20, largest=10),
    "first_end": uploads.first_end("usr_ada"),
    "take": uploads.take(KEY, "usr_ada", "me", 40),
    "find": uploads.find(KEY),
    "release": uploads.release(KEY, "me"),
    "reclaim": uploads.reclaim(KEY, "me", "you", 30),
    "close": uploads.close(KEY, "me"),
    "forget": uploads.forget(KEY, "me"),
    "settle": uploads.settle(KEY, "me", "art_1"),
    "remove": uploads.remove("art_1", 1),
    "due": uploads.due(10),
    "take_due": uploads.take_due("me", 300, 10),
    "take_due of a user": uploads.take_due("me", 300, 10, "usr_ada"),
    "end": uploads.end([KEY], "me"),
    "checked": uploads.checked([KEY], "me"),
    "release_all": uploads.release_all([KEY], "me"),
    "take_idle": uploads.take_idle([KEY], "me", 300),
    "leased": uploads.leased([KEY]),
}


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_750_000_000.0
        self.database = SqliteDatabase(lambda: self.seconds)
        self.database.rows("INSERT INTO users (id, username) VALUES ('usr_ada', 'ada')")

    def run(self, statement: Statement) -> list[dict[str, Any]]:
        text, values = statement
        return self.database.rows(text, *values)

    def row(self) -> dict[str, Any]:
        (row,) = self.database.rows("SELECT * FROM uploads")
        return row


@pytest.mark.parametrize("name", EVERY)
def test_every_statement_fits_the_schema_and_d1(name: str) -> None:
    text, values = EVERY[name]
    numbers = {int(number) for number in re.findall(r"\?(\d+)", text)}
    assert numbers == set(range(1, len(values) + 1))
    assert not re.search(r"\?(?!\d)|[^\w]:[a-z]", text)
    SqliteDatabase().rows(f"EXPLAIN {text}", *values)


@pytest.mark.parametrize("name", sorted({*EVERY} - {"take_idle", "leased", "end", "checked", "release_all"}))
def test_no_statement_reads_the_whole_table(name: str) -> None:
    text, values = EVERY[name]
    plan = SqliteDatabase().rows(f"EXPLAIN QUERY PLAN {text}", *values)
    scans = [step["detail"] for step in plan if re.match(r"SCAN (uploads|artworks|users)", step["detail"])]
    assert scans == []


@pytest.mark.parametrize("name", ["end", "checked", "release_all", "leased"])
def test_lists_of_keys_are_looked_up(name: str) -> None:
    text, values = EVERY[name]
    plan = SqliteDatabase().rows(f"EXPLAIN QUERY PLAN {text}", *values)
    assert any("SEARCH uploads USING PRIMARY KEY" in step["detail"] for step in plan)


def test_the_row_has_the_columns_of_the_dataclass() -> None:
    clock = Clock()
    clock.run(EVERY["take"])
    assert ", ".join(clock.row()) == uploads.COLUMNS
    assert uploads.upload_of(clock.row()).key == KEY


def test_names_are_bound_to_numbers_in_any_order() -> None:
    assert bind("SELECT :b, :a, :b", a=1, b=2) == ("SELECT ?1, ?2, ?1", (2, 1))
    for values in ({"a": 1}, {"a": 1, "b": 2, "c": 3}, {}):
        with pytest.raises(TypeError, match="b, a"):
            bind("SELECT :b, :a, :b", **values)


def test_the_time_is_the_databases_own_in_milliseconds() -> None:
    real = sqlite3.connect(":memory:")
    ((now, seconds),) = real.execute(f"SELECT {NOW}, CAST(strftime('%s', 'now') AS INTEGER)")
    real.close()
    assert 0 <= now - seconds * 1000 < 1000
    clock = Clock()
    clock.seconds = 1_750_000_000.123
    assert clock.database.rows(f"SELECT {NOW} AS now") == [{"now": 1_750_000_000_123}]


def take(clock: Clock, holder: str, seconds: float = 40) -> int | None:
    found = clock.run(uploads.take(KEY, "usr_ada", holder, seconds))
    return found[0]["attempt"] if found else None


def test_a_lease_has_one_holder_until_it_ends_or_is_released() -> None:
    clock = Clock()
    assert take(clock, "ann") == 1
    clock.seconds += 39.9
    assert take(clock, "bob") is None
    assert take(clock, "ann") == 1
    clock.seconds += 40
    assert take(clock, "bob") == 2
    clock.run(uploads.release(KEY, "ann"))
    assert take(clock, "cat") is None
    clock.run(uploads.release(KEY, "bob"))
    assert take(clock, "cat") == 3


def record(clock: Clock, version: int = 1) -> None:
    clock.database.rows(
        "INSERT INTO artworks (id, user_id, slug, title, original_key, version, original_url, display_url,"
        " thumbnail_url, icon_url, width, height, original_width, original_height, processed_at, created_at,"
        " updated_at) VALUES ('art_1', 'usr_ada', 's', 't', ?, ?, '', '', '', '', 1, 1, 1, 1, '', '', '')",
        KEY,
        version,
    )


@pytest.mark.parametrize("has_row", [False, True])
def test_the_try_after_a_recorded_version_is_the_next_one(has_row: bool) -> None:
    clock = Clock()
    record(clock, version=4)
    if has_row:
        clock.run(uploads.take_idle([KEY], "audit", 0))
    assert take(clock, "ann") == 5
    assert clock.row()["artwork_id"] == "art_1"


def test_a_lease_that_was_reclaimed_has_lost_its_old_holder() -> None:
    clock = Clock()
    take(clock, "ann")
    assert clock.run(uploads.reclaim(KEY, "ann", "tidy", 30))
    assert clock.run(uploads.reclaim(KEY, "ann", "tidy", 30)), "an answer that was lost is asked for again"
    clock.run(uploads.settle(KEY, "ann", "art_1"))
    clock.run(uploads.release(KEY, "ann"))
    assert clock.row()["holder"] == "tidy"
    assert not clock.run(uploads.reclaim(KEY, "ann", "other", 30))
    clock.seconds += 30
    assert clock.run(uploads.reclaim(KEY, "ann", "other", 30))


def test_what_is_recorded_is_not_reclaimed() -> None:
    clock = Clock()
    take(clock, "ann")
    record(clock)
    assert not clock.run(uploads.reclaim(KEY, "ann", "tidy", 30))


@pytest.mark.parametrize(
    ("size", "tries", "is_watched"), [(5, 1, False), (None, 1, True), (5, 2, True), (None, 3, True)]
)
def test_the_sweeper_comes_back_to_what_may_be_written_to(
    size: int | None, tries: int, is_watched: bool
) -> None:
    clock = Clock()
    clock.run(uploads.issue(KEY, "usr_ada", "image/jpeg", size, max_uploads=2, max_bytes=20, largest=10))
    for number in range(tries):
        assert take(clock, f"holder {number}", 0) == number + 1
    record(clock)
    clock.run(uploads.settle(KEY, f"holder {tries - 1}", "art_1", "{}" if tries > 1 else None))
    assert (clock.row()["expires_at"] is not None) == is_watched
    clock.seconds += uploads.URL_SECONDS + uploads.GRACE_SECONDS
    assert len(clock.run(uploads.due(10))) == int(is_watched)


def test_a_removal_keeps_creates_away_until_the_sweeper_comes() -> None:
    clock = Clock()
    take(clock, "ann")
    record(clock)
    clock.run(uploads.settle(KEY, "ann", "art_1"))
    clock.run(uploads.remove("art_1", 1))
    row = clock.row()
    assert (row["holder"], row["artwork_id"], row["content_type"]) == (uploads.REMOVED, None, None)
    while not clock.run(uploads.due(10)):
        assert take(clock, "bob") is None
        clock.seconds += 60
    assert take(clock, "bob") == 2


def test_statements_may_be_run_twice() -> None:
    for name, statement in EVERY.items():
        if name == "first_end":
            continue
        clock = Clock()
        take(clock, "me")
        clock.run(statement)
        once = clock.database.rows("SELECT * FROM uploads")
        clock.run(statement)
        assert clock.database.rows("SELECT * FROM uploads") == once, name
