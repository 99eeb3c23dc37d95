"""What ends a command early: a sentence for people or JSON for programs, and the exit status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from vfa_gallery.errors import GalleryError

# Exit status when part of what was asked for could not be done, and after Ctrl-C.
SOME_FAILED = 3
INTERRUPTED = 130


class Problem(click.ClickException):
    """What is wrong and what to do, in one sentence; exit status 1.

    >>> Problem("there is no user ann").format_message()
    'there is no user ann'
    """


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ends: `code` and `request_id` as the API would have them."""

    status: int
    code: str
    message: str
    request_id: str | None = None
    detail: str | None = None

    def to_wire(self) -> dict[str, Any]:
        wire = {"error": self.message, "code": self.code, "requestId": self.request_id}
        return wire | ({"detail": self.detail} if self.detail else {})

    def __str__(self) -> str:
        where = f" (request {self.request_id})" if self.request_id else ""
        return f"error: {GalleryError(self.message, detail=self.detail)}{where}"


def ending_of(error: Exception) -> Ending:
    """What an exception means for whoever ran the command.

    >>> str(ending_of(Problem("there is no user ann")))
    'error: there is no user ann'
    >>> ending_of(OSError(28, "No space left on device", "a.txt")).message
    'a.txt: No space left on device'
    """
    match error:
        case GalleryError():
            return Ending(1, error.code, error.message, error.request_id, error.detail)
        case click.UsageError():
            return Ending(error.exit_code, "wrong_usage", error.format_message())
        case click.ClickException():
            return Ending(error.exit_code, "impossible", error.format_message())
        case click.Abort() if _by_keyboard(error):
            return Ending(INTERRUPTED, "interrupted", "interrupted")
        case click.Abort():
            return Ending(1, "not_confirmed", "nothing was done; --yes does it without asking")
        case OSError():
            about = filter(None, (error.filename, error.strerror or str(error)))
            return Ending(1, "impossible", ": ".join(map(str, about)))
    raise error


def _by_keyboard(error: click.Abort) -> bool:
    """Click's prompts put Abort in the place of Ctrl-C as well as of a no."""
    return isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)


def error_to_wire(error: GalleryError) -> dict[str, Any]:
    """An error as the API has it."""
    return ending_of(error).to_wire()
