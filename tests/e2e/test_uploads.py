"""The life of an original, over HTTP: how many may be open, what goes at once, what the sweeper ends."""

from __future__ import annotations

import concurrent.futures
import time
import uuid
from collections.abc import Callable

import httpx
import pytest
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.e2e.inside import Bucket, audit
from tests.support.e2e.uploads import put, ticket
from tests.support.pictures import jpeg
from tools.stack import Stack

SMALL = jpeg(96, 72)
TICKET = "/api/artworks/upload-url"
LATE_SECONDS = 6
# As if the lease had been given an hour earlier.
END_LEASE = "UPDATE uploads SET lease_until = lease_until - 3600000 WHERE key = ?"
HOUR_MS = 3_600_000
Keys = Callable[[], set[str]]
Faults = Callable[..., None]


@pytest.mark.parametrize(("size", "number"), [(1000, 50), (None, 34)])
def test_open_uploads_are_bounded_by_number_and_bytes(
    account: AccountFactory, size: int | None, number: int
) -> None:
    user, other = account(), account()
    fields = {"filename": "a.jpg", "contentType": "image/jpeg"} | ({"size": size} if size else {})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: user.client.post(TICKET, json=fields), range(number + 6)))
    assert sorted(answer.status_code for answer in answers) == [200] * number + [429] * 6
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "upload_limit_reached"
    assert 0 < int(refused.headers["retry-after"]) <= 1801
    assert other.client.post(TICKET, json=fields).status_code == 200


def test_a_ticket_needs_quota_for_an_artwork(account: AccountFactory) -> None:
    user = account(limit=1)
    key = user.upload(SMALL)
    assert user.create(key).status_code == 201
    answer = user.client.post(TICKET, json={"filename": "a.jpg", "contentType": "image/jpeg"})
    assert (answer.status_code, answer.json()["code"]) == (429, "artwork_limit_reached")


@pytest.mark.parametrize("data", [b"\xff\xd8\xff\xe0 no picture", b"GIF89a of another type"])
def test_a_refused_original_is_deleted_at_once(account: AccountFactory, objects: Keys, data: bytes) -> None:
    user = account()
    received = ticket(user.client, len(data))
    assert put(received, data).status_code == 200
    assert received["key"] in objects()
    assert user.create(received["key"]).status_code in (415, 422)
    assert received["key"] not in objects()
    assert user.create(received["key"]).status_code == 404


def test_the_sweeper_deletes_expired_uploads_and_leaves_the_rest(
    account: AccountFactory, operator: httpx.Client, stack: Stack, objects: Keys
) -> None:
    user = account()
    over, young = user.upload(SMALL), user.upload(SMALL)
    stack.rows("UPDATE uploads SET expires_at = expires_at - ?1 WHERE key = ?2", HOUR_MS, over)
    dry = operator.post("/api/sweep", params={"dryRun": "true"}).json()["data"]
    assert over in dry["removed"]
    assert over in objects()
    assert over in operator.post("/api/sweep").json()["data"]["removed"]
    assert over not in objects()
    assert user.create(over).status_code == 404
    assert user.create(young).status_code == 201


def test_an_original_of_another_tool_is_created_and_an_orphan_is_found_by_an_audit(
    account: AccountFactory, operator: httpx.Client, objects: Keys, bucket: Bucket
) -> None:
    user = account()
    key = f"originals/{user.user_id}/{uuid.uuid4()}.jpg"
    bucket.write(key, SMALL)
    answer = user.create(key)
    assert answer.status_code == 201, answer.text
    orphan = f"icons/{user.user_id}/{uuid.uuid4()}.jpg"
    bucket.write(orphan, SMALL)
    kept = objects() - {orphan}
    reports = list(audit(operator))
    assert orphan in {removed for report in reports for removed in report["removed"]}
    assert orphan not in objects()
    assert key in kept & objects()
    assert all(
        httpx.get(answer.json()["data"][f"{name}Url"]).status_code == 200 for name in ("display", "icon")
    )


def test_a_commit_that_comes_after_its_lease_records_nothing(
    account: AccountFactory, operator: httpx.Client, faults: Faults, stack: Stack, objects: Keys
) -> None:
    user: Account = account()
    key = user.upload(SMALL)
    late = {"binding": "DB", "method": "batch", "matching": "INSERT INTO artworks", "times": 1}
    faults("gateway", bindings=[{**late, "ms": LATE_SECONDS * 1000}])
    stem = key.removeprefix("originals/").removesuffix(".jpg")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        creating = pool.submit(user.create, key)
        deadline = time.monotonic() + LATE_SECONDS
        while len([each for each in objects() if stem in each]) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        stack.rows(END_LEASE, key)
        removed = {each for report in audit(operator) for each in report["removed"] if stem in each}
        assert len(removed) == 3
        assert not creating.done()
        answer = creating.result()
    assert answer.status_code == 500, answer.text
    assert stack.rows("SELECT id FROM artworks WHERE original_key = ?", key) == []
    made = user.create(key)
    assert made.status_code == 201
    assert {
        httpx.get(made.json()["data"][f"{n}Url"]).status_code for n in ("display", "thumbnail", "icon")
    } == {200}


def test_a_retry_writes_the_same_keys(account: AccountFactory, faults: Faults) -> None:
    user = account()
    key = user.upload(SMALL)
    faults("icon", rendering={"kind": "error"})
    assert user.create(key).status_code == 500
    faults("icon")
    artwork = user.create(key).json()["data"]
    stem = key.removeprefix("originals/").removesuffix(".jpg")
    for name, folder in (("display", "display"), ("thumbnail", "thumbnails"), ("icon", "icons")):
        assert artwork[f"{name}Url"].endswith(f"/{folder}/{stem}.jpg")
        assert httpx.get(artwork[f"{name}Url"]).status_code == 200
