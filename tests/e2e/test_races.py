"""Many creates at once: quotas hold, slugs are unique, bytes are the ones that were sent."""

from __future__ import annotations

import concurrent.futures
import hashlib
import random

import httpx
import pytest
from tests.e2e.conftest import Account, AccountFactory
from tests.e2e.uploads import put, ticket
from tests.pictures import jpeg
from tools.stack import Stack

SMALL = jpeg(96, 72)
LIMIT = 7
CREATES = 20
ROUNDS = 20


def create_all(artist: Account, keys: list[str], title: str) -> list[httpx.Response]:
    with concurrent.futures.ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda key: artist.create(key, title), keys))


def test_creates_at_once_never_pass_the_limit(account: AccountFactory, stack: Stack) -> None:
    for _ in range(ROUNDS):
        artist = account(limit=LIMIT)
        keys = [artist.upload(SMALL) for _ in range(CREATES)]
        answers = create_all(artist, keys, "One of many")
        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [201] * LIMIT + [429] * (CREATES - LIMIT)
        assert {answer.json()["code"] for answer in answers if answer.status_code == 429} == {
            "artwork_limit_reached"
        }
        count = stack.rows("SELECT artwork_count AS n FROM users WHERE id = ?", artist.user_id)
        rows = stack.rows("SELECT count(*) AS n FROM artworks WHERE user_id = ?", artist.user_id)
        assert (count, rows) == ([{"n": LIMIT}], [{"n": LIMIT}])


def test_fifty_creates_with_one_title_get_fifty_slugs(account: AccountFactory) -> None:
    artist = account(limit=60)
    keys = [artist.upload(SMALL) for _ in range(50)]
    answers = create_all(artist, keys, "Same Title")
    assert [answer.status_code for answer in answers] == [201] * 50
    slugs = {answer.json()["data"]["slug"] for answer in answers}
    assert slugs == {"same-title", *(f"same-title-{number}" for number in range(1, 50))}


@pytest.mark.parametrize("size", [1, 2, 1023, 65_536, 1_000_003, 25_000_000])
def test_the_bytes_that_come_back_are_the_bytes_that_were_sent(account: AccountFactory, size: int) -> None:
    artist = account()
    data = random.Random(size).randbytes(size)  # noqa: S311
    received = ticket(artist.client, size)
    assert put(received, data).status_code == 200
    stored = artist.client.get(f"/cdn/{received['key']}", headers={"Authorization": ""})
    assert stored.status_code in (403, 404)
    refused = artist.create(received["key"])
    assert refused.status_code in (415, 422)
    original = SMALL + data if size > len(SMALL) else SMALL
    artwork = artist.create(artist.upload(original)).json()["data"]
    fetched = httpx.get(artwork["originalDownloadUrl"], timeout=60).content
    assert hashlib.sha256(fetched).digest() == hashlib.sha256(original).digest()


def test_a_ticket_is_good_for_one_upload(account: AccountFactory) -> None:
    artist = account()
    received = ticket(artist.client, len(SMALL))
    assert put(received, SMALL).status_code == 200
    assert put(received, SMALL[::-1]).status_code == 412
    other_type = {**received, "headers": {**received["headers"], "Content-Type": "text/html"}}
    assert put(other_type, SMALL).status_code == 403
    fresh = ticket(artist.client, len(SMALL))
    assert put(fresh, SMALL + b"more").status_code == 403
