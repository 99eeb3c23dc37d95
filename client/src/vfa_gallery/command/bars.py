"""Progress in the terminal: a bar in total and one for each file on its way."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from vfa_gallery import models
from vfa_gallery.models import Stage
from vfa_gallery.originals import printable

WORDS = {
    Stage.SENDING: "sending",
    Stage.RENDERING: "rendering",
    Stage.WAITING: "waiting for the gallery",
    Stage.DONE: "done",
}


class Bars:
    """Told of progress from several threads; silent where there is no terminal."""

    def __init__(self, console: Console, files: int) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._files = files
        self._total = self._progress.add_task("all files", total=files, state=f"0 of {files}")
        self._tasks: dict[Path, TaskID] = {}
        self._done = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, words: str) -> None:
        self._console.print(words)

    def show(self, path: Path, progress: models.Progress) -> None:
        with self._lock:
            if path not in self._tasks:
                self._tasks[path] = self._progress.add_task(printable(path.name), total=None, state="")
        state = WORDS[progress.stage]
        if progress.stage == Stage.WAITING:
            self._progress.update(self._tasks[path], state=state)
        else:
            self._progress.update(
                self._tasks[path], completed=progress.sent, total=progress.total, state=state
            )

    def finish(self, path: Path) -> None:
        with self._lock:
            task = self._tasks.pop(path, None)
            self._done += 1
        if task is not None:
            self._progress.remove_task(task)
        self._progress.update(self._total, completed=self._done, state=f"{self._done} of {self._files}")
