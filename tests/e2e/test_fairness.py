"""Many users on one stack: a flood of one holds up no other, and limits refuse whom they are meant for."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from pathlib import Path

import httpx
import pytest
from tests.support.e2e.accounts import Account, AccountFactory, artist_of, assert_refused
from tests.support.e2e.uploads import create_in_turn, put, ticket
from tests.support.pictures import jpeg
from tools import stack as local_stack

FLOOD = 24  # more than one user may have in the queue
FIRST = 3  # of the flood are done when the other user comes
# Renders: two that are under way, two that were let in while the other's request was on its way, and two
# whose responses a busy machine delivers late.
FEW = 6
READS_A_MINUTE = 1200
CLIENTS = 8
FAILURES_A_MINUTE = 30
GARBAGE = b"not a picture at all"


class Flood:
    """Creates of one user, all at once, each repeated as it is told until it succeeds."""

    def __init__(self, artist: Account, keys: list[str]) -> None:
        self.artist = artist
        self.done: list[float] = []
        self.refused: list[httpx.Response] = []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._create, args=(key,)) for key in keys]

    def _create(self, key: str) -> None:
        with httpx.Client(
            base_url=self.artist.client.base_url, headers=self.artist.headers, timeout=60
        ) as client:
            answer = create_in_turn(client, key, "Flood", self.refused, self.stopped)
            if answer.status_code == 201:
                self.done.append(time.monotonic())

    def __enter__(self) -> Flood:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.timeout(600)
def test_a_single_create_beside_a_flood_waits_a_few_renders(state: Path) -> None:
    original = jpeg(1200, 900, seed=3)
    with (
        local_stack.running(state) as stack,
        artist_of(stack, "mara", 1000) as many,
        artist_of(stack, "nell") as single,
    ):
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            keys = list(pool.map(many.upload, [original] * FLOOD))
        own = [single.upload(original) for _ in range(2)]
        with Flood(many, keys) as flood:
            while len(flood.done) < FIRST:
                time.sleep(0.01)
            for key in own:
                started = time.monotonic()
                answer = single.create(key)
                ended = time.monotonic()
                assert answer.status_code == 201, answer.text
                between = sum(started < moment < ended for moment in flood.done)
                assert between <= FEW, f"{between} of the flood went first"
                assert len(flood.done) < FLOOD, "the flood was over"
                read = single.client.get("/api/artworks")
                assert read.status_code == 200
        codes = {(answer.status_code, answer.json()["code"]) for answer in flood.refused}
        assert codes == {(503, "overloaded")}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in flood.refused)


def test_reads_from_one_address_are_limited_and_others_are_not(stack: local_stack.Stack) -> None:
    with (
        httpx.Client(base_url=stack.url, headers={"CF-Connecting-IP": "203.0.113.77"}) as client,
        concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool,
    ):
        answers: list[httpx.Response] = []
        # The limit counts by the clock's minutes: one may end meanwhile.
        while len(answers) <= 2 * READS_A_MINUTE and {answer.status_code for answer in answers} != {200, 429}:
            answers += pool.map(lambda _: client.get("/healthz"), range(200))
        assert {answer.status_code for answer in answers} == {200, 429}
        assert len(answers) >= READS_A_MINUTE
        answer = next(answer for answer in answers if answer.status_code == 429)
        assert_refused(answer, 429)
        assert answer.json()["code"] == "rate_limited"
        assert int(answer.headers["retry-after"]) > 0
    with httpx.Client(base_url=stack.url, headers={"CF-Connecting-IP": "203.0.113.78"}) as other:
        assert other.get("/api/artworks").status_code == 200


def test_a_user_whose_originals_fail_again_and_again_has_to_wait(account: AccountFactory) -> None:
    artist, other = account(), account()
    for _ in range(FAILURES_A_MINUTE + 2):
        ticketed = ticket(artist.client, len(GARBAGE))
        assert put(ticketed, GARBAGE).status_code == 200
        answer = artist.create(ticketed["key"])
        if answer.status_code == 429:
            break
        assert_refused(answer, 415)
    assert_refused(answer, 429)
    assert answer.json()["code"] == "rate_limited"
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert other.create(other.upload(jpeg(96, 72))).status_code == 201
