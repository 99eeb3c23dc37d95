"""The invariants: what records, bucket and model must agree on once all is quiet."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
from tests.support.e2e.inside import audit
from tests.support.model.faults import DEADLINE_SECONDS
from tests.support.model.world import Shelf, State, Work
from tools.stack import Stack

HOUR_MS = 3_600_000
SETTLING_SECONDS = 120
URLS = ("original_url", "display_url", "thumbnail_url", "icon_url")
AGE_ALL = """
UPDATE uploads SET lease_until = lease_until - ?1, expires_at = expires_at - ?1, issued_at = issued_at - ?1
"""
AGE = "UPDATE uploads SET expires_at = expires_at - ?1 WHERE key IN (SELECT value FROM json_each(?2))"


def age(stack: Stack, keys: list[str]) -> None:
    """As if an hour had gone by for these uploads."""
    stack.rows(AGE, HOUR_MS, json.dumps(keys))


def sweep(client: httpx.Client) -> dict[str, Any]:
    return dict(client.post("/api/sweep").raise_for_status().json()["data"])


def settle(stack: Stack, operator: httpx.Client, shelves: Sequence[Shelf]) -> list[str]:
    """Let the background end and an hour go by, sweep, and compare; every problem in a sentence."""
    time.sleep(DEADLINE_SECONDS + 1)
    stack.rows(AGE_ALL, HOUR_MS)
    deadline = time.monotonic() + SETTLING_SECONDS
    while (report := sweep(operator))["uploadsSeen"] or report["failed"]:
        if time.monotonic() > deadline:
            return [f"the sweeper does not come to an end: {report}"]
    pages = list(audit(operator))
    problems = [f"the sweeper had left {key} to an audit" for page in pages for key in page["removed"]]
    problems += [f"an audit says: {page}" for page in pages if page["missing"] or page["failed"]]
    return problems + list(_compare(stack, shelves))


def _compare(stack: Stack, shelves: Sequence[Shelf]) -> Iterator[str]:
    columns = ", ".join(("id", "user_id", "title", "original_key", *URLS))
    rows = {row["original_key"]: row for row in stack.rows(f"SELECT {columns} FROM artworks")}  # noqa: S608
    objects = set(stack.control("objects")["keys"])
    named = {str(row[name]).partition("/cdn/")[2] for row in rows.values() for name in URLS}
    yield from (f"no row knows {key}" for key in sorted(objects - named))
    yield from (f"an artwork's object is gone: {key}" for key in sorted(named - objects))
    for user in stack.rows("SELECT id, artwork_count, artwork_limit FROM users"):
        number = sum(row["user_id"] == user["id"] for row in rows.values())
        if not user["artwork_count"] == number <= user["artwork_limit"]:
            yield f"{user['id']} has {number} artworks, counted {user['artwork_count']}"
    for work in (work for shelf in shelves for work in shelf):
        yield from problems_of(work, rows.pop(work.key, None))
    yield from (f"no operation made {key}" for key in rows)


def problems_of(work: Work, row: dict[str, Any] | None) -> Iterator[str]:
    """What is wrong with one work; the model then adopts what it could not know."""
    if work.state is State.MADE and (row is None or row["id"] != work.artwork_id):
        yield f"{work.key} was acknowledged as {work.artwork_id} and is lost"
    elif work.state is State.MADE and row is not None and row["title"] not in work.titles:
        yield f"{work.key} has the title {row['title']}, not one of {work.titles}"
    elif work.state is State.DELETED and row is not None:
        yield f"{work.key} was deleted and is there again"
    if row is None:
        # After an hour its original is gone, too.
        work.state = State.DELETED
    else:
        work.state, work.artwork_id, work.titles = State.MADE, row["id"], {row["title"]}
