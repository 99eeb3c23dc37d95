"""Many creates at once: quotas hold, slugs are unique, bytes are the ones that were sent."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import random
import time
from collections.abc import Callable

import httpx
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.support.e2e.accounts import Account, AccountFactory, renders
from tests.support.e2e.uploads import put, ticket
from tests.support.pictures import jpeg
from tools.stack import Stack

SMALL = jpeg(96, 72)
SIZES = (1, 2, 1023, 65_536, 1_000_003, 25_000_000)
URL_OF = {"thumbnail": "thumbnailUrl", "icon": "iconUrl", "watermark": "displayUrl"}
LIMIT = 7
CREATES = 20
ROUNDS = 10


def create(artist: Account, key: str, title: str) -> httpx.Response:
    """One create, repeated for as long as too many of this user's are in the queue."""
    for _ in range(60):
        answer = artist.create(key, title)
        if answer.status_code != 503:
            break
        time.sleep(int(answer.headers["retry-after"]))
    return answer


def create_all(artist: Account, keys: list[str], title: str) -> list[httpx.Response]:
    with concurrent.futures.ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda key: create(artist, key, title), keys))


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


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def random_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311


@pytest.fixture(scope="module")
def stored(stack: Stack) -> Callable[[str], bytes]:
    """Reads an object out of the local bucket by its S3 API, past the gallery."""
    secrets = json.loads((stack.state / "secrets.json").read_text())
    keys = Credentials(secrets["R2_ACCESS_KEY_ID"], secrets["R2_SECRET_ACCESS_KEY"])

    def read(key: str) -> bytes:
        request = AWSRequest("GET", f"{stack.url}/cdn-cgi/local/r2/s3/vfa-gallery/{key}")
        S3SigV4QueryAuth(keys, "s3", "auto", expires=60).add_auth(request)
        answer = httpx.get(request.url, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.content

    return read


@pytest.mark.parametrize("size", SIZES)
def test_any_bytes_are_stored_as_they_were_sent(
    account: AccountFactory, stored: Callable[[str], bytes], size: int
) -> None:
    artist = account()
    data = random_bytes(size)
    received = ticket(artist.client, size)
    assert put(received, data).status_code == 200
    assert sha256(stored(received["key"])) == sha256(data)
    assert artist.client.get(f"/cdn/{received['key']}").status_code == 403
    assert artist.create(received["key"]).status_code in (415, 422)
    assert artist.create(received["key"]).status_code == 404, "what was refused is deleted at once"


@pytest.mark.parametrize("size", [len(SMALL), *(size for size in SIZES if size > len(SMALL))])
def test_a_picture_of_any_size_and_its_renditions_are_the_bytes_that_were_written(
    account: AccountFactory, stack: Stack, stored: Callable[[str], bytes], size: int
) -> None:
    artist = account()
    original = SMALL + random_bytes(size - len(SMALL))
    answer = artist.create(artist.upload(original))
    assert answer.status_code == 201, answer.text
    artwork = answer.json()["data"]
    assert sha256(httpx.get(artwork["originalDownloadUrl"], timeout=60).content) == sha256(original)
    for variant, said in renders(stack, answer).items():
        assert sha256(httpx.get(artwork[URL_OF[variant]]).content) == said["sha256"]
        assert sha256(stored(said["key"])) == said["sha256"]


def test_a_ticket_is_good_for_one_upload(account: AccountFactory) -> None:
    artist = account()
    received = ticket(artist.client, len(SMALL))
    assert put(received, SMALL).status_code == 200
    assert put(received, SMALL[::-1]).status_code == 412
    other_type = {**received, "headers": {**received["headers"], "Content-Type": "text/html"}}
    assert put(other_type, SMALL).status_code == 403
    fresh = ticket(artist.client, len(SMALL))
    assert put(fresh, SMALL + b"more").status_code == 403
