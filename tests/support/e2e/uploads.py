"""The three steps of an upload, over HTTP."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx


def ticket(
    client: httpx.Client, size: int | None, content_type: str = "image/jpeg", filename: str = "picture"
) -> dict[str, Any]:
    """An upload ticket for `size` bytes."""
    body: dict[str, Any] = {"filename": filename, "contentType": content_type}
    if size is not None:
        body["size"] = size
    answer = client.post("/api/artworks/upload-url", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def put(upload_ticket: dict[str, Any], data: bytes, **headers: str) -> httpx.Response:
    """The PUT that the ticket describes."""
    return httpx.request(
        upload_ticket["method"],
        upload_ticket["uploadUrl"],
        headers={**upload_ticket["headers"], **headers},
        content=data,
        timeout=60,
    )


def upload(client: httpx.Client, data: bytes, content_type: str = "image/jpeg") -> str:
    """Ticket and PUT; the original's key."""
    received = ticket(client, len(data), content_type)
    answer = put(received, data)
    assert answer.status_code == 200, answer.text
    return str(received["key"])


def create(client: httpx.Client, key: str, title: str = "Untitled", **fields: Any) -> httpx.Response:
    """The create, whatever it answers."""
    return client.post("/api/artworks", json={"title": title, "originalKey": key, **fields})


def create_in_turn(
    client: httpx.Client,
    key: str,
    title: str = "Untitled",
    refused: list[httpx.Response] | None = None,
    stopped: threading.Event | None = None,
) -> httpx.Response:
    """A create, repeated when `Retry-After` says for as long as the queue is full or `stopped` is not set.

    Answers that refused go to `refused`.
    """
    while True:
        answer = create(client, key, title)
        if answer.status_code != 503 or (stopped and stopped.is_set()):
            return answer
        if refused is not None:
            refused.append(answer)
        time.sleep(float(answer.headers["retry-after"]))
