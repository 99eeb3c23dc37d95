"""What became of the files of a batch, on disk, so that an interrupted batch goes on where it was."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Self

from vfa_gallery.errors import GalleryError, JournalProblem, error_of
from vfa_gallery.originals import printable

FileId = tuple[str, int, int]


def file_id(path: Path) -> FileId:
    """A file as it is now: a changed file is another one."""
    about = path.stat()
    return (str(path.resolve()), about.st_size, about.st_mtime_ns)


@dataclass(slots=True)
class Entry:
    """The latest of one file: the key it was sent to, the artwork it became, or why it did not.

    `again` is true from when it is to be uploaded once more until it was.
    """

    key: str | None = None
    artwork_id: str | None = None
    refusal: GalleryError | None = None
    again: bool = False


@dataclass(slots=True)
class Journal:
    """One line of JSON for each event; with `path` None it lasts as long as the process.

    Lines are handed to the system one by one: a process that is killed loses none. A last line cut short by a
    power failure is passed over, and what it would have said is found out again. What the disk refuses is
    raised as JournalProblem.
    """

    path: Path | None = None
    _entries: dict[FileId, Entry] = field(default_factory=dict)
    _file: TextIOWrapper | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        if self.path:
            with explained(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("a+", encoding="utf-8")
            try:
                _lock_file(self._file, self.path)
                with explained(self.path):
                    self._load(self._file)
            except JournalProblem:
                self.__exit__()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            # A line that the disk refuses now was refused before, and that was said.
            with suppress(OSError):
                self._file.close()

    def entry(self, file: FileId) -> Entry:
        """What is known of a file; an empty entry when nothing is."""
        return self._entries.get(file, Entry())

    def granted(self, file: FileId, key: str) -> None:
        self._add({"file": file, "key": key})

    def arrived(self, file: FileId, artwork_id: str) -> None:
        self._add({"file": file, "artwork": artwork_id})

    def refused(self, file: FileId, error: GalleryError) -> None:
        refusal = {"error": error.message, "code": error.code, "requestId": error.request_id}
        self._add({"file": file, "status": error.status, "refusal": refusal})

    def again(self, paths: Iterable[Path]) -> None:
        """Have files uploaded once more, whatever became of them.

        While some of them wait for that from an earlier call, it is the earlier call that goes on.
        """
        files = list(_file_ids(paths))
        if files and not any(self.entry(file).again for file in files):
            self._add({"again": files})

    def _add(self, event: dict[str, Any]) -> None:
        with self._lock:
            self._apply(event)
            if self._file and self.path:
                with explained(self.path):
                    print(json.dumps(event), file=self._file, flush=True)

    def _load(self, file: TextIOWrapper) -> None:
        file.seek(0)
        text = ""
        for text in file:
            with suppress(ValueError, LookupError, TypeError, AttributeError):
                self._apply(json.loads(text))
        if text and not text.endswith("\n"):
            print(file=file, flush=True)

    def _apply(self, event: dict[str, Any]) -> None:
        for path, size, changed in event.get("again", ()):
            self._entries[path, size, changed] = Entry(again=True)
        if "file" in event:
            path, size, changed = event["file"]
            _note(self._entries.setdefault((path, size, changed), Entry()), event)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """What the system says of a file that remembers, as JournalProblem."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise JournalProblem(f"nothing can be remembered in {printable(str(path))}: {reason}") from error
    except UnicodeDecodeError as error:
        raise JournalProblem(f"{printable(str(path))} holds something else than a journal") from error


def _file_ids(paths: Iterable[Path]) -> Iterator[FileId]:
    for path in paths:
        with suppress(OSError):  # a file that is not there has nothing to forget
            yield file_id(path)


def _note(entry: Entry, event: dict[str, Any]) -> None:
    entry.key = event.get("key", entry.key)
    entry.artwork_id = event.get("artwork", entry.artwork_id)
    if refusal := event.get("refusal"):
        entry.refusal = error_of(event.get("status") or 0, refusal, {})
    entry.again = entry.again and not entry.artwork_id and not refusal


def _lock_file(file: TextIOWrapper, path: Path) -> None:
    """Two batches on one journal would send the same files twice."""
    try:
        import fcntl
    except ModuleNotFoundError:
        return  # no such locks on Windows
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        name = printable(str(path))
        raise JournalProblem(
            f"another upload is using {name}; wait for it, or name another journal"
        ) from None
    except OSError:
        return  # nor in a browser
