"""The one exception that commands raise for people: a sentence and exit status 1."""

from __future__ import annotations

import json
from typing import IO, Any, Self

import click

from vfa_gallery.errors import GalleryError

# Exit status when part of what was asked for could not be done, and after Ctrl-C.
SOME_FAILED = 3
INTERRUPTED = 130


class Problem(click.ClickException):
    """What is wrong and what to do, in one sentence.

    >>> Problem("there is no user ann").format_message()
    'there is no user ann'
    """

    _wire: dict[str, Any] | None = None

    @classmethod
    def of(cls, error: GalleryError, *, as_json: bool) -> Self:
        """What the gallery refused; as JSON in the API's own form when asked for."""
        where = f" (request {error.request_id})" if error.request_id else ""
        problem = cls(f"{error.message}{where}")
        if as_json:
            problem._wire = error_to_wire(error)
        return problem

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 - the signature is click's
        said = json.dumps(self._wire) if self._wire else f"error: {self.format_message()}"
        click.echo(said, err=True)


def error_to_wire(error: GalleryError) -> dict[str, Any]:
    """An error as the API has it."""
    return {"error": error.message, "code": error.code, "requestId": error.request_id}
