"""`vfa upload`: many files at once, with progress; an interrupted upload is continued by the same command."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, cast

import click

from vfa_gallery.batch import LASTING, Batch, Fate, Job, Outcome
from vfa_gallery.command.many import Tally, displayed, summary
from vfa_gallery.command.options import (
    description_options,
    dry_run_option,
    gallery_options,
    given,
    parallel_option,
)
from vfa_gallery.command.output import print_json
from vfa_gallery.command.problem import Problem
from vfa_gallery.errors import FileProblem
from vfa_gallery.gallery import Gallery
from vfa_gallery.journal import Journal
from vfa_gallery.limits import TEXTS, check_details
from vfa_gallery.models import Details
from vfa_gallery.originals import looks_like_picture, printable


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--title", help="Title of all of them [each file's name].")
@click.option("--title-from-name", is_flag=True, help="Titles from the files' names, as without --title.")
@description_options
@click.option("--recursive", "-r", is_flag=True, help="Also folders in folders, unless they are hidden.")
@click.option("--include", multiple=True, metavar="PATTERN", help="Only these files, as in '*.tif'.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Not these files, as in 'draft*'.")
@parallel_option(4)
@click.option("--journal", type=click.Path(path_type=Path), help="Where to record what arrived.")
@click.option(
    "--again", is_flag=True, help="Upload once more what arrived before; interrupted, it is continued."
)
@click.option("--retry-failed", is_flag=True, help="Try again what was refused before.")
@dry_run_option
@gallery_options
def upload(
    gallery: Gallery,
    as_json: bool,
    files: tuple[Path, ...],
    title: str | None,
    title_from_name: bool,
    recursive: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    parallel: int,
    journal: Path | None,
    again: bool,
    retry_failed: bool,
    dry_run: bool,
    **description: Any,
) -> None:
    """Upload pictures, or folders of them.

    What arrived is recorded by its content: the same command after Ctrl-C or a failure continues, and sends
    nothing twice. In folders, hidden files and files that are no pictures are passed over. A picture that was
    refused is sent again only with --retry-failed.

    Exit status: 0 all are there, 3 some failed, 1 no more could be sent (no connection, no quota) or there
    was nothing to upload, 130 interrupted.

    \b
    Examples:
      vfa upload dusk.jpg
      vfa upload ~/pictures --tag 2026 --exclude 'draft*' --parallel 8
    """
    if title is not None and title_from_name:
        raise click.UsageError("give either --title or --title-from-name")
    fields = given(description)
    check_details({"title": "from the name" if title is None else title, **fields})
    found = find_files(files, recursive=recursive, include=include, exclude=exclude)
    if not found.paths:
        raise Problem(found.nothing(files, recursive=recursive))
    where = journal or _usual_journal(gallery)
    jobs = [(path, _details(path, title, fields)) for path in found.paths]
    if dry_run:
        with Journal(where if where.exists() else None) as opened:
            _print_plan(opened, jobs, found, as_json)
        return
    report = Report(as_json, found)
    with Journal(where) as opened:
        if again:
            opened.again(found.paths)
        batch = Batch(gallery, opened, workers=parallel, retry_refused=retry_failed)
        with displayed(batch.stop, len(jobs), quiet=as_json) as display:
            batch.on_progress = lambda path, progress: display.show(printable(path.name), progress)
            for outcome in batch.run(jobs):
                display.finish(printable(outcome.path.name), left=outcome.fate == Fate.LEFT)
                report.add(outcome)
                if outcome.artwork and not as_json:
                    display.result(f"arrived\t{outcome.artwork.id}\t{printable(str(outcome.path))}")
    report.show()
    raise SystemExit(report.tally.status)


def title_of(path: Path) -> str:
    """A title from a file's name.

    >>> title_of(Path("dusk_over-the_lake.final.jpg"))
    'dusk over the lake.final'
    """
    words = re.sub(r"[\s_-]+", " ", path.stem).strip() or path.name
    return printable(words)[: TEXTS["title"]]


def _details(path: Path, title: str | None, fields: dict[str, Any]) -> Details:
    return cast(Details, {"title": title if title is not None else title_of(path), **fields})


@dataclass(slots=True)
class Files:
    """Files to upload, and what was passed over in folders: the number of other files by their suffix."""

    paths: list[Path] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    folders: list[Path] = field(default_factory=list)

    def others(self) -> str:
        """The files that are no pictures, in words.

        >>> Files(passed_over=Counter({"txt": 2, "": 1})).others()
        'no pictures (2 txt, 1 without suffix)'
        """
        kinds = (f"{n} {suffix or 'without suffix'}" for suffix, n in self.passed_over.most_common())
        return f"no pictures ({', '.join(kinds)})"

    def nothing(self, given: Iterable[Path], *, recursive: bool) -> str:
        """Why there is nothing to upload."""
        sentence = "there is nothing to upload in " + ", ".join(printable(str(each)) for each in given)
        if self.passed_over:
            return f"{sentence}: {self.passed_over.total()} files are {self.others()}"
        if self.folders and not recursive:
            return f"{sentence}: only folders; --recursive uploads what is in them"
        return sentence


def find_files(
    given: Iterable[Path], *, recursive: bool, include: Sequence[str], exclude: Sequence[str]
) -> Files:
    """Each file once, under the first of its names.

    Files that are named are taken as they are; in folders, hidden ones and those that are no pictures are
    not. Patterns are those of a shell; they are compared with the name and with the path below the folder.

    Raises:
        OSError: a folder or file cannot be read.
    """
    found = Files()
    paths: dict[str, Path] = {}
    for path in given:
        below = _walk(path, recursive, found) if path.is_dir() else [path]
        for each in below:
            inside = each.relative_to(path).as_posix() if each != path else each.name
            if _is_wanted(inside, include, exclude) and (each == path or _is_picture(each, found)):
                paths.setdefault(os.path.realpath(each), each)
    found.paths = list(paths.values())
    return found


def _walk(folder: Path, recursive: bool, found: Files) -> Iterator[Path]:
    inside = sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    yield from (each for each in inside if each.is_file())
    for each in inside:
        if each.is_dir() and not each.is_symlink():
            found.folders.append(each)
            if recursive:
                yield from _walk(each, recursive, found)


def _is_wanted(name: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    def matches(patterns: Sequence[str]) -> bool:
        return any(fnmatch(name, each) or fnmatch(name.rpartition("/")[2], each) for each in patterns)

    return (not include or matches(include)) and not matches(exclude)


def _is_picture(path: Path, found: Files) -> bool:
    try:
        if looks_like_picture(path):
            return True
    except OSError:
        return True  # it fails with its reason when it is uploaded
    found.passed_over[path.suffix.lower().removeprefix(".")] += 1
    return False


def _usual_journal(gallery: Gallery) -> Path:
    """One journal for each user of each gallery."""
    name = hashlib.sha256(f"{gallery.base_url} {gallery.me().id}".encode()).hexdigest()[:16]
    return Path(click.get_app_dir("vfa")) / "uploads" / f"{name}.jsonl"


def _print_plan(journal: Journal, jobs: Sequence[Job], found: Files, as_json: bool) -> None:
    """What an upload would do with each file."""
    plan: list[tuple[str, str, str]] = []
    for path, details in jobs:
        try:
            known = journal.entry(journal.identify(path)).artwork_id
            verdict = f"known as {known}" if known else "new"
        except FileProblem as error:
            verdict = str(error)
        plan.append((printable(str(path)), details["title"], verdict))
    if as_json:
        files = [dict(zip(("file", "title", "state"), each, strict=True)) for each in plan]
        print_json({"files": files, "passedOver": dict(found.passed_over)})
        return
    for each in plan:
        click.echo("\t".join(each))
    new = sum(verdict == "new" for _, _, verdict in plan)
    summary((new, "would be uploaded"), (len(plan) - new, "not"), (found.passed_over.total(), found.others()))


class Report:
    """What came of the files. Artworks are printed as they arrive, so that memory does not grow."""

    def __init__(self, as_json: bool, found: Files) -> None:
        self.tally = Tally()
        self._as_json = as_json
        self._found = found
        self._counts: Counter[Fate] = Counter()

    def add(self, outcome: Outcome) -> None:
        self._counts[outcome.fate] += 1
        name = printable(str(outcome.path))
        self.tally.add(name, outcome.error, left=outcome.fate == Fate.LEFT)
        if self._as_json and outcome.artwork:
            opening = '{"arrived": [' if self._counts[Fate.ARRIVED] == 1 else ","
            arrived = {"file": name, "artwork": outcome.artwork.to_wire()}
            click.echo(opening + json.dumps(arrived, ensure_ascii=False))

    def show(self) -> None:
        if self._as_json:
            self._end_json()
            return
        self.tally.print_failures("file")
        counts, over = self._counts, self._found.passed_over.total()
        summary(
            (counts[Fate.ARRIVED], "arrived"),
            (counts[Fate.KNOWN], "there before"),
            (counts[Fate.FAILED], "failed"),
            (over, f"passed over: {self._found.others()}"),
            (counts[Fate.LEFT], "left; the same command continues"),
        )
        if any(isinstance(error, LASTING) for error in self.tally.failed.values()):
            click.echo("pictures that were refused are sent again only with --retry-failed", err=True)

    def _end_json(self) -> None:
        rest = {
            "failed": self.tally.failures("file"),
            "counts": {fate.value: self._counts[fate] for fate in Fate},
            "passedOver": dict(self._found.passed_over),
        }
        opening = "]," if self._counts[Fate.ARRIVED] else '{"arrived": [],'
        click.echo(opening + json.dumps(rest, ensure_ascii=False, indent=2).removeprefix("{"))
