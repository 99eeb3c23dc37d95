"""Fixtures of the end-to-end tests: a gallery to talk to, and accounts in it.

Without options the tests start the local runtime. `--base-url` names another system: a genuine `wrangler dev`
or a deployment; accounts are then made with `vfa user add` and the words of `--accounts`.
"""

from __future__ import annotations

import itertools
import secrets
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.e2e.accounts import TIMEOUT_SECONDS, Account, AccountFactory, artist_of, registered
from tests.support.e2e.browsing import browser, visit  # noqa: F401
from tests.support.e2e.inside import Bucket
from tools import stack as local_stack
from tools.stack import ROOT, Stack


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The tests' own local runtime; tests that need its faults or database run against no other system."""
    if request.config.getoption("--base-url"):
        pytest.skip("needs the local runtime's control port")
    deadline = ["--var", "VARIANT_DEADLINE_SECONDS=4"]
    with local_stack.running(tmp_path_factory.mktemp("state"), arguments=deadline) as running:
        yield running


@pytest.fixture
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a stack of the test's own keeps its state."""
    if request.config.getoption("--base-url"):
        pytest.skip("needs a local runtime of its own")
    return tmp_path / "state"


@pytest.fixture(scope="session")
def gallery_url(request: pytest.FixtureRequest) -> str:
    """Base URL of the system under test, without a slash at its end."""
    given = request.config.getoption("--base-url")
    return str(given or request.getfixturevalue("stack").url).rstrip("/")


@pytest.fixture(scope="session")
def account_words(request: pytest.FixtureRequest) -> list[str]:
    """What `vfa user add` and `vfa token` need to reach the system's accounts."""
    if request.config.getoption("--base-url"):
        return shlex.split(str(request.config.getoption("--accounts")))
    return ["--state", str(request.getfixturevalue("stack").state)]


@pytest.fixture(scope="session")
def account(request: pytest.FixtureRequest, gallery_url: str) -> Iterator[AccountFactory]:
    """Makes a new user: `account(limit=2)`."""
    stack = None if request.config.getoption("--base-url") else request.getfixturevalue("stack")
    numbers = itertools.count(1)
    with ExitStack() as artists:

        def make(limit: int = 100, username: str | None = None, *, operator: bool = False) -> Account:
            name = username or f"artist-{next(numbers)}-{secrets.token_hex(3)}"
            if stack:
                return artists.enter_context(artist_of(stack, name, limit, operator=operator))
            words = request.getfixturevalue("account_words")
            return artists.enter_context(registered(gallery_url, words, name, limit, operator=operator))

        yield make


@pytest.fixture(scope="module")
def artist(account: AccountFactory) -> Account:
    """A user of the module's own, whose quota its tests do not reach."""
    return account(limit=1000)


@pytest.fixture(scope="module")
def stranger(account: AccountFactory) -> Account:
    """Another user, who has nothing to do with the first."""
    return account()


@pytest.fixture(scope="session")
def operator(account: AccountFactory) -> httpx.Client:
    """A client whose token may also sweep, and reprocess other users' artworks."""
    return account(operator=True).client


@pytest.fixture(scope="session")
def anonymous(gallery_url: str) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=gallery_url, timeout=TIMEOUT_SECONDS) as client:
        yield client


@pytest.fixture
def faults(stack: Stack) -> Iterator[Callable[..., None]]:
    """Switches faults on in one Worker of the local runtime, and all of them off again afterwards."""
    touched: set[str] = set()

    def switch(worker: str, **fault: Any) -> None:
        touched.add(worker)
        stack.control("faults", worker=worker, **fault)

    yield switch
    for worker in touched:
        stack.control("faults", worker=worker)


@pytest.fixture
def objects(stack: Stack) -> Callable[[], set[str]]:
    """Lists the keys of all objects in the local bucket."""
    return lambda: set(stack.control("objects")["keys"])


@pytest.fixture(scope="session")
def bucket(stack: Stack) -> Bucket:
    return Bucket(stack)


@pytest.fixture
def flags(stack: Stack) -> Callable[[], set[str]]:
    """Lists the names of all readiness flags of the local runtime."""
    return lambda: set(stack.control("flags")["keys"])


@pytest.fixture(scope="session")
def project() -> Path:
    return ROOT
