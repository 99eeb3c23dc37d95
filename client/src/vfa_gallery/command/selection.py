"""The artworks that a command is for: by id, by the beginning of one, by `username/slug`, or by a filter."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import click

from vfa_gallery.command.options import Command
from vfa_gallery.errors import GalleryError, InvalidRequest, NotFound
from vfa_gallery.gallery import Gallery
from vfa_gallery.models import Artwork

# How many artworks of a gallery are compared with the beginning of an id.
COMPARED = 2000
NAMED = 5


@dataclass(slots=True)
class Found:
    """The selected artworks, and the names of which none was found, with the reason."""

    artworks: dict[str, Artwork] = field(default_factory=dict)
    failed: dict[str, GalleryError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selection:
    """Names of artworks, or filters: own ones, those of a user, those with a tag."""

    names: tuple[str, ...]
    mine: bool
    tag: str | None
    username: str | None = None

    def __bool__(self) -> bool:
        return bool(self.names or self.is_filter)

    @property
    def is_filter(self) -> bool:
        return bool(self.mine or self.tag or self.username)

    def find(self, gallery: Gallery) -> Found:
        """The artworks, each once. Raises UsageError unless names or filters are given, and not both."""
        if bool(self.names) == self.is_filter:
            raise click.UsageError("give artworks, or --mine or --tag")
        found = Found()
        if self.is_filter:
            username = self.username or gallery.me().username
            for artwork in gallery.artworks(username=username, tag=self.tag, page_size=100):
                found.artworks[artwork.id] = artwork
        for name in dict.fromkeys(self.names):
            try:
                artwork = find(gallery, name)
            except (NotFound, InvalidRequest) as error:
                found.failed[name] = error
            else:
                found.artworks[artwork.id] = artwork
        return found


def selection_options(*, tag: str = "--tag", username: bool = False) -> Callable[[Command], Command]:
    """Pass `selection` to a command; `tag` is the name of the option for a tag."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapped(
            artworks: tuple[str, ...], mine: bool, with_tag: str | None, of: str | None = None, **others: Any
        ) -> None:
            command(selection=Selection(artworks, mine, with_tag, of), **others)

        decorated: Command = wrapped
        if username:
            decorated = click.option("--username", "of", help="Artworks of this user.")(decorated)
        decorated = click.option(tag, "with_tag", metavar="TAG", help="Your artworks with this tag.")(
            decorated
        )
        decorated = click.option("--mine", is_flag=True, help="All your artworks.")(decorated)
        return click.argument("artworks", nargs=-1, metavar="[ARTWORK]...")(decorated)

    return decorate


def find(gallery: Gallery, name: str) -> Artwork:
    """One artwork by its id, the beginning of its id, or `username/slug`.

    Raises:
        NotFound: there is none.
        InvalidRequest: several ids begin so.
    """
    username, slash, slug = name.partition("/")
    if slash:
        return gallery.get_by_slug(username, slug)
    try:
        return gallery.get(name)
    except NotFound as error:
        matching = _beginning_with(gallery, name)
        if not matching:
            raise error
    if len(matching) > 1:
        some = ", ".join(each.id for each in matching[:NAMED])
        more = ", …" if len(matching) > NAMED else ""
        raise InvalidRequest(f"{len(matching)} artworks have ids that begin with {name}: {some}{more}")
    return gallery.get(matching[0].id)


def _beginning_with(gallery: Gallery, start: str) -> list[Artwork]:
    """Own artworks whose ids begin so; where there are none, those among the newest of the gallery."""

    def matching(artworks: Iterable[Artwork]) -> list[Artwork]:
        return [each for each in artworks if each.id.startswith(start)]

    if gallery.has_token:
        own = matching(gallery.artworks(username=gallery.me().username, page_size=100))
        if own:
            return own
    return matching(islice(gallery.artworks(page_size=100), COMPARED))
