"""`vfa list`, `show`, `edit` and `me`."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from vfa_gallery.command.drawing import draw
from vfa_gallery.command.options import (
    category_option,
    console,
    description_options,
    gallery_options,
    given,
    print_json,
)
from vfa_gallery.command.problem import Problem
from vfa_gallery.gallery import Gallery
from vfa_gallery.models import Artwork

DRAWING_WIDTH = 48


@click.command("list")
@click.option("--username", help="Only this artist's.")
@category_option
@click.option("--tag", help="Only those with this tag.")
@click.option("--query", help="Only those with this in their title.")
@click.option("--featured/--not-featured", default=None, help="Only those that are, or are not, featured.")
@click.option("--limit", type=click.IntRange(min=1), default=24, show_default=True, help="At most so many.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@gallery_options
def list_artworks(gallery: Gallery, as_json: bool, limit: int, everything: bool, **filters: Any) -> None:
    """List artworks, newest first.

    \b
    Example:
      vfa list --username ann --category painting --limit 10
    """
    found = gallery.artworks(**filters, page_size=100 if everything else min(limit, 100))
    artworks = found if everything else islice(found, limit)
    if as_json:
        print_json([artwork.to_wire() for artwork in artworks])
        return
    table = Table("id", "title", "artist", "category", "pixels", "created")
    for each in artworks:
        size = f"{each.width} × {each.height}" if each.width and each.height else ""
        table.add_row(
            each.id, each.title, each.username, each.category, size, f"{each.created_at:%Y-%m-%d %H:%M}"
        )
    console().print(table if table.row_count else "no artworks")


@click.command()
@click.argument("artwork_id")
@click.option("--picture/--no-picture", default=None, help="Draw the icon, or not [in a terminal].")
@gallery_options
def show(gallery: Gallery, as_json: bool, artwork_id: str, picture: bool | None) -> None:
    """Show an artwork, with its icon drawn in the terminal.

    \b
    Example:
      vfa show art_5f0c
    """
    artwork = gallery.get(artwork_id)
    if as_json:
        print_json(artwork.to_wire())
        return
    screen = console()
    try:
        if artwork.icon_url and (screen.is_terminal if picture is None else picture):
            screen.print(draw(gallery.fetch(artwork.icon_url), min(DRAWING_WIDTH, screen.width)))
    except ValueError as error:
        raise Problem(f"{artwork.icon_url} is not a picture; --no-picture does without") from error
    finally:
        screen.print(_facts(artwork))


def _facts(artwork: Artwork) -> Table:
    table = Table.grid(padding=(0, 2))
    wire = artwork.to_wire()
    wire.pop("originalDownloadUrl")
    for name, value in wire.items():
        if value not in (None, []):
            table.add_row(
                Text(name, style="bold"), ", ".join(value) if isinstance(value, list) else str(value)
            )
    return table


@click.command()
@click.argument("artwork_id")
@click.option("--title", help="Its title.")
@click.option("--featured/--not-featured", "is_featured", default=None, help="Whether it is featured.")
@description_options
@gallery_options
def edit(gallery: Gallery, as_json: bool, artwork_id: str, **changes: Any) -> None:
    """Change what is said of an artwork; an empty text clears it.

    \b
    Example:
      vfa edit art_5f0c --title "Dusk over the lake" --tag lake --tag dusk
    """
    wanted = given(changes)
    if not wanted:
        raise Problem("nothing to change; give --title, --tag or another of the options")
    cleared: Any = {name: None if value == "" else value for name, value in wanted.items()}
    artwork = gallery.update(artwork_id, **cleared)
    if as_json:
        print_json(artwork.to_wire())
    else:
        console().print(_facts(artwork))


@click.command()
@gallery_options
def me(gallery: Gallery, as_json: bool) -> None:
    """Show who the token belongs to, and how much room is left.

    \b
    Example:
      vfa me
    """
    person = gallery.me()
    if as_json:
        print_json(person.to_wire())
        return
    click.echo(f"{person.username} ({person.id})")
    click.echo(
        f"{person.artwork_count} of {person.artwork_limit} artworks, room for {person.artwork_remaining}"
    )
