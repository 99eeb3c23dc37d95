"""The errors of a renderer, each with its HTTP status and its stable code.

RenderError
├── InvalidRequest   400 invalid_request
├── Unauthorized     401 unauthorized
├── SourceMissing    404 source_missing
├── SourceChanged    409 source_changed
├── TooLate          409 too_late
├── TooLarge         413 too_large
├── UnsupportedType  415 unsupported_type
├── UnreadableImage  422 unreadable_image
├── ProcessingFailed 500 processing_failed
├── NotConfigured    500 not_configured
└── Overloaded       503 overloaded
"""

from __future__ import annotations

ACCEPTED = "JPEG, PNG, WebP, GIF or TIFF"


class RenderError(Exception):
    """The base class: `str(error)` is a sentence that a person can act on."""

    status = 500
    code = "processing_failed"


class InvalidRequest(RenderError):
    status = 400
    code = "invalid_request"


class Unauthorized(RenderError):
    status = 401
    code = "unauthorized"


class SourceMissing(RenderError):
    status = 404
    code = "source_missing"


class SourceChanged(RenderError):
    status = 409
    code = "source_changed"


class TooLate(RenderError):
    status = 409
    code = "too_late"


class TooLarge(RenderError):
    status = 413
    code = "too_large"


class UnsupportedType(RenderError):
    status = 415
    code = "unsupported_type"

    def __init__(self, found: str = "This file") -> None:
        super().__init__(f"{found} is not an accepted picture: send {ACCEPTED}.")


class UnreadableImage(RenderError):
    status = 422
    code = "unreadable_image"


class ProcessingFailed(RenderError):
    status = 500
    code = "processing_failed"


class NotConfigured(RenderError):
    status = 500
    code = "not_configured"


class Overloaded(RenderError):
    status = 503
    code = "overloaded"

    def __init__(self, message: str, retry_after: int = 2) -> None:
        super().__init__(message)
        self.retry_after = retry_after
