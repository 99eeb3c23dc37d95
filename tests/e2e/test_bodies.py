"""Request bodies that are not read, late or broken off: no answer and no connection is lost."""

from __future__ import annotations

import socket
import time

import pytest
from tests.support.e2e.accounts import Account
from tests.support.e2e.wire import Wire
from tools.stack import Stack

IN_A_ROW = 25
SECRET = b"nobody reads this "


# Each with the status it is refused with, before its body was looked at.
REFUSED: dict[str, tuple[str, bool, int]] = {
    "create": ("POST /api/artworks", False, 401),
    "ticket": ("POST /api/artworks/upload-url", False, 401),
    "change": ("PATCH /api/artworks/art_1", False, 401),
    "removal": ("DELETE /api/artworks/art_1", True, 404),
    "reprocess": ("POST /api/artworks/art_1/reprocess", True, 404),
    "sweep": ("POST /api/sweep", True, 403),
    "method": ("PUT /api/me", True, 405),
    "address": ("POST /api/nothing", False, 404),
}


def head(line: str, *headers: str) -> str:
    return "\r\n".join((f"{line} HTTP/1.1", *headers))


def bearer(artist: Account) -> str:
    return f"Authorization: Bearer {artist.token}"


@pytest.mark.parametrize("size", [20, 20_000, 65_536])
@pytest.mark.parametrize("name", REFUSED)
def test_refusals_keep_the_connection(gallery_url: str, artist: Account, name: str, size: int) -> None:
    line, signed_in, status = REFUSED[name]
    request = head(line, *([bearer(artist)] if signed_in else []))
    body = (SECRET * size)[:size]
    with Wire(gallery_url) as wire:
        assert [wire.ask(request, body)[0] for _ in range(IN_A_ROW)] == [status] * IN_A_ROW
        assert wire.ask(head("GET /healthz"))[0] == 200


def test_a_body_that_comes_after_a_while_does_not_cost_the_connection(gallery_url: str) -> None:
    with Wire(gallery_url) as wire:
        for _ in range(3):
            wire.send(head("POST /api/artworks"), b"", len(SECRET))
            time.sleep(0.3)
            wire.connection.sendall(SECRET)
            assert wire.receive()[0] == 401


def test_a_body_that_never_comes_does_not_hold_up_the_refusal(gallery_url: str) -> None:
    with Wire(gallery_url) as wire:
        started = time.monotonic()
        wire.send(head("POST /api/artworks"), b"", 100)
        assert wire.receive()[0] == 401
        assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "line", ["POST /api/artworks", "POST /api/artworks/upload-url", "PATCH /api/artworks/art_1"]
)
@pytest.mark.parametrize("announced", [100, 60_000, 10_000_000])
def test_a_body_that_breaks_off_is_the_clients_fault(
    gallery_url: str, artist: Account, line: str, announced: int
) -> None:
    with Wire(gallery_url) as wire:
        wire.send(head(line, bearer(artist)), b'{"title":', announced)
        wire.connection.shutdown(socket.SHUT_WR)
        try:
            status, _, body = wire.receive()
        except ConnectionError:
            return
        assert 400 <= status < 500, body


def test_a_client_that_goes_away_leaves_no_traceback(stack: Stack, artist: Account) -> None:
    since = len(stack.lines)
    for announced in (100, 60_000, 10_000_000):
        for line, signed_in, _ in REFUSED.values():
            with Wire(stack.url) as wire:
                wire.send(head(line, *([bearer(artist)] if signed_in else [])), b'{"title":', announced)
        with Wire(stack.url) as wire:
            wire.send(head("POST /api/artworks", bearer(artist)), b'{"title":', announced)
    time.sleep(1)
    with Wire(stack.url) as wire:
        assert wire.ask(head("GET /healthz"))[0] == 200
    lines = list(stack.lines)[since:]
    assert [line for line in lines if "Traceback" in line or '"status": 500' in line] == []
