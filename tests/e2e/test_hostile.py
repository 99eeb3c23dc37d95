"""Files that cost a careless renderer minutes, or its memory, do not slow other users down."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.e2e.hostile_files import FILES
from tests.support.pictures import jpeg

SECONDS = 8.0  # for what another user asks for beside such a file
SMALL = jpeg(960, 640, seed=3)


@pytest.fixture(scope="module")
def hostile(account: AccountFactory) -> Account:
    return account()


@pytest.fixture(scope="module")
def other(account: AccountFactory) -> Account:
    """Another user, with an original that has been rendered once."""
    user = account()
    assert user.create(user.upload(SMALL)).status_code == 201
    return user


@pytest.fixture
def beside(hostile: Account, request: pytest.FixtureRequest) -> Iterator[list[httpx.Response]]:
    """The answers to a create of the hostile file, which has begun and is waited for at the end."""
    make, content_type = FILES[request.param]
    key = hostile.upload(make(), content_type)
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(hostile.create(key, request.param)))
    thread.start()
    yield answers
    thread.join()


@pytest.mark.parametrize("beside", FILES, indirect=True)
def test_other_users_are_served_beside_a_hostile_file(
    beside: list[httpx.Response], other: Account, anonymous: httpx.Client
) -> None:
    key = other.upload(SMALL)
    started = time.monotonic()
    health = anonymous.get("/healthz")
    served = other.create(key)
    assert time.monotonic() - started < SECONDS
    assert (health.status_code, served.status_code) == (200, 201), (health.text, served.text)
    deadline = time.monotonic() + SECONDS
    while not beside and time.monotonic() < deadline:
        time.sleep(0.02)
    [answer] = beside
    # Never a code that asks for another try: it would cost as much again.
    assert answer.status_code in (201, 413, 422), answer.text
    after = other.create(other.upload(SMALL))
    assert after.status_code == 201, after.text
    shown = [anonymous.get(after.json()["data"][name]) for name in ("thumbnailUrl", "displayUrl")]
    before = [anonymous.get(served.json()["data"][name]) for name in ("thumbnailUrl", "displayUrl")]
    assert [each.content for each in shown] == [each.content for each in before]
