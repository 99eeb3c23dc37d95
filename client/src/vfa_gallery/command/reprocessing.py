"""`vfa reprocess`: many artworks rendered again, for owners and operators."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from vfa_gallery import models
from vfa_gallery.batch import MOST_WORKERS, fatal
from vfa_gallery.command.interrupts import interruptible
from vfa_gallery.command.options import console, gallery_options, print_json
from vfa_gallery.command.problem import INTERRUPTED, SOME_FAILED, error_to_wire
from vfa_gallery.errors import GalleryError, NotFound, Stopped
from vfa_gallery.gallery import Gallery
from vfa_gallery.journal import explained
from vfa_gallery.parallel import spread

LINE_EVERY = 25


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

    With --all or --mine an interrupted run goes on where it was; one that came to its end is forgotten, also
    when some failed. Artworks that were removed meanwhile are gone, not failed.

    Exit status: 0 all done, 3 some failed, 1 no more could be done, 130 interrupted.

    \b
    Examples:
      vfa reprocess art_5f0c
      vfa reprocess --all
    """
    if sum((bool(artwork_ids), everyone, mine)) != 1:
        raise click.UsageError("give ids of artworks, --all or --mine")
    whose = gallery.me() if mine else None
    memory = Memory(None if artwork_ids else _memory_path(gallery, whose.id if whose else "everyone"))
    if restart:
        memory.forget()
    ids = list(dict.fromkeys(artwork_ids or _all_ids(gallery, whose.username if whose else None)))
    todo = [each for each in ids if each not in memory.before]
    run = Run(gallery, memory, named=bool(artwork_ids), before=len(ids) - len(todo))
    with _progress(len(todo), as_json) as advance, interruptible(run.stop, _say):
        for rendered in spread(run.render, todo, parallel, run.stop):
            if rendered:
                advance()
    run.report(as_json)
    if not run.left:
        memory.forget()
    raise SystemExit(run.status)


class Memory:
    """Which artworks a run over many has rendered, on disk until it is through."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.before: set[str] = set()
        if path and path.exists():
            with explained(path):
                self.before = set(path.read_text().split())

    def add(self, artwork_id: str) -> None:
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


@dataclass(slots=True)
class Run:
    """What becomes of each artwork; `named` says that whoever began the run knew them by their ids."""

    gallery: Gallery
    memory: Memory
    named: bool
    before: int
    again: int = 0
    gone: int = 0
    left: int = 0
    failed: list[tuple[str, GalleryError]] = field(default_factory=list)
    _cause: GalleryError | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """End soon: what is being rendered is waited for, the rest is left."""
        self._cause = self._cause or Stopped("stopped")

    def render(self, artwork_id: str) -> bool:
        """False when the artwork is left for another run."""
        error = self._error_of(artwork_id)
        with self._lock:
            self._count(artwork_id, error)
        return not isinstance(error, Stopped)

    def _error_of(self, artwork_id: str) -> GalleryError | None:
        try:
            self._go_on()
            self.gallery.reprocess(artwork_id, on_progress=self._go_on)
            self.memory.add(artwork_id)
        except GalleryError as error:
            return error
        return None

    def _go_on(self, _: models.Progress | None = None) -> None:
        if self._cause:
            raise Stopped("stopped")

    def _count(self, artwork_id: str, error: GalleryError | None) -> None:
        if error is None:
            self.again += 1
        elif isinstance(error, Stopped):
            self.left += 1
        elif isinstance(error, NotFound) and not self.named:
            self.gone += 1
        else:
            self.failed.append((artwork_id, error))
            if fatal(error):
                self._cause = self._cause or error

    @property
    def status(self) -> int:
        if self._cause and not isinstance(self._cause, Stopped):
            return 1
        if self.left:
            return INTERRUPTED
        return SOME_FAILED if self.failed else 0

    def report(self, as_json: bool) -> None:
        if as_json:
            failed = [{"id": artwork_id, **error_to_wire(error)} for artwork_id, error in self.failed]
            counts = {"rendered": self.again, "renderedBefore": self.before, "gone": self.gone}
            print_json({**counts, "left": self.left, "failed": failed})
            return
        if self.failed:
            table = Table("id", "code", "reason", title="Not rendered again")
            for artwork_id, error in self.failed:
                table.add_row(artwork_id, error.code, str(error))
            console().print(table)
        click.echo(", ".join(self._words()))
        if self.left:
            _say("the same command goes on")

    def _words(self) -> Iterator[str]:
        yield f"{self.again} rendered again"
        if self.before:
            yield f"{self.before} in the interrupted run before"
        if self.gone:
            yield f"{self.gone} gone"
        yield f"{len(self.failed)} failed"
        if self.left:
            yield f"{self.left} left"


def _all_ids(gallery: Gallery, username: str | None) -> Iterator[str]:
    return (artwork.id for artwork in gallery.artworks(username=username, page_size=100))


def _memory_path(gallery: Gallery, whose: str) -> Path:
    name = hashlib.sha256(f"{gallery.base_url} {whose}".encode()).hexdigest()[:16]
    return Path(click.get_app_dir("vfa")) / "reprocess" / f"{name}.txt"


def _say(words: str) -> None:
    click.echo(words, err=True)


@contextmanager
def _progress(total: int, as_json: bool) -> Iterator[Callable[[], None]]:
    """A bar in a terminal, a line now and then elsewhere, nothing that a program would trip over."""
    screen = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        progress.advance(task)
        if done % LINE_EVERY == 0 and not (as_json or screen.is_terminal):
            _say(f"{done} of {total}")

    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("rendering again", total=total)
        yield advance
