"""Everything that can go wrong, each class with its HTTP status and stable code.

GalleryError
├── InvalidRequest 400
│   └── MissingFields
├── Unauthorized 401
├── Forbidden 403
├── Suspended 403
├── NotFound 404
│   ├── UserNotFound
│   └── ArtworkNotFound
├── MethodNotAllowed 405
├── AlreadyExists 409
├── Conflict 409
├── PreconditionFailed 412
├── TooLarge 413
├── UnsupportedType 415
├── RangeNotSatisfiable 416
├── UnreadableImage 422
├── OriginalReplaced 422
├── ArtworkLimitReached 429
├── UploadLimitReached 429
├── RateLimited 429
├── ProcessingFailed 500
├── NotConfigured 500
├── InternalError 500
├── Overloaded 503
└── Unavailable 503
PortError
├── DatabaseError
└── StorageError
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class GalleryError(Exception):
    """A response other than success: `message` says what happened, `advice` what can be done.

    `code` is stable, for programs. `text`, `detail` and `headers` are those of this one error.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    message: ClassVar[str] = "Internal server error"
    advice: ClassVar[str | None] = None

    def __init__(
        self, message: str | None = None, *, detail: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self.text = message or self.message
        self.detail = detail or self.advice
        self.headers = headers or {}
        super().__init__(self.text)


class InvalidRequest(GalleryError):
    status = 400
    code = "invalid_request"
    message = "The request is not valid."


class MissingFields(InvalidRequest):
    """Required fields are missing from a body."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"Missing required fields: {', '.join(names)}",
            detail="Send each of these fields with a text that is not empty.",
        )


class Unauthorized(GalleryError):
    status = 401
    code = "unauthorized"
    message = "Unauthorized"
    advice = "Please sign in: a valid bearer token is needed."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(GalleryError):
    status = 403
    code = "forbidden"
    message = "This belongs to someone else."


class Suspended(GalleryError):
    status = 403
    code = "suspended"
    message = "This account is suspended. Please write to the gallery."


class NotFound(GalleryError):
    status = 404
    code = "not_found"
    message = "There is nothing at this address."


class UserNotFound(NotFound):
    message = "User not found"
    advice = "The gallery has no account for whoever this token was made for."


class ArtworkNotFound(NotFound):
    message = "There is no such artwork."


class MethodNotAllowed(GalleryError):
    status = 405
    code = "method_not_allowed"

    def __init__(self, allow: str) -> None:
        super().__init__(f"This address answers only to {allow}.", headers={"Allow": allow})


class AlreadyExists(GalleryError):
    """A value that must be unique is taken; trying again does not help."""

    status = 409
    code = "already_exists"
    message = "This username is taken."


class Conflict(GalleryError):
    status = 409
    code = "conflict"
    message = "This original is being processed right now. Please try again in a moment."

    def __init__(self, message: str | None = None, *, retry_after: int = 2) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})


class PreconditionFailed(GalleryError):
    status = 412
    code = "precondition_failed"
    message = "The artwork was changed in the meantime. Read it again and repeat your change."


class TooLarge(GalleryError):
    status = 413
    code = "too_large"


class UnsupportedType(GalleryError):
    status = 415
    code = "unsupported_type"


class RangeNotSatisfiable(GalleryError):
    status = 416
    code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes.", headers={"Content-Range": f"bytes */{size}"})


class UnreadableImage(GalleryError):
    status = 422
    code = "unreadable_image"
    message = "The file cannot be read as a picture."


class OriginalReplaced(GalleryError):
    status = 422
    code = "original_replaced"
    message = (
        "The original was replaced after this artwork was made of it. "
        "Please delete the artwork and upload the picture again."
    )


class ArtworkLimitReached(GalleryError):
    status = 429
    code = "artwork_limit_reached"
    message = "Artwork limit reached"


class UploadLimitReached(GalleryError):
    status = 429
    code = "upload_limit_reached"
    message = "Too many uploads are open. Please finish them, or wait until they expire."

    def __init__(self, retry_after: int) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})


class RateLimited(GalleryError):
    status = 429
    code = "rate_limited"
    message = "Too many requests. Please wait a minute."

    def __init__(self, retry_after: int) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})


class ProcessingFailed(GalleryError):
    status = 500
    code = "processing_failed"
    message = "Image processing failed. Please try again."


class NotConfigured(GalleryError):
    """Settings are missing or unusable. `problems` name them, for the log and not for the client."""

    status = 500
    code = "not_configured"
    message = "The gallery is not configured."

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__()


class InternalError(GalleryError):
    advice = "Something went wrong on our side. Please try again."


class Overloaded(GalleryError):
    status = 503
    code = "overloaded"
    message = "Too many pictures are being processed. Please try again in a moment."

    def __init__(self, message: str | None = None, *, retry_after: int = 2) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})


class Unavailable(GalleryError):
    status = 503
    code = "unavailable"
    message = "The gallery cannot reach its store right now. Please try again in a moment."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, headers={"Retry-After": "5"})


class PortError(Exception):
    """A binding failed. Adapters raise it in place of the platform's own errors."""


class DatabaseError(PortError):
    """D1 failed. A `transient` fault is one that is documented to pass."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        self.transient = transient
        super().__init__(message)


class StorageError(PortError):
    """R2, KV, a renderer, a rate limit or another server failed or did not answer."""
