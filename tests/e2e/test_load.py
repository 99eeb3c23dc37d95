"""Load on one stack, and a stack that is killed under load: nothing lost, nothing twice, memory flat."""

from __future__ import annotations

import concurrent.futures
import itertools
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.support.e2e.accounts import Account, artist_of
from tests.support.e2e.inside import audit, counts
from tests.support.e2e.uploads import create
from tests.support.pictures import jpeg
from tools import stack as local_stack
from tools.stack import Stack

CLIENTS = 8
WARM_UP = 20
# Garbage comes and goes; one original of a create kept in an isolate would come to more than twice as much.
SLACK_MIB = 32
ORIGINAL_BYTES = 2_000_000
CROWD = 24  # two of a user's creates are at work and twelve wait
KILLED = 20
URLS = ("original_url", "display_url", "thumbnail_url", "icon_url")
# As if all leases had been given an hour earlier.
LEASES_END = "UPDATE uploads SET lease_until = lease_until - 3600000"
MIB = 1 << 20
Record = Callable[[str, object], None]


def memories(stack: Stack, kind: str) -> dict[str, float]:
    """MiB of each isolate: `heapBytes` are WebAssembly's and never shrink, `javascriptBytes` all others."""
    return {name: about[kind] / MIB for name, about in stack.control("status").items()}


def test_many_creates_lose_nothing_and_keep_memory_flat(
    request: pytest.FixtureRequest, state: Path, record_property: Record
) -> None:
    number_of_creates = request.config.getoption("--creates")
    assert (number_of_creates - WARM_UP) * ORIGINAL_BYTES > 2 * SLACK_MIB * MIB
    # What follows the end of a JPEG is accepted and ignored.
    picture = jpeg(1632, 1224, seed=2)
    original = picture + bytes(ORIGINAL_BYTES - len(picture))
    done = itertools.count(1)
    warm: dict[str, dict[str, float]] = {}
    with (
        local_stack.running(state, arguments=["--inspect"]) as stack,
        artist_of(stack, "mara", 1000) as artist,
    ):

        def one(number: int) -> str:
            answer = artist.create(artist.upload(original), f"Work {number}")
            assert answer.status_code == 201, answer.text
            if next(done) == WARM_UP:
                warm.update({kind: memories(stack, kind) for kind in ("heapBytes", "javascriptBytes")})
            return str(answer.json()["data"]["id"])

        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            ids = list(pool.map(one, range(number_of_creates)))
        seconds = time.monotonic() - started
        heaps, javascript = memories(stack, "heapBytes"), memories(stack, "javascriptBytes")
        assert len(set(ids)) == number_of_creates
        assert counts(stack, artist) == (number_of_creates, number_of_creates)
        assert len(stack.control("objects")["keys"]) == 6 * number_of_creates  # two are narrower displays
    record_property("creates of 2 MP, 8 at a time", number_of_creates)
    record_property("seconds they took, uploads included", round(seconds, 1))
    for name, early, late in (
        ("WebAssembly heap", warm["heapBytes"], heaps),
        ("JavaScript memory", warm["javascriptBytes"], javascript),
    ):
        record_property(f"largest {name} after 20 of them, MiB", round(max(early.values()), 1))
        record_property(f"largest {name} after all, MiB", round(max(late.values()), 1))
    assert heaps == warm["heapBytes"]
    grown = {name: javascript[name] - early for name, early in warm["javascriptBytes"].items()}
    assert max(grown.values()) < SLACK_MIB, grown


