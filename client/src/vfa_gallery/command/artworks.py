"""`vfa list`, `show`, `edit`, `rm`, `download` and `me`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import click

from vfa_gallery.command.many import Tally, carry_out, summary
from vfa_gallery.command.options import (
    category_option,
    description_options,
    dry_run_option,
    gallery_options,
    given,
    parallel_option,
    record_options,
    yes_option,
)
from vfa_gallery.command.output import Output, console, draw, print_json, print_table
from vfa_gallery.command.problem import Problem
from vfa_gallery.command.selection import Found, Selection, find, selection_options
from vfa_gallery.downloads import Which, file_name
from vfa_gallery.gallery import Gallery
from vfa_gallery.limits import check_changes, in_words
from vfa_gallery.many import Run
from vfa_gallery.models import Artwork, Download
from vfa_gallery.originals import printable

DRAWING_WIDTH = 48
LISTED = ("id", "title", "username", "category", "pixels", "created")
HEADERS = ("id", "title", "user", "category", "pixels", "created")
NAMED = 10


@click.command("list")
@click.option("--username", help="Only artworks of this user.")
@category_option
@click.option("--tag", help="Only artworks with this tag.")
@click.option("--query", help="Only artworks with these words in title, tags, description or username.")
@click.option("--featured/--not-featured", default=None, help="Only those that are, or are not, featured.")
@click.option("--limit", type=click.IntRange(min=1), default=24, show_default=True, help="At most so many.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@record_options
def list_artworks(gallery: Gallery, output: Output, limit: int, everything: bool, **filters: Any) -> None:
    """List artworks, newest first.

    In a pipe: one artwork a line, tab-separated, without headers.

    \b
    Examples:
      vfa list --username ann --category painting --limit 10
      vfa list --all --json --fields id,title,displayUrl
    """
    found = gallery.artworks(**filters, limit=None if everything else limit, page_size=100)
    wires = (each.to_wire() for each in found)
    if not output.as_json and not output.fields:
        wires = (wire | {"pixels": _pixels(wire), "created": _minute(wire["createdAt"])} for wire in wires)
    output.records(wires, HEADERS, LISTED, nothing="no artworks")


def _pixels(wire: dict[str, Any]) -> str:
    return f"{wire['width']}x{wire['height']}" if wire["width"] and wire["height"] else ""


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


@click.command()
@click.argument("artwork")
@click.option("--picture/--no-picture", default=None, help="Draw the icon, or not [in a terminal].")
@record_options
def show(gallery: Gallery, output: Output, artwork: str, picture: bool | None) -> None:
    """Show an artwork, with its icon drawn in the terminal.

    ARTWORK is an id, the beginning of one, or username/slug, in every command.

    \b
    Examples:
      vfa show art_5f0c
      vfa show ann/dusk-over-the-lake --json --fields displayUrl
    """
    found = find(gallery, artwork)
    screen = console()
    drawing = screen.is_terminal and screen.encoding.startswith("utf") if picture is None else picture
    try:
        if drawing and found.icon_url and not output.as_json:
            screen.print(draw(gallery.fetch(found.icon_url), min(DRAWING_WIDTH, screen.width)))
    except ValueError as error:
        raise Problem(f"{found.icon_url} is not a picture; --no-picture does without") from error
    finally:
        wire = found.to_wire()
        if not output.as_json and not output.fields:
            wire.pop("originalDownloadUrl")
        output.record(wire)


@click.command()
@selection_options(tag="--with-tag")
@click.option("--title", help="Its title.")
@click.option("--featured/--not-featured", "is_featured", default=None, help="Whether it is featured.")
@click.option("--add-tag", "added", multiple=True, help="A tag to add; may be repeated.")
@click.option("--remove-tag", "removed", multiple=True, help="A tag to remove; may be repeated.")
@description_options
@dry_run_option
@yes_option
@gallery_options
def edit(
    gallery: Gallery,
    as_json: bool,
    selection: Selection,
    added: tuple[str, ...],
    removed: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    **options: Any,
) -> None:
    """Change fields of artworks; an empty text clears a field.

    Exit status: 0 all changed, 3 some were not, 1 no more could be changed, 130 interrupted.

    \b
    Examples:
      vfa edit art_5f0c --title "Dusk over the lake" --tag lake --tag dusk
      vfa edit --with-tag draft --remove-tag draft --category painting
    """
    change = _Change(gallery, options, added, removed)
    found = selection.find(gallery)
    if len(found.artworks) == 1 and not (selection.is_filter or found.failed or dry_run):
        artwork = change(next(iter(found.artworks.values())))
        Output(as_json).record(artwork.to_wire() if as_json else _shown(artwork))
        return
    if _ends_before(found, "changed", dry_run=dry_run, as_json=as_json):
        return
    if selection.is_filter and not yes:
        click.confirm(f"Change {_titles(found)}?", abort=True, err=True)
    tally, changed = Tally(failed=found.failed), list[dict[str, Any]]()
    for done in carry_out(Run(change), list(found.artworks.values()), _id, quiet=as_json):
        tally.add(done.item.id, done.error, left=done.left)
        if done.value:
            changed.append(done.value.to_wire())
    _finish(
        tally,
        "changed",
        as_json,
        lambda tally: {"changed": changed, "failed": tally.failures("id"), "left": tally.left},
    )


class _Change:
    """Changes one artwork as the options of `edit` say; they are checked at once."""

    def __init__(
        self, gallery: Gallery, options: dict[str, Any], added: tuple[str, ...], removed: tuple[str, ...]
    ) -> None:
        fields = {name: None if value == "" else value for name, value in given(options).items()}
        if not (fields or added or removed):
            raise Problem("nothing to change; give --title, --tag or another of the options")
        self._fields: Any = check_changes(fields)
        check_changes({"tags": [*added, *removed]})
        self._gallery, self._added, self._removed = gallery, added, removed

    def __call__(self, artwork: Artwork) -> Artwork:
        if not (self._added or self._removed):
            return self._gallery.update(artwork.id, **self._fields)
        # The tags are computed from those that were read, so the change is guarded.
        read = self._gallery.get(artwork.id)
        tags = dict.fromkeys([*self._fields.get("tags", read.tags), *self._added])
        kept = [tag for tag in tags if tag not in self._removed]
        return self._gallery.update(read, **{**self._fields, "tags": kept})


def _shown(artwork: Artwork) -> dict[str, Any]:
    wire = artwork.to_wire()
    wire.pop("originalDownloadUrl")
    return wire


@click.command()
@selection_options()
@dry_run_option
@yes_option
@gallery_options
def rm(gallery: Gallery, as_json: bool, selection: Selection, dry_run: bool, yes: bool) -> None:
    """Remove artworks for good, with their originals.

    Exit status: 0 all removed, 3 some were not, 1 no more could be removed, 130 interrupted.

    \b
    Examples:
      vfa rm art_5f0c ann/dusk --yes
      vfa rm --tag draft
    """
    found = selection.find(gallery)
    if _ends_before(found, "removed", dry_run=dry_run, as_json=as_json):
        return
    if not yes and found.artworks:
        click.confirm(f"Remove {_titles(found)} for good?", abort=True, err=True)
    tally, removed = Tally(failed=found.failed), list[str]()
    run: Run[Artwork, None] = Run(gallery.delete, 1)
    todo = list(found.artworks.values())
    for done in carry_out(run, todo, _id, line=lambda each, _: f"removed\t{each.id}", quiet=as_json):
        tally.add(done.item.id, done.error, left=done.left)
        if not done.error:
            removed.append(done.item.id)
    _finish(
        tally,
        "removed",
        as_json,
        lambda tally: {"removed": removed, "failed": tally.failures("id"), "left": tally.left},
    )


@click.command()
@selection_options(username=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder, or for one artwork a file [the current folder].",
)
@click.option(
    "--which", type=click.Choice(get_args(Which)), default="display", show_default=True, help="Which file."
)
@click.option("--width", type=click.IntRange(min=1), help="The display version of at least this width.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist; else they are passed over.")
@parallel_option(4)
@dry_run_option
@gallery_options
def download(
    gallery: Gallery,
    as_json: bool,
    selection: Selection,
    output: Path,
    which: Which,
    width: int | None,
    overwrite: bool,
    parallel: int,
    dry_run: bool,
) -> None:
    """Save display versions, thumbnails, icons or originals of artworks.

    Files are named after their artworks, and appear when they are complete. Originals are for their owner.

    Exit status: 0 all saved, 3 some were not, 1 no more could be saved, 130 interrupted.

    \b
    Examples:
      vfa download art_5f0c --width 1024
      vfa download --mine --which original --output backup
    """
    found = selection.find(gallery)
    targets = dict(_targets(found, output, which))
    todo = [each for each in found.artworks.values() if overwrite or not targets[each.id].exists()]
    there = len(found.artworks) - len(todo)
    found.artworks = {each.id: each for each in todo}
    if _ends_before(found, "saved", dry_run=dry_run, as_json=as_json, there=there):
        return
    if output.suffix == "" or len(targets) > 1:
        output.mkdir(parents=True, exist_ok=True)
    tally, saved = Tally(failed=found.failed), list[Download]()
    run: Run[Artwork, Download] = Run(
        lambda artwork: gallery.download(
            artwork, targets[artwork.id], which=which, width=width, on_progress=run.checkpoint
        ),
        parallel,
    )
    for done in carry_out(run, todo, _id, line=_saved_line, done=there, quiet=as_json):
        tally.add(done.item.id, done.error, left=done.left)
        if done.value:
            saved.append(done.value)

    def report(tally: Tally) -> dict[str, Any]:
        files = [
            {"file": str(file.path), "bytes": file.size, "type": file.content_type, "sha256": file.sha256}
            for file in saved
        ]
        return {"saved": files, "there": there, "failed": tally.failures("id"), "left": tally.left}

    _finish(tally, "saved", as_json, report, (there, "there already"))


def _saved_line(artwork: Artwork, file: Download) -> str:
    return f"{artwork.id}\t{printable(str(file.path))}\t{in_words(file.size)}"


def _targets(found: Found, output: Path, which: Which) -> Iterator[tuple[str, Path]]:
    """The path for each artwork; those with the same slug are told apart by their ids."""
    if len(found.artworks) == 1 and output.suffix and not output.is_dir():
        yield next(iter(found.artworks)), output
        return
    taken: set[str] = set()
    for artwork in found.artworks.values():
        name = file_name(artwork, which)
        if name in taken:
            name = file_name(artwork, which, f"-{artwork.id}")
        taken.add(name)
        yield artwork.id, output / name


@click.command()
@gallery_options
def me(gallery: Gallery, as_json: bool) -> None:
    """Show who the token belongs to, and how much room is left.

    \b
    Example:
      vfa me
    """
    user = gallery.me()
    if as_json:
        print_json(user.to_wire())
        return
    click.echo(f"{user.username} ({user.id})")
    click.echo(f"{user.artwork_count} of {user.artwork_limit} artworks, room for {user.artwork_remaining}")


def _id(artwork: Artwork) -> str:
    return artwork.id


def _titles(found: Found) -> str:
    """The artworks of a question: their titles, of many only the number."""
    if len(found.artworks) > NAMED:
        return f"{len(found.artworks)} artworks"
    return ", ".join(f'"{printable(each.title)}" ({each.id})' for each in found.artworks.values())


def _ends_before(found: Found, verb: str, *, dry_run: bool, as_json: bool, there: int = 0) -> bool:
    """Whether the command ends before it does anything: a dry run, which prints, or nothing to do."""
    if not (found.artworks or found.failed or there):
        raise Problem("no artworks match")
    if dry_run:
        rows = [(each.id, each.title) for each in found.artworks.values()]
        if as_json:
            wire = [{"id": artwork_id, "title": title} for artwork_id, title in rows]
            print_json(
                {f"wouldBe{verb.capitalize()}": wire, "failed": Tally(failed=found.failed).failures("id")}
            )
        else:
            print_table(("id", "title"), rows, nothing="no artworks")
            summary((len(rows), f"would be {verb}"), (len(found.failed), "not found"))
    return dry_run


def _finish(
    tally: Tally,
    verb: str,
    as_json: bool,
    report: Callable[[Tally], dict[str, Any]],
    *more: tuple[int, str],
) -> None:
    """Print what was done and end with the status that says so."""
    if as_json:
        print_json(report(tally))
    else:
        tally.print_failures("id")
        summary((tally.done, verb), *more, (len(tally.failed), "failed"), (len(tally.left), "left"))
    raise SystemExit(tally.status)
