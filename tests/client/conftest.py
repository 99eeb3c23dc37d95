"""Fixtures: a gallery in memory, a client of it, and pictures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.client.contract import TOKEN, Contract, serving

from vfa_gallery import Gallery, RetryPolicy

PICTURE = b"\xff\xd8\xff\xe0" + bytes(100_000)


@pytest.fixture
def contract() -> Iterator[Contract]:
    with serving() as contract:
        yield contract


@pytest.fixture
def gallery(contract: Contract) -> Iterator[Gallery]:
    """Ann's client, which waits a thousandth of the usual time."""
    policy = RetryPolicy(first=0.0005, longest=0.015)
    with Gallery(contract.url, TOKEN, timeout=5, retry=policy) as gallery:
        yield gallery
