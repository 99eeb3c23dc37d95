"""HTTP through requests; inside Pyodide, pyodide-http carries the same calls over XMLHttpRequest."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from vfa_gallery.diagnosis import about_token, unreachable
from vfa_gallery.errors import (
    GalleryError,
    RateLimited,
    ServerFault,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
    UploadRefused,
    error_of,
)
from vfa_gallery.models import Progress, Stage, UploadTicket
from vfa_gallery.originals import BLOCK, Body, Original
from vfa_gallery.retries import RetryPolicy, Worth, passing, persist
from vfa_gallery.version import __version__

NETWORK_FAULTS: tuple[type[Exception], ...] = (requests.RequestException,)
SENDING_IS_TIMED = True
if sys.platform == "emscripten":
    import pyodide_http
    from pyodide.ffi import JsException

    pyodide_http.patch_all()
    NETWORK_FAULTS += (JsException,)
    # XMLHttpRequest limits the time of a whole call, so that an original on a slow line would never arrive.
    SENDING_IS_TIMED = False

# Before a gallery has answered once, a mistyped or dead address is more likely than a slow network.
FIRST_CONNECT_SECONDS = 1.5
CONNECT_SECONDS = 10
SLICE_SECONDS = 0.2
USER_AGENT = f"vfa-gallery-client/{__version__} (Python {sys.version_info.major}.{sys.version_info.minor})"
VISIBLE = re.compile(r"[!-~]+")
# Causes of a failed connection that another try at once does not change.
LASTING_CAUSES = {"dns", "refused", "tls", "timeout"}

T = TypeVar("T")
Tell = Callable[[Progress], None]
Token = str | Callable[[], str] | None
_WAITING = Progress(Stage.WAITING, 0, 0)

log = logging.getLogger("vfa_gallery")
# Without it, warnings of programs that configure no logging would go to standard error.
log.addHandler(logging.NullHandler())


class _Bearer(AuthBase):
    """Sends the token; as an auth object, so that no .netrc takes its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


