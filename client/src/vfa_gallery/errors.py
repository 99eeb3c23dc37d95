"""Everything that can go wrong, named by the codes of the API.

GalleryError
├── InvalidRequest 400
├── Unauthorized 401
├── Forbidden 403
├── Suspended 403
├── NotFound 404
├── AlreadyExists 409
├── PreconditionFailed 412
├── TooLarge 413
├── UnsupportedType 415
├── UnreadableImage 422
├── OriginalReplaced 422
├── ArtworkLimitReached 429
├── UploadLimitReached 429
├── Passing (may succeed when repeated)
│   ├── Conflict 409
│   ├── ProcessingFailed 500
│   ├── ServerFault 5xx
│   ├── Unreachable (no answer came)
│   └── Refused (the gallery did nothing)
│       ├── RateLimited 429
│       └── Overloaded 503
├── NotConfigured 500
├── UploadRefused (the bucket's answer to an original)
├── UnexpectedAnswer (an answer that is not the API's)
├── FileProblem (a local file)
├── JournalProblem (the journal of a batch)
└── Stopped (by the caller)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class GalleryError(Exception):
    """Something failed; the base of all exceptions of this package.

    `message` says what happened, `detail` what to do about it or None; `str(error)` is both. `code` is a
    stable name for programs. `status` is the HTTP status of the answer, None where there was none.
    `request_id` finds the request in the gallery's logs, or is None. `retry_after` is in seconds, or None.

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


class Suspended(GalleryError):
    """The account is suspended, until an operator of the gallery activates it."""

    code = "suspended"


class NotFound(GalleryError):
    code = "not_found"


class AlreadyExists(GalleryError):
    """Another user has this name, id or subject."""

    code = "already_exists"


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
    """The original in the bucket is another file now; delete the artwork and upload it again."""

    code = "original_replaced"


class ArtworkLimitReached(GalleryError):
    """The user's quota is used up; deleting artworks makes room."""

    code = "artwork_limit_reached"


class UploadLimitReached(GalleryError):
    """Too many uploads of this user are open; finish them, or wait until they expire."""

    code = "upload_limit_reached"


class Passing(GalleryError):
    """A temporary failure: the same call may succeed a little later."""


class Conflict(Passing):
    code = "conflict"


class ProcessingFailed(Passing):
    code = "processing_failed"


class ServerFault(Passing):
    code = "internal"


class Unreachable(Passing):
    """No answer came; the call may or may not have had its effect.

    `cause` says why: "dns" (no such host), "refused", "tls", "timeout" (no connection in time), "silence" (no
    answer in time), "broken" (the connection ended), or "network" where a browser does not tell.
    """

    code = "unreachable"

    def __init__(self, message: str, *, cause: str = "broken", detail: str | None = None) -> None:
        super().__init__(message, detail=detail)
        self.cause = cause


class Refused(Passing):
    """Refused before anything was done, so that any call may be repeated."""


class RateLimited(Refused):
    code = "rate_limited"


class Overloaded(Refused):
    code = "overloaded"


class NotConfigured(GalleryError):
    """The gallery lacks a setting, until its operator adds it."""

    code = "not_configured"


class UploadRefused(GalleryError):
    """The bucket did not accept the original."""

    code = "upload_refused"


class UnexpectedAnswer(GalleryError):
    """An answer that is not the API's: another server, a proxy, or another version."""

    code = "unexpected_answer"


class FileProblem(GalleryError):
    """A local file is empty, unreadable, not writable, or changed while it was sent."""

    code = "file_problem"


class JournalProblem(GalleryError):
    """The journal of a batch cannot be written or read, or another batch uses it."""

    code = "journal_problem"


class Stopped(GalleryError):
    """The caller asked to stop."""

    code = "stopped"


def _family(kind: type[GalleryError]) -> Iterator[type[GalleryError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _family(below)


# Unreachable stands for the lack of an answer, so no answer means it.
_BY_CODE = {kind.code: kind for kind in _family(GalleryError) if kind is not Unreachable} | {
    "unavailable": ServerFault
}
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
    fields = body if isinstance(body, Mapping) else {}
    code = fields.get("code") if isinstance(fields.get("code"), str) else None
    fallback = _BY_STATUS.get(status, ServerFault if status >= 500 else UnexpectedAnswer)
    kind = _BY_CODE.get(code or "", fallback)
    return kind(
        str(fields.get("error") or f"the gallery answered {status}"),
        code=code,
        status=status,
        request_id=fields.get("requestId") or headers.get("X-Request-Id"),
        retry_after=_seconds(headers.get("Retry-After")),
        detail=str(fields["detail"]) if fields.get("detail") else None,
    )


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
