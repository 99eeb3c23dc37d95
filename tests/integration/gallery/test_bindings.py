"""The port contract on the adapters of gallery/cloudflare.py, over D1, R2, KV and a rate limit in workerd."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.support.gallery.adapters import LIMIT
from tests.support.gallery.contract import CHECKS

ROOT = Path(__file__).parents[3]
WORKER = "tests/support/gallery/contract_worker.mjs"


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str | None]:
    command = [str(ROOT / ".venv/bin/node"), WORKER, str(LIMIT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    found: dict[str, str | None] = json.loads(done.stdout)
    return found


def test_every_check_ran(outcomes: dict[str, str | None]) -> None:
    assert list(outcomes) == list(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_the_bindings_keep_the_contract(outcomes: dict[str, str | None], name: str) -> None:
    assert outcomes[name] is None, outcomes[name]
