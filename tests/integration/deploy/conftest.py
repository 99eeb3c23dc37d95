"""An account in memory, a checkout before its first deployment, and the command that brings them together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.deploy.checkout import CREDENTIALS, checkout
from tests.support.deploy.cloudflare import Cloudflare
from tests.support.deploy.runs import Runner
from tools.deploy import config
from tools.deploy.config import Target


@pytest.fixture
def cloud() -> Iterator[Cloudflare]:
    with closing(Cloudflare()) as account:
        yield account


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config, "_check_node", lambda *_: None)
    for name in ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "AUTH_JWT_SECRET", "WORKER_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return checkout(tmp_path)


@pytest.fixture
def run(root: Path) -> Runner:
    return Runner(root)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(checkout(tmp_path), "production")


@pytest.fixture
def own_programs(target: Target) -> Path:
    """A folder of programs in place of the checkout's own."""
    (target.root / ".venv").unlink()
    return target.root / ".venv/bin"
