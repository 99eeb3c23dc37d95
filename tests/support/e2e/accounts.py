"""Users of the gallery under test, with tokens and clients of their own."""

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
import jwt
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


def _token(stack: Stack, user_id: str, *, operator: bool = False) -> str:
    """A token as `vfa token` makes it, without the second that starting the command takes."""
    secret = json.loads((stack.state / "secrets.json").read_text())["AUTH_JWT_SECRET"]
    now = round(time.time(), 3)
    claims = {"sub": user_id, "iat": now, "exp": int(now) + 12 * 3600}
    return jwt.encode(claims | ({"role": "operator"} if operator else {}), secret, algorithm="HS256")


@contextmanager
def client_of(url: str, username: str, user_id: str, token: str) -> Iterator[Account]:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS) as client:
        yield Account(username, user_id, token, client)


@contextmanager
def artist_of(stack: Stack, username: str, limit: int = 100, *, operator: bool = False) -> Iterator[Account]:
    """A new user of a local stack, made over HTTP; `operator` is what the token allows."""
    made = httpx.post(
        f"{stack.url}/api/users",
        json={"username": username, "artworkLimit": limit},
        headers={"Authorization": f"Bearer {_token(stack, 'usr_tests', operator=True)}"},
        timeout=TIMEOUT_SECONDS,
    )
    assert made.status_code == 201, made.text
    user_id = str(made.json()["data"]["id"])
    with client_of(stack.url, username, user_id, _token(stack, user_id, operator=operator)) as artist:
        yield artist


@contextmanager
def registered(
    url: str, words: Sequence[str], username: str, limit: int = 100, *, operator: bool = False
) -> Iterator[Account]:
    """A new user of the gallery at `url`, made by `vfa` with the words that tell it which gallery that is."""
    user_id = vfa("user", "add", username, "--limit", str(limit), *words)
    token = vfa("token", username, *(["--operator"] if operator else []), *words)
    with client_of(url, username, user_id, token) as artist:
        yield artist


def renders(stack: Stack, answer: httpx.Response, count: int = 3) -> dict[str, dict[str, Any]]:
    """What each renderer logged of the request behind `answer`, by variant; waits for `count` of them."""
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
