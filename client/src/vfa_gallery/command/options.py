"""What most commands share: the gallery to talk to, words about an artwork, JSON on request."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, TypeVar

import click
from rich.console import Console

from vfa_gallery.command.problem import Problem
from vfa_gallery.gallery import TIMEOUT_SECONDS, Gallery
from vfa_gallery.models import Category

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_BASE_URL = "http://127.0.0.1:8787"

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _categories(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    return [each for each in Category if each.startswith(incomplete)]


category_option = click.option(
    "--category",
    shell_complete=_categories,
    help=f"Kind of artwork: {', '.join(Category)}, or any other text.",
)


def connection_options(
    command: Callable[..., None], *, default_url: str | None = DEFAULT_BASE_URL
) -> Callable[..., None]:
    """Pass `base_url`, `token` and `timeout` to a command."""
    for option in (
        click.option(
            "--timeout",
            type=click.FloatRange(min=0.1),
            default=TIMEOUT_SECONDS,
            show_default=True,
            help="Seconds to wait for the other side.",
        ),
        click.option("--token", envvar="VFA_TOKEN", help="Your token; better in $VFA_TOKEN."),
        click.option(
            "--url",
            "--base-url",
            "base_url",
            envvar=["VFA_URL", "VFA_BASE_URL"],
            default=default_url,
            help="Address of the gallery, or $VFA_URL" + (f" [{default_url}]." if default_url else "."),
        ),
    ):
        command = option(command)
    return command


def open_gallery(base_url: str, token: str | None, timeout: float) -> Gallery:
    """A client of the gallery at an address. Raises Problem for an address that is none."""
    try:
        return Gallery(base_url, token, timeout=timeout)
    except ValueError as error:
        raise Problem(str(error)) from error


def gallery_options(command: Callable[..., None]) -> Callable[..., None]:
    """Pass `gallery` and `as_json` to a command."""

    @json_option
    @connection_options
    @functools.wraps(command)
    def wrapped(base_url: str, token: str | None, timeout: float, as_json: bool, **others: Any) -> None:
        with open_gallery(base_url, token, timeout) as gallery:
            command(gallery=gallery, as_json=as_json, **others)

    return wrapped


def description_options(command: F) -> F:
    """The options that say something of an artwork."""
    for option in (
        click.option("--tag", "tags", multiple=True, help="A tag; may be repeated."),
        category_option,
        click.option("--created-date", help="When it was made, as in 2024, 2024-05-31 or `about 1890`."),
        click.option("--dimensions", help="Its size, as in `60 × 40 cm`."),
        click.option("--materials", help="What it is made of."),
        click.option("--description", help="A few sentences about it."),
    ):
        command = option(command)
    return command


def given(values: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as the client takes them.

    >>> given({"title": "Dusk", "category": None, "tags": ()})
    {'title': 'Dusk'}
    """
    kept = {name: value for name, value in values.items() if value not in (None, ())}
    return kept | ({"tags": list(kept["tags"])} if "tags" in kept else {})


def print_json(value: Any) -> None:
    """JSON for programs: no colours, no wrapping."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def console(*, stderr: bool = False) -> Console:
    """A console for the stream as it is now."""
    # What people write may hold brackets and colons: no markup, no emoji.
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)
