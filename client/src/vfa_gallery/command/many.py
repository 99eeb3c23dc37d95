"""Commands over many items: progress, Ctrl-C, and what is reported at the end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar, cast

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from vfa_gallery import models
from vfa_gallery.command.output import console, print_table
from vfa_gallery.command.problem import INTERRUPTED, SOME_FAILED, error_to_wire
from vfa_gallery.errors import GalleryError
from vfa_gallery.many import Done, Run, fatal
from vfa_gallery.models import Stage

LINE_SECONDS = 1.0
SHOW_CURSOR = b"\x1b[?25h\r\x1b[J"
WORDS = {
    Stage.SENDING: "sending",
    Stage.RENDERING: "rendering",
    Stage.WAITING: "waiting for the gallery",
    Stage.RECEIVING: "receiving",
    Stage.DONE: "done",
}

T = TypeVar("T")
R = TypeVar("R")


class Display:
    """Progress on standard error: bars on a terminal, else a line a second; nothing if `quiet`.

    It is called from several threads. The total counts what is done, not what an interruption left.
    """

    def __init__(self, screen: Console, total: int, *, done: int = 0, quiet: bool = False) -> None:
        self._screen = screen
        self._lines = not (quiet or screen.is_terminal)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=screen,
            transient=True,
            disable=quiet or not screen.is_terminal,
        )
        self._total, self._done = total, done
        self._bar = self._progress.add_task("all", total=total, completed=done, state=self._state())
        self._bars: dict[str, TaskID] = {}
        self._last_line = time.monotonic()
        self._lock = threading.Lock()

    def start(self) -> None:
        self._progress.start()

    def stop(self) -> None:
        self._progress.stop()

    def say(self, words: str) -> None:
        """Print a line above the bars."""
        self._screen.print(words)

    def result(self, line: str) -> None:
        """Print a line on standard output, above the bars where both are on one terminal."""
        if console().is_terminal:
            self._screen.print(line.replace("\t", "  "), soft_wrap=True)
        else:
            click.echo(line)

    def show(self, name: str, progress: models.Progress) -> None:
        """Show how far one item is."""
        with self._lock:
            if name not in self._bars:
                self._bars[name] = self._progress.add_task(name, total=None, state="")
        state = WORDS[progress.stage]
        if progress.stage == Stage.WAITING:
            self._progress.update(self._bars[name], state=state)
        else:
            total = progress.total or None
            self._progress.update(self._bars[name], completed=progress.sent, total=total, state=state)

    def finish(self, name: str, *, left: bool) -> None:
        """Count one item as done, unless it is left."""
        with self._lock:
            bar = self._bars.pop(name, None)
            self._done += not left
            now = time.monotonic()
            due = now - self._last_line >= LINE_SECONDS or self._done == self._total
            if self._lines and due and not left:
                self._last_line = now
                click.echo(f"{self._state()}: {name}", err=True)
        if bar is not None:
            self._progress.remove_task(bar)
        self._progress.update(self._bar, completed=self._done, state=self._state())

    def _state(self) -> str:
        return f"{self._done} of {self._total}"


@contextmanager
def displayed(
    stop: Callable[[], None], total: int, *, done: int = 0, quiet: bool = False
) -> Iterator[Display]:
    """Show progress. The first Ctrl-C calls `stop`, so that what has begun is finished; a second exits."""
    screen = console(stderr=True)
    display = Display(screen, total, done=done, quiet=quiet)

    def first(*_: object) -> None:
        # Before the sentence is printed: a fast reader may press Ctrl-C at once.
        signal.signal(signal.SIGINT, second)
        stop()
        display.say("stopping; press Ctrl-C again to stop at once")

    def second(*_: object) -> None:
        if screen.is_terminal:
            os.write(sys.stderr.fileno(), SHOW_CURSOR)
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, first)
    display.start()
    try:
        yield display
    finally:
        display.stop()
        signal.signal(signal.SIGINT, before)


@dataclass(slots=True)
class Tally:
    """How many items are done, and the names of those that failed, with their errors, or were left."""

    done: int = 0
    failed: dict[str, GalleryError] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def add(self, name: str, error: GalleryError | None, *, left: bool) -> None:
        if left:
            self.left.append(name)
        elif error:
            self.failed[name] = error
        else:
            self.done += 1

    @property
    def status(self) -> int:
        """Exit status: 1 if an error ended the run, 130 if it was interrupted, 3 if some failed, else 0."""
        if any(map(fatal, self.failed.values())):
            return 1
        if self.left:
            return INTERRUPTED
        return SOME_FAILED if self.failed else 0

    def failures(self, key: str) -> list[dict[str, object]]:
        """The failures as JSON; `key` is what the names are called."""
        return [{key: name, **error_to_wire(error)} for name, error in self.failed.items()]

    def print_failures(self, key: str) -> None:
        """A table of the failures on a terminal; lines of "failed", name, code and reason in a pipe."""
        rows = [("failed", name, error.code, str(error)) for name, error in self.failed.items()]
        if rows:
            print_table(("", key, "code", "reason"), rows, nothing="")


def carry_out(
    run: Run[T, R],
    items: Sequence[T],
    name: Callable[[T], str],
    *,
    line: Callable[[T, R], str] | None = None,
    done: int = 0,
    quiet: bool = False,
) -> Iterator[Done[T, R]]:
    """The results of a run over all items, with progress and Ctrl-C; `line` is printed for each success."""
    with displayed(run.stop, len(items) + done, done=done, quiet=quiet) as display:
        for result in run.over(items):
            display.finish(name(result.item), left=result.left)
            if line and not quiet and not result.error:
                display.result(line(result.item, cast(R, result.value)))
            yield result


def summary(*parts: tuple[int, str]) -> None:
    """Print counts on standard error; zeros are left out, except the first and the failures."""
    shown = [f"{n} {words}" for i, (n, words) in enumerate(parts) if n or not i or words == "failed"]
    click.echo(", ".join(shown), err=True)
