"""HTTP through requests; inside Pyodide, pyodide-http carries the same calls over XMLHttpRequest."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

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
from vfa_gallery.originals import Body, Original
from vfa_gallery.retries import RetryPolicy, Worth, passing, persist

NETWORK_FAULTS: tuple[type[Exception], ...] = (requests.RequestException,)
SENDING_IS_TIMED = True
if sys.platform == "emscripten":
    import pyodide_http
    from pyodide.ffi import JsException

    pyodide_http.patch_all()
    NETWORK_FAULTS += (JsException,)
    # XMLHttpRequest bounds a whole call, not its silence: an original on a slow line would never arrive.
    SENDING_IS_TIMED = False

CONNECT_SECONDS = 10
SLICE_SECONDS = 0.2
VISIBLE = re.compile(r"[!-~]+")

Tell = Callable[[Progress], None]
_WAITING = Progress(Stage.WAITING, 0, 0)


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


class Transport:
    """Calls of one gallery with one token; may be used by several threads."""

    def __init__(self, base_url: str, token: str | None, timeout: float, policy: RetryPolicy) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError(
                f"not the address of a gallery: {base_url!r}; it starts with http:// or https://"
            )
        self.base_url = base_url.rstrip("/")
        self.policy = policy
        token = _clean(token)
        self.has_token = bool(token)
        self._auth = _Bearer(token)
        self._timeout = (min(CONNECT_SECONDS, timeout), timeout)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "vfa-gallery-client"
        self._held: dict[str, float] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
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
            with self._network(self.base_url):
                response = self._session.request(
                    method,
                    self.base_url + path,
                    json=json,
                    params=params,
                    headers=headers,
                    auth=self._auth,
                    timeout=self._timeout,
                    allow_redirects=False,
                )
            try:
                return _answer(response)
            except RateLimited as error:
                self._hold(name, error.retry_after)
                raise

        name = f"{method} {path}"
        return persist(once, self.policy, worth, lambda seconds: self.pause(seconds, tell))

    def put(self, ticket: UploadTicket, original: Original, tell: Tell) -> str:
        """Send an original to where its ticket says, once; the bucket's answer."""
        with original.open() as file, self._network(ticket.upload_url):
            response = self._session.request(
                ticket.method,
                ticket.upload_url,
                data=Body(original, file, lambda sent: tell(Progress(Stage.SENDING, sent, original.size))),
                headers=dict(ticket.headers),
                auth=_NOBODY,
                # urllib3 keeps the time for connecting on the socket while the body goes out.
                timeout=self._timeout[1] if SENDING_IS_TIMED else None,
                allow_redirects=False,
            )
        if not response.ok:
            raise _bucket_error(response)
        return response.text

    def probe(self, ticket: UploadTicket, data: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Status and text of the bucket's answer to a PUT with headers that its ticket does not know."""
        with self._network(ticket.upload_url):
            response = self._session.put(
                ticket.upload_url,
                data=data,
                headers={**ticket.headers, **headers},
                auth=_NOBODY,
                timeout=self._timeout,
                allow_redirects=False,
            )
        return response.status_code, response.text

    def fetch(self, url: str) -> bytes:
        """The bytes at a public URL; the token stays here."""

        def once() -> bytes:
            with self._network(url):
                response = self._session.get(url, auth=_NOBODY, timeout=self._timeout)
            if not response.ok:
                raise error_of(response.status_code, _json(response), response.headers)
            return response.content

        return persist(once, self.policy, passing, lambda seconds: self.pause(seconds, None))

    def pause(self, seconds: float, tell: Tell | None) -> None:
        """Wait, and let whoever is told stop the waiting."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if tell:
                tell(_WAITING)
            self.policy.sleep(min(left, SLICE_SECONDS))

    def _hold(self, name: str, seconds: float | None) -> None:
        with self._lock:
            self._held[name] = time.monotonic() + (seconds or 0)

    def _wait_for_turn(self, name: str, tell: Tell | None) -> None:
        """Where one thread was told to slow down, the others do not ask before the time either."""
        with self._lock:
            until = self._held.get(name, 0)
        self.pause(until - time.monotonic(), tell)

    @contextmanager
    def _network(self, url: str) -> Iterator[None]:
        try:
            yield
        except NETWORK_FAULTS as error:
            if isinstance(error, requests.ConnectTimeout) or not _timed_out(error):
                raise Unreachable(f"no connection to {_host(url)}") from error
            raise Unreachable(f"no answer from {_host(url)} within {self._timeout[1]:g} s") from error


def _clean(token: str | None) -> str:
    """A token without the space that copying leaves around it; what is wrong with it never shows it."""
    stripped = (token or "").strip()
    if stripped and not VISIBLE.fullmatch(stripped):
        raise Unauthorized("the token holds characters that no token has; copy it again")
    return stripped


def _timed_out(error: BaseException | None) -> bool:
    """Whether silence is behind a fault; while a body is sent, requests calls it a broken connection."""
    while error and not isinstance(error, requests.Timeout | TimeoutError):
        error = error.__context__
    return error is not None


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
    """R2 answers in S3's XML, of which only code and message matter here."""
    found = dict(re.findall(r"<(Code|Message)>([^<]*)</", response.text))
    words = ": ".join(filter(None, (found.get("Code"), found.get("Message"))))
    message = f"the bucket answered {response.status_code}" + (f" ({words})" if words else "")
    kinds: dict[int, type[GalleryError]] = {429: RateLimited, 408: ServerFault}
    kind = kinds.get(response.status_code, ServerFault if response.status_code >= 500 else UploadRefused)
    return kind(message, status=response.status_code)
