"""The seam between commands and the shell: every exception becomes words and an exit status here."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from vfa_gallery.command.problem import ending_of
from vfa_gallery.errors import GalleryError


class Program(click.Group):
    """A group of commands whose refusals are JSON on standard error where `--json` was given."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **more: Any) -> Any:
        words = sys.argv[1:] if args is None else list(args)
        try:
            status = super().main(args, *others, **{**more, "standalone_mode": False})
        except (click.Abort, click.ClickException, GalleryError, OSError) as error:
            status = _say(error, as_json="--json" in words)
        sys.exit(status)


def _say(error: Exception, *, as_json: bool) -> int:
    ending = ending_of(error)
    if as_json:
        click.echo(json.dumps(ending.to_wire()), err=True)
    elif isinstance(error, click.UsageError):
        error.show()
    else:
        click.echo(ending, err=True)
    return ending.status