def test_more_creates_than_the_queue_holds_are_refused_with_retry_after(
    state: Path, record_property: Record
) -> None:
    original = jpeg(1632, 1224, seed=6, quality=60)
    with local_stack.running(state) as stack, artist_of(stack, "mara", 1000) as artist:
        keys = [artist.upload(original) for _ in range(CROWD)]
        with concurrent.futures.ThreadPoolExecutor(CROWD) as pool:
            answers = list(pool.map(artist.create, keys))
        slowest = max(answer.elapsed.total_seconds() for answer in answers)
        record_property(f"{CROWD} creates of 2 MP at once, slowest answer, s", round(slowest, 1))
        statuses = Counter(answer.status_code for answer in answers)
        for status, count in statuses.items():
            record_property(f"{CROWD} creates of 2 MP at once, answers {status}", count)
        assert set(statuses) == {201, 503}, [answer.text for answer in answers if answer.status_code == 500]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert {answer.json()["code"] for answer in refused} == {"overloaded"}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        assert counts(stack, artist) == (statuses[201], statuses[201])
        again = artist.create(keys[answers.index(refused[0])])
        assert again.status_code == 201, again.text


def recorded_objects(stack: Stack) -> set[str]:
    """Keys of all objects that each row names."""
    rows = stack.rows(f"SELECT {', '.join(URLS)}, display_sizes FROM artworks")  # noqa: S608
    keys = {str(row[name]).partition("/cdn/")[2] for row in rows for name in URLS}
    for row in rows:
        stem = str(row["display_url"]).partition("/cdn/")[2].removesuffix(".jpg")
        keys |= {f"{stem}-{width}.jpg" for width, _ in json.loads(row["display_sizes"] or "[]")}
    return keys


def unrecorded(stack: Stack, originals: list[str]) -> set[str]:
    """Keys of renditions that no row names."""
    return set(stack.control("objects")["keys"]) - recorded_objects(stack) - set(originals)


def rendered(stack: Stack, variant: str) -> set[str]:
    """Ids of the requests for which a renderer has logged its rendition."""
    lines = [line.partition("] ")[2] for line in list(stack.lines) if line.startswith(f"[{variant}] {{")]
    return {str(json.loads(line)["requestId"]) for line in lines}


def create_until_killed(stack: Stack, artist: Account, keys: list[str], successes: int) -> list[int]:
    """Statuses of creates at once, 0 for no answer: the stack is killed after so many successes, while one
    of the others has written its display version and not its icon.
    """
    answered: list[int] = []

    def one(key: str) -> None:
        try:
            answered.append(artist.create(key).status_code)
        except httpx.TransportError:
            answered.append(0)

    threads = [threading.Thread(target=one, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    while answered.count(201) < successes or not rendered(stack, "watermark") - rendered(stack, "icon"):
        time.sleep(0.01)
    os.kill(stack.process.pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    return answered


def test_a_kill_in_the_middle_of_creates_keeps_the_invariants(state: Path, record_property: Record) -> None:
    slow = ["--fault", "icon=late:700"]
    with local_stack.running(state, arguments=slow) as stack, artist_of(stack, "mara") as artist:
        keys = [artist.upload(jpeg(1200, 900, seed=seed)) for seed in range(KILLED)]
        answered = create_until_killed(stack, artist, keys, 5)

    with local_stack.running(state) as stack, artist_of(stack, "nell", operator=True) as operator:
        counted, rows = counts(stack, artist)
        left = unrecorded(stack, keys)
        assert left
        record_property(f"{KILLED} creates and a kill: answered with 201 before", answered.count(201))
        record_property(f"{KILLED} creates and a kill: rows afterwards, and the count", f"{rows}, {counted}")
        record_property(f"{KILLED} creates and a kill: renditions without a row before the sweep", len(left))
        stack.rows(LEASES_END)
        reports = list(audit(operator.client))
        assert {key for report in reports for key in report["removed"]} == left
        assert [problem for report in reports for problem in report["missing"] + report["failed"]] == []
        assert counts(stack, artist) == (rows, rows)
        assert rows >= answered.count(201) >= 5
        assert set(stack.control("objects")["keys"]) == recorded_objects(stack) | set(keys)
        assert len(recorded_objects(stack)) == 5 * rows  # the display is 1200 pixels wide: one narrower one
        with httpx.Client(base_url=stack.url, headers=artist.headers, timeout=60) as client:
            statuses = [create(client, key).status_code for key in keys]
        assert sorted(statuses) == [200] * rows + [201] * (KILLED - rows)
