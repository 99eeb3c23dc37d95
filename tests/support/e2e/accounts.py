"""Accounts of the gallery under test, made with the `vfa` command."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from tests.support.e2e.uploads import create, upload
from tools.stack import ROOT, Stack

VFA = ROOT / ".venv/bin/vfa"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Account:
    """An artist with a token and a client that sends it."""

    username: str
    user_id: str
    token: str
    client: httpx.Client

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def upload(self, data: bytes, content_type: str = "image/jpeg") -> str:
        """Ticket and PUT; the original's key."""
        return upload(self.client, data, content_type)

    def create(self, key: str, title: str = "Untitled", **fields: Any) -> httpx.Response:
        return create(self.client, key, title, **fields)


AccountFactory = Callable[..., Account]


def vfa(*arguments: str) -> str:
    done = subprocess.run([str(VFA), *arguments], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def assert_refused(answer: httpx.Response, *statuses: int) -> None:
    """A typed error and nothing of the inside."""
    assert answer.status_code in (statuses or range(400, 500)), answer.text
    body = answer.json()
    assert set(body) - {"detail"} == {"error", "code", "requestId"}
    assert body["requestId"] == answer.headers["x-request-id"]
    assert not re.search(r"Traceback|\.py\b|D1_ERROR|sqlite|Exception", answer.text)
    assert answer.headers["x-content-type-options"] == "nosniff"


@contextmanager
def registered(
    url: str, words: Sequence[str], username: str, limit: int = 100, *, operator: bool = False
) -> Iterator[Account]:
    """A new artist of the gallery at `url`, whose accounts `vfa` reaches with `words`."""
    user_id = vfa("user", "add", username, "--limit", str(limit), *words)
    token = vfa("token", username, *(["--operator"] if operator else []), *words)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS) as client:
        yield Account(username, user_id, token, client)


@contextmanager
def artist_of(stack: Stack, username: str, limit: int = 100, *, operator: bool = False) -> Iterator[Account]:
    """A new artist of a stack of the test's own."""
    words = ["--state", str(stack.state)]
    with registered(stack.url, words, username, limit, operator=operator) as artist:
        yield artist


def renders(stack: Stack, answer: httpx.Response, count: int = 3) -> dict[str, dict[str, Any]]:
    """What each sibling logged of the request behind `answer`, by variant; waits for `count` of them."""
    request_id = answer.headers["x-request-id"]
    deadline = time.monotonic() + 5
    while True:
        lines = [line.partition("] ")[2] for line in list(stack.lines) if request_id in line]
        events = [json.loads(line) for line in lines if line.startswith("{")]
        found = {e["variant"]: e for e in events if "variant" in e and "event" not in e}
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, events
        time.sleep(0.05)
