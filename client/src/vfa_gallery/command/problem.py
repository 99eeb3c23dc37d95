"""How a command ends: each exception becomes a sentence or JSON, and an exit status, in one place."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from vfa_gallery.errors import GalleryError

# Exit status when part of what was asked for failed, and after Ctrl-C.
SOME_FAILED = 3
INTERRUPTED = 130


class Problem(click.ClickException):
    """What is wrong and what to do, in one sentence; exit status 1.

    >>> Problem("there is no user ann").format_message()
    'there is no user ann'
    """


class Program(click.Group):
    """A group of commands whose errors are JSON on standard error with `--json`, else a sentence."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **more: Any) -> Any:
        words = sys.argv[1:] if args is None else list(args)
        try:
            status = super().main(args, *others, **{**more, "standalone_mode": False})
        except (click.Abort, click.ClickException, GalleryError, OSError) as error:
            status = _print(error, as_json="--json" in words)
        sys.exit(status)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ends: exit status, and the error with the names of the API."""

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
    """The end of a command that an exception means; other exceptions are raised again.

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


def error_to_wire(error: GalleryError) -> dict[str, Any]:
    """An error in the form of the API."""
    return ending_of(error).to_wire()


def _print(error: Exception, *, as_json: bool) -> int:
    ending = ending_of(error)
    if as_json:
        click.echo(json.dumps(ending.to_wire()), err=True)
    elif isinstance(error, click.UsageError):
        error.show()
    else:
        click.echo(ending, err=True)
    return ending.status


def _by_keyboard(error: click.Abort) -> bool:
    """Click's prompts raise Abort for Ctrl-C as well as for a no."""
    return isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)
