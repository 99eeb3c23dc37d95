"""Options that most commands share: the gallery, the fields of an artwork, the form of the output."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import click

from vfa_gallery.command.output import Output
from vfa_gallery.command.problem import Problem
from vfa_gallery.gallery import TIMEOUT_SECONDS, Gallery
from vfa_gallery.many import MOST_WORKERS
from vfa_gallery.models import Category

Command = Callable[..., None]
F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_URL = "http://127.0.0.1:8787"

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
fields_option = click.option(
    "--fields", metavar="NAME,…", help="Only these fields, as in id,title,displayUrl (names of the JSON)."
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would be done.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def parallel_option(default: int) -> Callable[[F], F]:
    """The option for the number of threads."""
    return click.option(
        "--parallel",
        type=click.IntRange(1, MOST_WORKERS),
        default=default,
        show_default=True,
        help="How many at a time.",
    )


def _log(_: click.Context, __: click.Parameter, count: int) -> None:
    if count:
        level = logging.INFO if count == 1 else logging.DEBUG
        logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
        logging.getLogger("vfa_gallery").setLevel(level)


def connection_options(command: Command, *, default_url: str | None = DEFAULT_URL) -> Command:
    """Pass `base_url`, `token` and `timeout` to a command."""
    for option in (
        click.option(
            "-v", count=True, expose_value=False, callback=_log, help="Log tries and waits; -vv all requests."
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0.1),
            default=TIMEOUT_SECONDS,
            show_default=True,
            help="Seconds to wait for an answer.",
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
        return Gallery(base_url, token or "", timeout=timeout)
    except ValueError as error:
        raise Problem(str(error)) from error


def gallery_options(command: Command) -> Command:
    """Pass `gallery` and `as_json` to a command."""

    @json_option
    @connection_options
    @functools.wraps(command)
    def wrapped(base_url: str, token: str | None, timeout: float, **others: Any) -> None:
        with open_gallery(base_url, token, timeout) as gallery:
            command(gallery=gallery, **others)

    return wrapped


def record_options(command: Command) -> Command:
    """Pass `gallery` and `output` to a command that prints records."""

    @fields_option
    @functools.wraps(command)
    def wrapped(as_json: bool, fields: str | None, **others: Any) -> None:
        names = tuple(name.strip() for name in fields.split(",") if name.strip()) if fields else None
        command(output=Output(as_json, names or None), **others)

    return gallery_options(wrapped)


def _categories(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    return [each for each in Category if each.startswith(incomplete)]


category_option = click.option(
    "--category",
    shell_complete=_categories,
    help=f"Kind of artwork: {', '.join(Category)}, or any other text.",
)


def description_options(command: F) -> F:
    """The options for the fields of an artwork."""
    for option in (
        click.option("--tag", "tags", multiple=True, help="A tag; may be repeated."),
        category_option,
        click.option("--created-date", help="When it was made, as in 2024, 2024-05-31 or `about 1890`."),
        click.option("--dimensions", help="Its size, as in `60 × 40 cm`."),
        click.option("--materials", help="What it is made of."),
        click.option("--alt-text", help="What can be seen, for people who cannot see it."),
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