_NOBODY = _Bearer("")


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: decoded JSON, or None where there is no body."""

    body: Any
    etag: str | None


@dataclass(frozen=True, slots=True)
class Received:
    """What was downloaded: bytes, content type and SHA-256 in hexadecimal."""

    size: int
    content_type: str
    sha256: str


class Transport:
    """Calls of one gallery with one token; may be used by several threads at once."""

    def __init__(
        self,
        base_url: str,
        token: Token,
        timeout: float,
        policy: RetryPolicy,
        session: requests.Session | None,
        verify: bool | str | None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError(
                f"not the address of a gallery: {base_url!r}; it starts with http:// or https://"
            )
        self.base_url = base_url.rstrip("/")
        self.policy = policy
        self._token = token if callable(token) else _clean(token)
        self.has_token = bool(self._token)
        self._timeout = timeout
        self._session = session or requests.Session()
        self._owns_session = session is None
        self._verify = verify
        self._reached = False
        self._held: dict[str, float] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        if self._owns_session:
            self._session.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        worth: Worth = passing,
        tell: Tell | None = None,
    ) -> Answer:
        """One call of the API, repeated where `worth` allows it."""

        def once() -> Answer:
            self._wait_for_turn(name, tell)
            token = _clean(self._token()) if callable(self._token) else self._token or ""
            response = self._send(
                method,
                self.base_url + path,
                json=json,
                params=params,
                headers=headers,
                auth=_Bearer(token),
                allow_redirects=False,
            )
            try:
                return _answer(response)
            except RateLimited as error:
                self._hold(name, error.retry_after)
                raise
            except Unauthorized as error:
                error.detail = about_token(token)
                raise

        name = f"{method} {path}"
        return self._persist(once, worth, tell)

    def put(self, ticket: UploadTicket, original: Original, tell: Tell) -> str:
        """Send an original to the URL of its ticket, once; the bucket's answer."""
        with original.open() as file:
            response = self._send(
                ticket.method,
                ticket.upload_url,
                data=Body(original, file, lambda sent: tell(Progress(Stage.SENDING, sent, original.size))),
                headers=ticket.headers,
                auth=_NOBODY,
                allow_redirects=False,
                sends_original=True,
            )
        if not response.ok:
            raise _bucket_error(response)
        return response.text

    def probe(self, ticket: UploadTicket, data: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Status and text of the bucket's answer to a PUT with headers that its ticket does not have."""
        response = self._send(
            "PUT",
            ticket.upload_url,
            data=data,
            headers={**ticket.headers, **headers},
            auth=_NOBODY,
            allow_redirects=False,
        )
        return response.status_code, response.text

    def download(self, url: str, file: BinaryIO, tell: Tell | None = None) -> Received:
        """Write what is at a URL into a file, from its beginning, block by block; the token is not sent."""

        def once() -> Received:
            file.seek(0)
            file.truncate()
            digest, size = hashlib.sha256(), 0
            response = self._send("GET", url, auth=_NOBODY, stream=True)
            with response, self._network(url):
                if not response.ok:
                    raise error_of(response.status_code, _json(response), response.headers)
                total = int(response.headers.get("Content-Length") or 0)
                for block in response.iter_content(BLOCK):
                    file.write(block)
                    digest.update(block)
                    size += len(block)
                    if tell:
                        tell(Progress(Stage.RECEIVING, size, total))
                return Received(size, response.headers.get("Content-Type", ""), digest.hexdigest())

        return self._persist(once, passing, tell)

    def pause(self, seconds: float, tell: Tell | None) -> None:
        """Wait; `tell` is called meanwhile, and may raise to stop the waiting."""
        if seconds > SLICE_SECONDS:
            log.info("waiting %.1f s", seconds)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if tell:
                tell(_WAITING)
            self.policy.sleep(min(left, SLICE_SECONDS))

    def _send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        sends_original: bool = False,
        **more: Any,
    ) -> requests.Response:
        """One request and its answer, whatever the status."""
        connect = CONNECT_SECONDS if self._reached else FIRST_CONNECT_SECONDS
        limits: float | tuple[float, float] | None = (min(connect, self._timeout), self._timeout)
        if sends_original:
            # urllib3 keeps the time for connecting on the socket while the body goes out.
            limits = self._timeout if SENDING_IS_TIMED else None
        if self._verify is not None:
            more["verify"] = self._verify
        about = f"{method} {url.partition('?')[0]}"
        started = time.monotonic()
        with self._network(url, about):
            response = self._session.request(
                method, url, headers={"User-Agent": USER_AGENT, **(headers or {})}, timeout=limits, **more
            )
        self._reached = self._reached or url.startswith(self.base_url)
        milliseconds = (time.monotonic() - started) * 1000
        request_id = response.headers.get("X-Request-Id", "-")
        log.debug("%s: %d in %.0f ms, request %s", about, response.status_code, milliseconds, request_id)
        return response

    def _persist(self, once: Callable[[], T], worth: Worth, tell: Tell | None) -> T:
        return persist(
            once,
            self.policy,
            lambda error: worth(error) and not self._is_dead(error),
            lambda seconds: self.pause(seconds, tell),
        )

    def _is_dead(self, error: GalleryError) -> bool:
        """Whether there is no gallery to wait for."""
        if not isinstance(error, Unreachable):
            return False
        return error.cause == "tls" or (not self._reached and error.cause in LASTING_CAUSES)

    def _hold(self, name: str, seconds: float | None) -> None:
        with self._lock:
            self._held[name] = time.monotonic() + (seconds or 0)

    def _wait_for_turn(self, name: str, tell: Tell | None) -> None:
        """Wait until the time that the gallery named in its answer to another thread's call."""
        with self._lock:
            until = self._held.get(name, 0)
        self.pause(until - time.monotonic(), tell)

    @contextmanager
    def _network(self, url: str, about: str = "") -> Iterator[None]:
        try:
            yield
        except NETWORK_FAULTS as error:
            problem = unreachable(error, _host(url), self._timeout)
            log.warning("%s: %s", about or f"GET {url.partition('?')[0]}", problem)
            raise problem from error


def token_from_environment(base_url: str) -> str | None:
    """VFA_TOKEN where it is meant for this address: where VFA_URL is the same."""
    meant_for = address_from_environment()
    same = meant_for is not None and meant_for.rstrip("/") == base_url.rstrip("/")
    return os.environ.get("VFA_TOKEN") if same else None


def address_from_environment() -> str | None:
    """VFA_URL, or VFA_BASE_URL, its name in earlier versions."""
    return os.environ.get("VFA_URL") or os.environ.get("VFA_BASE_URL")


def _clean(token: str | None) -> str:
    """A token without the space that copying leaves around it. The error does not show the token."""
    stripped = (token or "").strip()
    if stripped and not VISIBLE.fullmatch(stripped):
        raise Unauthorized("the token has characters that no token has; copy it again, into VFA_TOKEN")
    return stripped


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _answer(response: requests.Response) -> Answer:
    if response.is_redirect:
        raise UnexpectedAnswer(f"the gallery has moved; use {_host(response.headers['Location'])}")
    body = _json(response)
    if not response.ok:
        raise error_of(response.status_code, body, response.headers)
    if body is None and response.status_code != 204:
        raise UnexpectedAnswer(
            "the answer is not JSON; is this the address of a gallery?", status=response.status_code
        )
    return Answer(body, response.headers.get("ETag"))


def _bucket_error(response: requests.Response) -> GalleryError:
    """The error in R2's answer, which is XML as that of S3."""
    found = dict(re.findall(r"<(Code|Message)>([^<]*)</", response.text))
    words = ": ".join(filter(None, (found.get("Code"), found.get("Message"))))
    message = f"the bucket answered {response.status_code}" + (f" ({words})" if words else "")
    kinds: dict[int, type[GalleryError]] = {429: RateLimited, 408: ServerFault}
    kind = kinds.get(response.status_code, ServerFault if response.status_code >= 500 else UploadRefused)
    return kind(message, status=response.status_code)
