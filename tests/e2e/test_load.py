"""Load on one stack, and a stack that is killed under load: nothing lost, nothing twice, memory flat."""

from __future__ import annotations

import concurrent.futures
import itertools
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.e2e.conftest import AccountFactory, vfa
from tests.e2e.uploads import create, upload
from tests.pictures import jpeg
from tools import stack as local_stack
from tools.stack import Stack

CREATES = 200
CLIENTS = 8
WARM_UP = 20
MIB = 1 << 20
Record = Callable[[str, object], None]


def heaps(stack: Stack) -> dict[str, int]:
    return {name: about["heapBytes"] for name, about in stack.control("status").items()}


def test_two_hundred_creates_lose_nothing_and_keep_memory_flat(
    account: AccountFactory, stack: Stack, objects: Callable[[], set[str]], record_property: Record
) -> None:
    artist = account(limit=1000)
    original = jpeg(1632, 1224, seed=2)
    before = objects()
    done = itertools.count(1)
    warm: dict[str, int] = {}

    def one(number: int) -> str:
        answer = artist.create(artist.upload(original), f"Work {number}")
        assert answer.status_code == 201, answer.text
        if next(done) == WARM_UP:
            warm.update(heaps(stack))
        return str(answer.json()["data"]["id"])

    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        ids = list(pool.map(one, range(CREATES)))

    assert len(set(ids)) == CREATES
    rows = stack.rows("SELECT count(*) AS n FROM artworks WHERE user_id = ?", artist.user_id)
    count = stack.rows("SELECT artwork_count AS n FROM users WHERE id = ?", artist.user_id)
    assert rows == count == [{"n": CREATES}]
    assert len(objects() - before) == 4 * CREATES
    assert heaps(stack) == warm
    record_property("creates of 2 MP, 8 at a time", CREATES)
    record_property("seconds they took, uploads included", round(time.monotonic() - started, 1))
    record_property("largest heap after 20 of them, MiB", round(max(warm.values()) / MIB, 1))
    record_property("largest heap after all, MiB", round(max(heaps(stack).values()) / MIB, 1))


def test_more_than_the_siblings_can_do_is_answered_and_not_left_hanging(
    account: AccountFactory, record_property: Record
) -> None:
    artist = account(limit=1000)
    original = jpeg(4000, 3000, seed=6)
    keys = [artist.upload(original) for _ in range(60)]
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(artist.create, keys))
    slowest = max(answer.elapsed.total_seconds() for answer in answers)
    record_property("60 creates of 12 MP at once, slowest answer, s", round(slowest, 1))
    for status, count in Counter(answer.status_code for answer in answers).items():
        record_property(f"60 creates of 12 MP at once, answers {status}", count)
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {201, 500, 503}
    assert 201 in statuses
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["code"] == "overloaded"
            assert int(answer.headers["retry-after"]) > 0


@pytest.fixture
def doomed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.config.getoption("--base-url"):
        pytest.skip("only a stack of the tests' own may be killed")
    return tmp_path / "state"


def test_a_kill_in_the_middle_of_creates_leaves_the_invariants(doomed: Path, record_property: Record) -> None:
    keys: list[str] = []
    with local_stack.running(doomed) as stack:
        user_id = vfa("user", "add", "mara", "--limit", "100", "--state", str(doomed))
        token = vfa("token", "mara", "--state", str(doomed))
        headers = {"Authorization": f"Bearer {token}"}
        client = httpx.Client(base_url=stack.url, headers=headers, timeout=30)
        keys = [upload(client, jpeg(1200, 900, seed=seed)) for seed in range(50)]
        answered: list[int] = []

        def one(key: str) -> None:
            try:
                answered.append(create(client, key).status_code)
            except httpx.TransportError:
                answered.append(0)

        threads = [threading.Thread(target=one, args=(key,)) for key in keys]
        for thread in threads:
            thread.start()
        while sum(status == 201 for status in answered) < 5:
            time.sleep(0.01)
        os.kill(stack.process.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
        client.close()

    with local_stack.running(doomed) as stack:
        rows = stack.rows("SELECT original_key FROM artworks WHERE user_id = ?", user_id)
        count = stack.rows("SELECT artwork_count AS n FROM users WHERE id = ?", user_id)[0]["n"]
        record_property("50 creates and a kill: answered with 201 before", answered.count(201))
        record_property("50 creates and a kill: rows afterwards, and the count", f"{len(rows)}, {count}")
        assert count == len(rows) >= answered.count(201) >= 5
        stack.control("cron")
        names = {row["original_key"].split("/", 1)[1].rsplit(".", 1)[0] for row in rows}
        kept = [key for key in stack.control("objects")["keys"] if not key.startswith("originals/")]
        recorded = [key for key in kept if any(name in key for name in names)]
        assert len(recorded) == 3 * len(rows)
        with httpx.Client(base_url=stack.url, headers=headers, timeout=60) as client:
            statuses = []
            for key in keys:
                answer = create(client, key)
                while answer.status_code == 409:
                    time.sleep(float(answer.headers["retry-after"]))
                    answer = create(client, key)
                statuses.append(answer.status_code)
        assert sorted(statuses) == [200] * len(rows) + [201] * (50 - len(rows))
