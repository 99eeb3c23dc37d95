"""`vfa reprocess` and `vfa sweep`: for owners and operators."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from vfa_gallery.batch import MOST_WORKERS
from vfa_gallery.command.options import console, gallery_options, print_json
from vfa_gallery.command.problem import INTERRUPTED, SOME_FAILED, error_to_wire
from vfa_gallery.errors import GalleryError, Unauthorized, Unreachable
from vfa_gallery.gallery import Gallery
from vfa_gallery.parallel import spread


@click.command()
@click.argument("artwork_ids", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="The whole gallery; needs an operator's token.")
@click.option("--mine", is_flag=True, help="All artworks of the token's person.")
@click.option("--restart", is_flag=True, help="Begin anew instead of going on after an interruption.")
@click.option(
    "--parallel", type=click.IntRange(1, MOST_WORKERS), default=2, show_default=True, help="At a time."
)
@gallery_options
def reprocess(
    gallery: Gallery,
    as_json: bool,
    artwork_ids: tuple[str, ...],
    everyone: bool,
    mine: bool,
    restart: bool,
    parallel: int,
) -> None:
    """Render artworks again, as after a change of style.

    With --all or --mine an interrupted run goes on where it was.

    Exit status: 0 all done, 3 some failed, 130 interrupted.

    \b
    Examples:
      vfa reprocess art_5f0c
      vfa reprocess --all
    """
    if sum((bool(artwork_ids), everyone, mine)) != 1:
        raise click.UsageError("give ids of artworks, --all or --mine")
    whose = gallery.me() if mine else None
    path = None if artwork_ids else _memory_path(gallery, whose.id if whose else "everyone")
    if path and restart:
        path.unlink(missing_ok=True)
    memory = Memory(path)
    ids = artwork_ids or _all_ids(gallery, whose.username if whose else None)
    failed: list[tuple[str, GalleryError]] = []
    again = 0
    try:
        with _progress() as advance:
            for artwork_id, error in _each(gallery, memory.unknown(ids), parallel):
                advance()
                if error:
                    failed.append((artwork_id, error))
                else:
                    again += 1
                    memory.add(artwork_id)
    except KeyboardInterrupt:
        click.echo(f"interrupted after {again}; the same command goes on", err=True)
        raise SystemExit(INTERRUPTED) from None
    if not failed:
        memory.forget()
    _report(again, len(memory.before), failed, as_json)
    raise SystemExit(SOME_FAILED if failed else 0)


class Memory:
    """Which artworks a run over many has rendered, on disk until it is through."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.before = set(path.read_text().split()) if path and path.exists() else set()

    def unknown(self, ids: Iterable[str]) -> Iterator[str]:
        return (artwork_id for artwork_id in ids if artwork_id not in self.before)

    def add(self, artwork_id: str) -> None:
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                print(artwork_id, file=file)

    def forget(self) -> None:
        """Begin anew next time."""
        if self._path:
            self._path.unlink(missing_ok=True)


def _each(gallery: Gallery, ids: Iterable[str], parallel: int) -> Iterator[tuple[str, GalleryError | None]]:
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True

    def one(artwork_id: str) -> tuple[str, GalleryError | None]:
        try:
            if not stopped:
                gallery.reprocess(artwork_id)
        except (Unauthorized, Unreachable):
            raise
        except GalleryError as error:
            return artwork_id, error
        return artwork_id, None

    return spread(one, ids, parallel, stop)


def _all_ids(gallery: Gallery, username: str | None) -> Iterator[str]:
    return (artwork.id for artwork in gallery.artworks(username=username, page_size=100))


def _memory_path(gallery: Gallery, whose: str) -> Path:
    name = hashlib.sha256(f"{gallery.base_url} {whose}".encode()).hexdigest()[:16]
    return Path(click.get_app_dir("vfa")) / "reprocess" / f"{name}.txt"


@contextmanager
def _progress() -> Iterator[Callable[[], None]]:
    screen = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("rendering again", total=None)
        yield lambda: progress.advance(task)


def _report(again: int, known: int, failed: list[tuple[str, GalleryError]], as_json: bool) -> None:
    if as_json:
        troubled = [{"id": artwork_id, **error_to_wire(error)} for artwork_id, error in failed]
        print_json({"rendered": again, "renderedBefore": known, "failed": troubled})
        return
    if failed:
        table = Table("id", "code", "reason", title="Not rendered again")
        for artwork_id, error in failed:
            table.add_row(artwork_id, error.code, error.message)
        console().print(table)
    before = f", {known} in the interrupted run before" if known else ""
    click.echo(f"{again} rendered again{before}, {len(failed)} failed")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@gallery_options
def sweep(gallery: Gallery, as_json: bool, dry_run: bool) -> None:
    """Remove objects that belong to no artwork; needs an operator's token.

    One run looks at a bounded part of the gallery, the next one goes on from there.

    \b
    Example:
      vfa sweep --dry-run
    """
    report = gallery.sweep(dry_run=dry_run)
    if as_json:
        print_json(report.to_wire())
        return
    verb = "would be removed" if report.dry_run else "removed"
    click.echo(f"{report.objects_seen} objects and {report.artworks_seen} artworks looked at")
    click.echo(f"{report.objects_removed} objects {verb}")
    for key in report.removed:
        click.echo(f"  {key}")
    for row in report.missing:
        click.echo(f"missing objects: {json.dumps(row, ensure_ascii=False)}")
    for part in report.failed:
        click.echo(f"not looked at: {part}", err=True)
    raise SystemExit(1 if report.failed else 0)
