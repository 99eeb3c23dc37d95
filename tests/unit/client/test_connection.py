"""How a gallery is reached: environment, tokens, sessions, and why it cannot be reached."""

from __future__ import annotations

import base64
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from tests.support.client.contract import PICTURE, TOKEN, Contract, Reply, refusal

from vfa_gallery import Gallery, RetryPolicy, Unauthorized, Unreachable, __version__, transport
from vfa_gallery.diagnosis import about_token, unreachable


def jwt(**claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


def test_address_and_token_come_from_the_environment(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VFA_URL", contract.url + "/")
    monkeypatch.setenv("VFA_TOKEN", TOKEN)
    with Gallery() as gallery, Gallery(contract.url) as same:
        assert gallery.me().username == same.me().username == "ann"
    with Gallery(contract.url, "") as anonymous:
        assert not anonymous.has_token
    monkeypatch.setenv("VFA_URL", "https://gallery.example")
    with Gallery(contract.url) as other:
        assert not other.has_token, "the token is only for VFA_URL"
    monkeypatch.delenv("VFA_URL")
    monkeypatch.setenv("VFA_BASE_URL", contract.url)
    with Gallery() as gallery:
        assert gallery.me().username == "ann"
    monkeypatch.delenv("VFA_BASE_URL")
    with pytest.raises(ValueError, match="pass one, or set VFA_URL"):
        Gallery()


def test_a_function_gives_the_token_for_each_request(contract: Contract) -> None:
    tokens = iter(["first", f" {TOKEN}\n", "third"])
    with Gallery(contract.url, lambda: next(tokens)) as gallery:
        assert gallery.has_token
        with pytest.raises(Unauthorized):
            gallery.me()
        assert gallery.me().username == "ann"
    assert [each.headers["Authorization"] for each in contract.seen] == ["Bearer first", f"Bearer {TOKEN}"]


def test_a_session_of_ones_own_is_used_and_left_open(contract: Contract) -> None:
    class Session(requests.Session):
        closed = False
        verified: object = None

        def close(self) -> None:
            self.closed = True

        def request(self, *words: object, **more: object) -> requests.Response:
            self.verified = more.get("verify")
            return super().request(*words, **more)  # type: ignore[arg-type]

    session = Session()
    session.headers["X-Proxy"] = "yes"
    with Gallery(contract.url, TOKEN, session=session, verify="ca.pem") as gallery:
        gallery.me()
    assert contract.seen[0].headers["X-Proxy"] == "yes"
    assert contract.seen[0].headers["User-Agent"].startswith(f"vfa-gallery-client/{__version__} (Python 3.")
    assert session.headers["User-Agent"].startswith("python-requests")
    assert (session.closed, session.verified) == (False, "ca.pem")
    requests.Session.close(session)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "No token was given: set VFA_TOKEN"),
        ("nonsense", "does not accept this token: check that VFA_TOKEN"),
        (jwt(sub="usr_1", exp=1_700_000_000), "The token expired on 2023-11-14 at 22:13 UTC: set VFA_TOKEN"),
        (jwt(sub="usr_1", exp=4_000_000_000), "does not accept this token: check that VFA_TOKEN"),
        (jwt(sub="usr_1", exp="soon"), "does not accept this token"),
        (jwt(sub="usr_1", exp=1e300), "does not accept this token"),
        ("a.%%%.c", "does not accept this token"),
    ],
    ids=["missing", "wrong", "expired", "in force", "no number", "no time", "no JWT"],
)
def test_why_a_token_was_refused_is_told_apart(contract: Contract, token: str, reason: str) -> None:
    contract.order("GET /api/me", refusal(401, "unauthorized", "Unauthorized"))
    with Gallery(contract.url, token) as gallery, pytest.raises(Unauthorized) as caught:
        gallery.me()
    assert reason in str(caught.value)
    assert reason in about_token(token)
    assert not token or token not in str(caught.value)


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server of one kind of answer, on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def say_http(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def cause_of(url: str) -> tuple[str, str, float]:
    """Cause and message of an address that cannot be reached, and how long it took to say so."""
    started = time.monotonic()
    with Gallery(url, TOKEN) as gallery, pytest.raises(Unreachable) as caught:
        gallery.me()
    return caught.value.cause, str(caught.value), time.monotonic() - started


def test_a_dead_address_is_told_at_once_with_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    cause, message, seconds = cause_of("http://127.0.0.1:9")
    assert (cause, seconds < 2) == ("refused", True)
    assert message == "no connection to http://127.0.0.1:9: connection refused; no server is listening there"
    with listening(say_http) as port:
        cause, message, seconds = cause_of(f"https://127.0.0.1:{port}")
    assert (cause, seconds < 2) == ("tls", True)
    assert message.startswith(f"no secure connection to https://127.0.0.1:{port} (TLS): ")
    assert "_ssl.c" not in message
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    cause, message, seconds = cause_of("https://gallery.example")
    assert (cause, seconds < 2) == ("dns", True)
    assert message == "no connection to https://gallery.example: no server of this name was found (DNS)"


def test_a_server_that_lets_nobody_in_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    cause, message, seconds = cause_of("http://gallery.example")
    assert (cause, seconds < 2) == ("timeout", True)
    assert message == "no connection to http://gallery.example: it did not answer in time (timeout)"
    assert transport.FIRST_CONNECT_SECONDS < 2


def test_a_gallery_that_was_reached_is_waited_for(contract: Contract) -> None:
    """A short absence, as while it is deployed, ends no long upload."""
    with Gallery(contract.url, TOKEN, retry=RetryPolicy(attempts=3, first=0.001)) as gallery:
        gallery.me()
        original = requests.Session.send
        failures = iter([True, True])

        def send(*words: object, **more: object) -> requests.Response:
            if next(failures, False):
                raise requests.ConnectionError from ConnectionRefusedError()
            return original(*words, **more)  # type: ignore[arg-type]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(requests.Session, "send", send)
            assert gallery.me().username == "ann"


def test_a_certificate_that_is_not_trusted_is_named_and_not_tried_again() -> None:
    reason = ssl.SSLCertVerificationError(1, "[SSL: X] certificate verify failed: self-signed (_ssl.c:1006)")
    error = requests.exceptions.SSLError("wrapped")
    error.__cause__ = reason
    found = unreachable(error, "https://gallery.example", 60)
    expected = "no secure connection to https://gallery.example (TLS): certificate verify failed: self-signed"
    assert (found.cause, str(found)) == ("tls", expected)


def test_requests_are_logged_without_secrets(
    contract: Contract, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG, "vfa_gallery")
    contract.order("POST /api/artworks", Reply(None))
    with Gallery(contract.url, TOKEN, retry=RetryPolicy(first=0.001)) as gallery:
        artwork = gallery.upload(PICTURE, title="Dusk")
        gallery.download(artwork, tmp_path)
    text = caplog.text
    assert f"POST {contract.url}/api/artworks: 201 in" in text
    assert f"POST {contract.url}/api/artworks: the connection to {contract.url} broke" in text
    assert "try 1 failed" in text
    assert TOKEN not in text
    assert "Signature" not in text


def test_nothing_is_printed_where_no_logging_is_configured(capfd: pytest.CaptureFixture[str]) -> None:
    cause_of("http://127.0.0.1:9")
    assert capfd.readouterr().err == ""
