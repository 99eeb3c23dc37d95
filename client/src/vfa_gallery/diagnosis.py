"""Why a call failed, as far as that can be seen from here."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import requests

from vfa_gallery.errors import Unreachable


def unreachable(error: Exception, host: str, timeout: float) -> Unreachable:
    """A failure of requests, or of a browser, as Unreachable with its cause; `timeout` is in seconds."""
    chain = list(_causes(error))
    if any(isinstance(each, socket.gaierror) for each in chain):
        return Unreachable(f"no connection to {host}: no server of this name was found (DNS)", cause="dns")
    if any(isinstance(each, ConnectionRefusedError) for each in chain):
        return Unreachable(
            f"no connection to {host}: connection refused; no server is listening there", cause="refused"
        )
    if isinstance(error, requests.exceptions.SSLError):
        reason = next((str(each) for each in reversed(chain) if "ssl" in type(each).__module__), str(error))
        reason = re.sub(r"^\[[^]]*\] | \(_ssl\.c:\d+\)$", "", reason)
        return Unreachable(f"no secure connection to {host} (TLS): {reason}", cause="tls")
    if isinstance(error, requests.ConnectTimeout):
        return Unreachable(f"no connection to {host}: it did not answer in time (timeout)", cause="timeout")
    if any(isinstance(each, requests.Timeout | TimeoutError) for each in chain):
        return Unreachable(f"no answer from {host} within {timeout:g} s", cause="silence")
    if isinstance(error, requests.RequestException):
        return Unreachable(f"the connection to {host} broke", cause="broken")
    return Unreachable(f"no connection to {host}", cause="network")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and what it was raised from, outermost first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        reason = getattr(error, "reason", None)
        error = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__


def about_token(token: str) -> str:
    """Why a gallery refused a token, as far as that can be seen from here."""
    if not token:
        return "No token was given: set VFA_TOKEN, or pass a token."
    end = _end_of(token)
    if end and end < datetime.now(UTC):
        return f"The token expired on {end:%Y-%m-%d at %H:%M} UTC: set VFA_TOKEN to a new one."
    return "The gallery does not accept this token: check that VFA_TOKEN is complete and of this gallery."


def _end_of(token: str) -> datetime | None:
    """The time in a JWT's `exp` (RFC 7519, 4.1.4), which is read without a look at the signature."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
