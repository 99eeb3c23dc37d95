"""What became of the files of a batch, on disk, so that an interrupted batch goes on where it was."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Self

from vfa_gallery.errors import FileProblem, GalleryError, error_of

FileId = tuple[str, int, int]


def file_id(path: Path) -> FileId:
    """A file as it is now: a changed file is another one."""
    about = path.stat()
    return (str(path.resolve()), about.st_size, about.st_mtime_ns)


@dataclass(slots=True)
class Entry:
    """The latest of one file: the key it was sent to, the artwork it became, or why it never will."""

    key: str | None = None
    artwork_id: str | None = None
    refusal: GalleryError | None = None


@dataclass(slots=True)
class Journal:
    """One line of JSON for each event; with `path` None it lasts as long as the process.

    Lines are handed to the system one by one: a process that is killed loses none. A last line cut short by a
    power failure is passed over, and what it would have said is found out again.
    """

    path: Path | None = None
    _entries: dict[FileId, Entry] = field(default_factory=dict)
    _file: TextIOWrapper | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+", encoding="utf-8")
            _lock_file(self._file, self.path)
            self._load(self._file)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def entry(self, file: FileId) -> Entry:
        """What is known of a file; an empty entry when nothing is."""
        return self._entries.get(file, Entry())

    def granted(self, file: FileId, key: str) -> None:
        self._add(file, {"key": key})

    def arrived(self, file: FileId, artwork_id: str) -> None:
        self._add(file, {"artwork": artwork_id})

    def refused(self, file: FileId, error: GalleryError) -> None:
        refusal = {"error": error.message, "code": error.code, "requestId": error.request_id}
        self._add(file, {"status": error.status, "refusal": refusal})

    def _add(self, file: FileId, event: dict[str, Any]) -> None:
        with self._lock:
            self._apply(file, event)
            if self._file:
                print(json.dumps({"file": file, **event}), file=self._file, flush=True)

    def _load(self, file: TextIOWrapper) -> None:
        file.seek(0)
        text = ""
        for text in file:
            with suppress(ValueError, LookupError, TypeError):
                event = json.loads(text)
                path, size, changed = event.pop("file")
                self._apply((path, size, changed), event)
        if text and not text.endswith("\n"):
            print(file=file, flush=True)

    def _apply(self, file: FileId, event: dict[str, Any]) -> None:
        entry = self._entries.setdefault(file, Entry())
        entry.key = event.get("key", entry.key)
        entry.artwork_id = event.get("artwork", entry.artwork_id)
        if refusal := event.get("refusal"):
            entry.refusal = error_of(event.get("status") or 0, refusal, {})


def _lock_file(file: TextIOWrapper, path: Path) -> None:
    """Two batches on one journal would send the same files twice."""
    try:
        import fcntl
    except ModuleNotFoundError:
        return  # no such locks on Windows
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise FileProblem(f"another upload is using {path}; wait for it, or name another journal") from None
    except OSError:
        return  # nor in a browser
