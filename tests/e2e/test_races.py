"""Many creates at once: quotas hold, slugs are unique, bytes are the ones that were sent."""

from __future__ import annotations

import concurrent.futures
import hashlib
import random

import httpx
import pytest
from tests.support.e2e.accounts import Account, AccountFactory, renders
from tests.support.e2e.inside import Bucket, counts
from tests.support.e2e.uploads import create_in_turn, put, ticket
from tests.support.pictures import jpeg
from tools.stack import Stack

SMALL = jpeg(96, 72)
SIZES = (1, 2, 1023, 65_536, 1_000_003, 25_000_000)
URL_OF = {"thumbnail": "thumbnailUrl", "icon": "iconUrl", "watermark": "displayUrl"}
LIMIT = 5
CREATES = 14  # of one user: two at work, twelve waiting
ROUNDS = 4


def create_all(artist: Account, keys: list[str], title: str) -> list[httpx.Response]:
    with concurrent.futures.ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda key: create_in_turn(artist.client, key, title), keys))


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
        assert counts(stack, artist) == (LIMIT, LIMIT)


def test_creates_at_once_with_one_title_get_slugs_of_their_own(account: AccountFactory) -> None:
    artist = account(limit=CREATES)
    keys = [artist.upload(SMALL) for _ in range(CREATES)]
    answers = create_all(artist, keys, "Same Title")
    assert [answer.status_code for answer in answers] == [201] * CREATES
    slugs = {answer.json()["data"]["slug"] for answer in answers}
    assert slugs == {"same-title", *(f"same-title-{number}" for number in range(1, CREATES))}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def random_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311


@pytest.mark.parametrize("size", SIZES)
def test_any_bytes_are_stored_as_they_were_sent(account: AccountFactory, bucket: Bucket, size: int) -> None:
    artist = account()
    data = random_bytes(size)
    received = ticket(artist.client, size)
    assert put(received, data).status_code == 200
    assert sha256(bucket.read(received["key"])) == sha256(data)
    assert artist.client.get(f"/cdn/{received['key']}").status_code == 403
    assert artist.create(received["key"]).status_code in (415, 422)
    assert artist.create(received["key"]).status_code == 404, "what was refused is deleted at once"


@pytest.mark.parametrize("size", [len(SMALL), *(size for size in SIZES if size > len(SMALL))])
def test_a_picture_of_any_size_and_its_renditions_are_the_bytes_that_were_written(
    account: AccountFactory, stack: Stack, bucket: Bucket, size: int
) -> None:
    artist = account()
    original = SMALL + random_bytes(size - len(SMALL))
    answer = artist.create(artist.upload(original))
    assert answer.status_code == 201, answer.text
    artwork = answer.json()["data"]
    assert sha256(httpx.get(artwork["originalDownloadUrl"], timeout=60).content) == sha256(original)
    for variant, logged in renders(stack, answer).items():
        assert sha256(httpx.get(artwork[URL_OF[variant]]).content) == logged["sha256"]
        assert sha256(bucket.read(logged["key"])) == logged["sha256"]
