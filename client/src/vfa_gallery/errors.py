"""Everything that can go wrong, in the words of the API.

GalleryError
├── InvalidRequest 400
├── Unauthorized 401
├── Forbidden 403
├── NotFound 404
├── PreconditionFailed 412
├── TooLarge 413
├── UnsupportedType 415
├── UnreadableImage 422
├── OriginalReplaced 422
├── ArtworkLimitReached 429
├── UploadLimitReached 429
├── Passing (worth another try)
│   ├── Conflict 409
│   ├── ProcessingFailed 500
│   ├── ServerFault 5xx
│   ├── Unreachable (no answer came)
│   └── Refused (nothing was done)
│       ├── RateLimited 429
│       └── Overloaded 503
├── NotConfigured 500 (until its operator has done so)
├── UploadRefused (the bucket's answer to an original)
├── UnexpectedAnswer (not in the words of the API)
├── FileProblem (the file on this side)
├── JournalProblem (what a batch remembers by)
└── Stopped (by the caller)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class GalleryError(Exception):
    """What went wrong, as the gallery tells it.

    `message` says what happened and `detail`, where there is one, what can be done about it; as text an error
    is both. `code` is a stable word for programs. `request_id` finds the request in the gallery's logs,
    `retry_after` is in seconds; both are None where the gallery said nothing.

    >>> error = NotFound("There is no such artwork.", status=404, request_id="r1")
    >>> error.code, error.status, error.request_id, str(error)
    ('not_found', 404, 'r1', 'There is no such artwork.')
    >>> str(Unauthorized("Unauthorized", detail="Please sign in."))
    'Unauthorized. Please sign in.'
    """

    code: str = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code:
            self.code = code
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.detail}" if self.detail else self.message


class InvalidRequest(GalleryError):
    code = "invalid_request"


class Unauthorized(GalleryError):
    code = "unauthorized"


class Forbidden(GalleryError):
    code = "forbidden"


class NotFound(GalleryError):
    code = "not_found"


class PreconditionFailed(GalleryError):
    """The artwork was changed by someone else since it was read."""

    code = "precondition_failed"


class TooLarge(GalleryError):
    code = "too_large"


class UnsupportedType(GalleryError):
    code = "unsupported_type"


class UnreadableImage(GalleryError):
    code = "unreadable_image"


class OriginalReplaced(GalleryError):
    """Another file is in the place of the original: deleting the artwork helps, and uploading it again."""

    code = "original_replaced"


class ArtworkLimitReached(GalleryError):
    """The quota is used up; waiting does not help, deleting does."""

    code = "artwork_limit_reached"


class UploadLimitReached(GalleryError):
    """Too many uploads of this user are open; finishing them helps, or waiting until they expire."""

    code = "upload_limit_reached"


class Passing(GalleryError):
    """A fault that goes away by itself: the same call may succeed a little later."""


class Conflict(Passing):
    code = "conflict"


class ProcessingFailed(Passing):
    code = "processing_failed"


class ServerFault(Passing):
    code = "internal"


class Unreachable(Passing):
    """No answer: no connection, a broken one, or none in time. The call may have had its effect."""

    code = "unreachable"


class Refused(Passing):
    """Turned away before anything was done, so that any call may be repeated."""


class RateLimited(Refused):
    code = "rate_limited"


class Overloaded(Refused):
    code = "overloaded"


class NotConfigured(GalleryError):
    """The gallery lacks a setting; waiting does not help, its operator does."""

    code = "not_configured"


class UploadRefused(GalleryError):
    """The bucket did not take the original."""

    code = "upload_refused"


class UnexpectedAnswer(GalleryError):
    """An answer that is not the API's: another server, a proxy, or another version."""

    code = "unexpected_answer"


class FileProblem(GalleryError):
    """The file on this side is empty, unreadable, or changed while it was sent."""

    code = "file_problem"


class JournalProblem(GalleryError):
    """What was done cannot be remembered, or what was remembered cannot be read."""

    code = "journal_problem"


class Stopped(GalleryError):
    """The caller asked to stop."""

    code = "stopped"


def _family(kind: type[GalleryError]) -> Iterator[type[GalleryError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _family(below)


_BY_CODE = {kind.code: kind for kind in _family(GalleryError)} | {"unavailable": ServerFault}
_BY_STATUS: dict[int, type[GalleryError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    413: TooLarge,
    415: UnsupportedType,
    422: UnreadableImage,
    429: RateLimited,
}


def error_of(status: int, body: Any, headers: Mapping[str, str]) -> GalleryError:
    """The exception for an answer that is not a success; `body` is its decoded JSON or None.

    >>> error_of(429, {"error": "Artwork limit reached", "code": "artwork_limit_reached"}, {})
    ArtworkLimitReached('Artwork limit reached')
    >>> error_of(429, {"error": "Wait.", "code": "rate_limited"}, {"Retry-After": "60"}).retry_after
    60.0
    >>> error_of(502, None, {})
    ServerFault('the gallery answered 502')
    """
    said = body if isinstance(body, Mapping) else {}
    code = said.get("code") if isinstance(said.get("code"), str) else None
    fallback = _BY_STATUS.get(status, ServerFault if status >= 500 else UnexpectedAnswer)
    kind = _BY_CODE.get(code or "", fallback)
    return kind(
        str(said.get("error") or f"the gallery answered {status}"),
        code=code,
        status=status,
        request_id=said.get("requestId") or headers.get("X-Request-Id"),
        retry_after=_seconds(headers.get("Retry-After")),
        detail=str(said["detail"]) if said.get("detail") else None,
    )


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
