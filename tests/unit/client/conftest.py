"""Fixtures: a gallery in memory, a client of it, and pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.client.contract import BAD, PICTURE, TOKEN, Contract, serving
from tests.support.client.shell import Shell

from vfa_gallery import Gallery, RetryPolicy


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


@pytest.fixture
def shell(contract: Contract, tmp_path: Path) -> Shell:
    return Shell(contract, tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for name in ("dusk_over-the lake.jpg", "dawn.jpg", "more/noon.jpg"):
        (folder / name).write_bytes(PICTURE + name.encode())
    (folder / "broken.jpg").write_bytes(PICTURE + BAD)
    (folder / ".hidden").write_bytes(PICTURE)
    return folder
