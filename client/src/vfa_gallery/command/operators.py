"""`vfa reprocess` and `vfa sweep`: rendering again, and removing what belongs to no artwork."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from pathlib import Path

import click

from vfa_gallery.command.many import Tally, carry_out, summary
from vfa_gallery.command.options import dry_run_option, gallery_options, parallel_option, yes_option
from vfa_gallery.command.output import print_json, print_table
from vfa_gallery.command.problem import Problem
from vfa_gallery.command.selection import Selection, selection_options
from vfa_gallery.errors import Forbidden, NotFound
from vfa_gallery.gallery import Gallery
from vfa_gallery.journal import explained
from vfa_gallery.many import Run
from vfa_gallery.models import Artwork, SweepReport


@click.command()
@selection_options()
@click.option("--all", "everything", is_flag=True, help="The whole gallery; needs an operator's token.")
@click.option("--restart", is_flag=True, help="Begin anew instead of continuing an interrupted run.")
@parallel_option(2)
@dry_run_option
@gallery_options
def reprocess(
    gallery: Gallery,
    as_json: bool,
    selection: Selection,
    everything: bool,
    restart: bool,
    parallel: int,
    dry_run: bool,
) -> None:
    """Render artworks again, as after a change of style.

    With --all, --mine or --tag the same command continues an interrupted run; a run that ended is forgotten,
    even if some failed. Artworks that were removed meanwhile are counted as gone, not as failed.

    Exit status: 0 all done, 3 some failed, 1 no more could be done, 130 interrupted.

    \b
    Examples:
      vfa reprocess art_5f0c
      vfa reprocess --all
    """
    if everything == bool(selection):
        raise click.UsageError("give artworks, --mine or --tag, or --all")
    tally = Tally()
    artworks: Iterable[Artwork]
    if everything:
        _need_operator(gallery)
        artworks, whose = gallery.artworks(page_size=100), "everyone"
    else:
        found = selection.find(gallery)
        artworks, tally.failed = found.artworks.values(), found.failed
        whose = f"{gallery.me().id} {selection.tag or ''}".rstrip() if selection.is_filter else ""
    memory = Memory(_memory_path(gallery, whose) if whose else None)
    if restart:
        memory.forget()
    ids = list(dict.fromkeys(artwork.id for artwork in artworks))
    todo = [each for each in ids if each not in memory.before]
    if dry_run:
        if as_json:
            print_json({"wouldBeRendered": todo, "failed": tally.failures("id")})
        else:
            print_table(("id",), [(each,) for each in todo], nothing="no artworks")
        return

    def render(artwork_id: str) -> None:
        gallery.reprocess(artwork_id, on_progress=run.checkpoint)
        memory.add(artwork_id)

    gone = 0
    run: Run[str, None] = Run(render, parallel)
    for done in carry_out(run, todo, str, done=len(ids) - len(todo), quiet=as_json):
        if isinstance(done.error, NotFound) and whose:
            gone += 1
        else:
            tally.add(done.item, done.error, left=done.left)
    if not tally.left:
        memory.forget()
    _report(tally, len(ids) - len(todo), gone, as_json)
    raise SystemExit(tally.status)


def _need_operator(gallery: Gallery) -> None:
    """Ask for what only operators may read, before a long list is read."""
    try:
        next(gallery.users(page_size=1), None)
    except Forbidden as error:
        raise Problem("--all needs an operator's token; --mine renders your own artworks again") from error


def _report(tally: Tally, before: int, gone: int, as_json: bool) -> None:
    if as_json:
        counts = {"rendered": tally.done, "renderedBefore": before, "gone": gone, "left": len(tally.left)}
        print_json({**counts, "failed": tally.failures("id")})
        return
    tally.print_failures("id")
    summary(
        (tally.done, "rendered again"),
        (before, "in the interrupted run before"),
        (gone, "gone"),
        (len(tally.failed), "failed"),
        (len(tally.left), "left; the same command continues"),
    )


class Memory:
    """The ids that a run over many artworks has rendered, on disk until the run ends; for several threads."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.before: set[str] = set()
        if path and path.exists():
            with explained(path):
                self.before = set(path.read_text().split())

    def add(self, artwork_id: str) -> None:
        """Record an id. Raises JournalProblem where that cannot be written."""
        if self._path:
            with self._lock, explained(self._path):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a") as file:
                    print(artwork_id, file=file)

    def forget(self) -> None:
        """Begin anew next time."""
        self.before = set()
        if self._path:
            with explained(self._path):
                self._path.unlink(missing_ok=True)


def _memory_path(gallery: Gallery, whose: str) -> Path:
    name = hashlib.sha256(f"{gallery.base_url} {whose}".encode()).hexdigest()[:16]
    return Path(click.get_app_dir("vfa")) / "reprocess" / f"{name}.txt"


@click.command()
@dry_run_option
@click.option("--audit", is_flag=True, help="Compare the whole bucket with all records, not uploads alone.")
@yes_option
@gallery_options
def sweep(gallery: Gallery, as_json: bool, dry_run: bool, audit: bool, yes: bool) -> None:
    """Remove what is left of uploads that are over; needs an operator's token.

    One run ends a limited number of uploads, the next one continues. An audit reads the whole bucket and all
    artworks, page by page: it removes objects without a record, and names artworks whose files are missing or
    whose original was replaced.

    Exit status: 0 done, 1 refused, or a part could not be read.

    \b
    Examples:
      vfa sweep --dry-run
      vfa sweep --yes
      vfa sweep --audit --dry-run
    """
    if not (dry_run or yes):
        click.confirm("Remove objects that belong to no artwork for good?", abort=True, err=True)
    report = reduce(_sum, gallery.audit(dry_run=dry_run)) if audit else gallery.sweep(dry_run=dry_run)
    if as_json:
        print_json(report.to_wire())
    else:
        _show(report)
    raise SystemExit(1 if report.failed else 0)


def _sum(one: SweepReport, other: SweepReport) -> SweepReport:
    return replace(
        other,
        objects_seen=one.objects_seen + other.objects_seen,
        artworks_seen=one.artworks_seen + other.artworks_seen,
        objects_removed=one.objects_removed + other.objects_removed,
        uploads_seen=(one.uploads_seen or 0) + (other.uploads_seen or 0),
        removed=one.removed + other.removed,
        missing=one.missing + other.missing,
        replaced=(one.replaced or ()) + (other.replaced or ()),
        renewed=(one.renewed or ()) + (other.renewed or ()),
        failed=one.failed + other.failed,
    )


def _show(report: SweepReport) -> None:
    verb = "would be removed" if report.dry_run else "removed"
    uploads = "" if report.uploads_seen is None else f"{report.uploads_seen} uploads, "
    click.echo(f"{uploads}{report.objects_seen} objects and {report.artworks_seen} artworks looked at")
    click.echo(f"{report.objects_removed} objects {verb}")
    for key in report.removed:
        click.echo(f"  {key}")
    for row in report.missing:
        click.echo(f"missing objects: {json.dumps(row, ensure_ascii=False)}")
    for artwork in report.replaced or ():
        click.echo(f"original replaced: {artwork}")
    for artwork in report.renewed or ():
        click.echo(f"rendered again: {artwork}")
    for part in report.failed:
        click.echo(f"not looked at: {part}", err=True)
