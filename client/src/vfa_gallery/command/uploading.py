"""`vfa upload`: many files at once, with progress, resumable."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from vfa_gallery.batch import LASTING, MOST_WORKERS, Batch, Fate, Job, Outcome, fatal
from vfa_gallery.command.bars import Bars
from vfa_gallery.command.files import files_of
from vfa_gallery.command.interrupts import interruptible
from vfa_gallery.command.options import console, description_options, gallery_options, given
from vfa_gallery.command.problem import INTERRUPTED, SOME_FAILED, Problem, error_to_wire
from vfa_gallery.errors import GalleryError
from vfa_gallery.gallery import Gallery
from vfa_gallery.journal import Journal
from vfa_gallery.models import Details
from vfa_gallery.originals import printable

LONGEST_TITLE = 200


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--title", help="Title of all of them.")
@click.option("--title-from-name", is_flag=True, help="Titles from the files' names.")
@description_options
@click.option("--recursive", is_flag=True, help="Folders with the folders in them.")
@click.option(
    "--parallel",
    type=click.IntRange(1, MOST_WORKERS),
    default=4,
    show_default=True,
    help="How many at a time.",
)
@click.option("--journal", type=click.Path(path_type=Path), help="Where to remember what arrived.")
@click.option(
    "--again",
    is_flag=True,
    help="Upload also what arrived before, once more; interrupted, the same command goes on with the rest.",
)
@click.option("--retry-failed", is_flag=True, help="Try again what was refused before.")
@gallery_options
def upload(
    gallery: Gallery,
    as_json: bool,
    files: tuple[Path, ...],
    title: str | None,
    title_from_name: bool,
    recursive: bool,
    parallel: int,
    journal: Path | None,
    again: bool,
    retry_failed: bool,
    **description: Any,
) -> None:
    """Upload pictures, or folders of them.

    What arrived is remembered: after Ctrl-C, or when some failed, the same command goes on where it was and
    sends nothing twice. A file that is named twice is one file. What was refused as a picture is remembered,
    too, and sent again only with --retry-failed.

    Exit status: 0 all are there, 3 some were refused, 1 no more could go (no connection, no quota) or there
    was nothing to upload, 130 interrupted.

    \b
    Examples:
      vfa upload dusk.jpg --title "Dusk over the lake" --category painting
      vfa upload ~/pictures --title-from-name --tag 2026 --parallel 8
    """
    if (title is None) == (not title_from_name):
        raise click.UsageError("give either --title or --title-from-name")
    paths = files_of(files, recursive=recursive)
    if not paths:
        raise Problem("there is nothing to upload in " + ", ".join(printable(str(each)) for each in files))
    report = Report(as_json)
    with (
        Journal(journal or _usual_journal(gallery)) as opened,
        Bars(console(stderr=True), len(paths)) as bars,
    ):
        if again:
            opened.again(paths)
        batch = Batch(gallery, opened, workers=parallel, on_progress=bars.show, retry_refused=retry_failed)
        outcomes = batch.run(_jobs(paths, title, given(description)))
        with interruptible(batch.stop, bars.say):
            for outcome in outcomes:
                bars.finish(outcome.path)
                report.add(outcome)
    report.show()
    raise SystemExit(report.status)


def title_of(path: Path) -> str:
    """A title from a file's name.

    >>> title_of(Path("dusk_over-the_lake.final.jpg"))
    'dusk over the lake.final'
    """
    words = re.sub(r"[\s_-]+", " ", path.stem).strip() or path.name
    return printable(words)[:LONGEST_TITLE]


def _jobs(paths: Iterable[Path], title: str | None, description: dict[str, Any]) -> Iterator[Job]:
    for path in paths:
        details: Details = {"title": title if title is not None else title_of(path), **description}  # type: ignore[typeddict-item]
        yield path, details


def _usual_journal(gallery: Gallery) -> Path:
    """One journal for each person in each gallery."""
    whose = hashlib.sha256(f"{gallery.base_url} {gallery.me().id}".encode()).hexdigest()[:16]
    return Path(click.get_app_dir("vfa")) / "uploads" / f"{whose}.jsonl"


class Report:
    """What is said at the end; artworks go out as JSON when they arrive, so that memory stays flat."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._counts: Counter[Fate] = Counter()
        self._fatal = False
        self._failed: list[tuple[str, GalleryError]] = []

    def add(self, outcome: Outcome) -> None:
        self._counts[outcome.fate] += 1
        self._fatal = self._fatal or (outcome.error is not None and fatal(outcome.error))
        name = printable(str(outcome.path))
        if outcome.fate == Fate.FAILED and outcome.error:
            self._failed.append((name, outcome.error))
        if self._as_json and outcome.artwork:
            opening = '{"arrived": [' if self._counts[Fate.ARRIVED] == 1 else ","
            arrived = {"file": name, "artwork": outcome.artwork.to_wire()}
            click.echo(opening + json.dumps(arrived, ensure_ascii=False))

    @property
    def status(self) -> int:
        if self._fatal:
            return 1
        if self._counts[Fate.LEFT]:
            return INTERRUPTED
        return SOME_FAILED if self._counts[Fate.FAILED] else 0

    def show(self) -> None:
        if self._as_json:
            self._end_json()
            return
        screen = console()
        if self._failed:
            table = Table("file", "code", "reason", title="Not uploaded")
            for name, error in self._failed:
                table.add_row(name, error.code, str(error))
            screen.print(table)
        summary = Table("arrived", "there before", "failed", "left for the next run")
        summary.add_row(*(str(self._counts[fate]) for fate in Fate))
        screen.print(summary)
        if any(isinstance(error, LASTING) for _, error in self._failed):
            click.echo("pictures that were refused are not sent again; --retry-failed tries them again")

    def _end_json(self) -> None:
        rest = {
            "failed": [{"file": name, **error_to_wire(error)} for name, error in self._failed],
            "counts": {fate.value: self._counts[fate] for fate in Fate},
        }
        opening = "]," if self._counts[Fate.ARRIVED] else '{"arrived": [],'
        click.echo(opening + json.dumps(rest, ensure_ascii=False, indent=2).removeprefix("{"))
