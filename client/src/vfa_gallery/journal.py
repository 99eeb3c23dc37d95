"""The journal of a batch: what came of its files, on disk, so that an interrupted batch can be continued."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from os import PathLike
from pathlib import Path
from typing import Any, Self

from vfa_gallery.errors import FileProblem, GalleryError, JournalProblem, error_of
from vfa_gallery.originals import file_problem, printable

# A file in one state: its path, its size in bytes and its time of change in nanoseconds.
State = tuple[str, int, int]


@dataclass(slots=True)
class Entry:
    """The latest about one content: the key it was sent to, the artwork it became, or why it was refused.

    `again` is true from when it is to be uploaded once more until it was.
    """

    key: str | None = None
    artwork_id: str | None = None
    refusal: GalleryError | None = None
    again: bool = False


class Journal:
    """What came of contents, by their SHA-256; one line of JSON for each event.

    With `path` None it lasts as long as the process. A file that has not changed since it was read is not
    read again: it is known by its path, size and time of change. Lines are handed to the system one by one,
    so that a killed process loses none; a last line cut short by a power failure is ignored.

    Use it as a context manager. Entering it raises JournalProblem where it cannot be read or written, or
    where another batch uses it.
    """

    def __init__(self, path: str | PathLike[str] | None = None) -> None:
        self.path = None if path is None else Path(path)
        self._entries: dict[str, Entry] = {}
        self._contents: dict[State, str] = {}
        # Written by versions that knew files by their state alone.
        self._by_state: dict[State, Entry] = {}
        self._file: TextIOWrapper | None = None
        self._lock = threading.Lock()

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
            # A line that cannot be written now could not be written before, which was raised.
            with suppress(OSError):
                self._file.close()

    def identify(self, path: str | PathLike[str]) -> str:
        """The SHA-256 of a file's content, in hexadecimal; the file is read unless its state is known.

        Raises:
            FileProblem: the file cannot be read.
            JournalProblem: the journal cannot be written.
        """
        try:
            state = _state_of(Path(path))
            if known := self._contents.get(state):
                return known
            with Path(path).open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise file_problem(Path(path), error) from error
        self._add({"file": state, "sha256": content})
        return content

    def entry(self, content: str) -> Entry:
        """What is known of a content; an empty entry if nothing is."""
        return self._entries.get(content, Entry())

    def granted(self, content: str, key: str) -> None:
        """Record the key that a content is sent to. Raises JournalProblem where that cannot be written."""
        self._add({"sha256": content, "key": key})

    def arrived(self, content: str, artwork_id: str) -> None:
        """Record the artwork that a content became. Raises JournalProblem where that cannot be written."""
        self._add({"sha256": content, "artwork": artwork_id})

    def refused(self, content: str, error: GalleryError) -> None:
        """Record why a content was refused. Raises JournalProblem where that cannot be written."""
        refusal = {"error": error.message, "code": error.code, "requestId": error.request_id}
        self._add({"sha256": content, "status": error.status, "refusal": refusal})

    def again(self, paths: Iterable[str | PathLike[str]]) -> None:
        """Have files uploaded once more, whatever came of them.

        As long as files of an earlier call are not uploaded, another call changes nothing, so that the same
        program continues after an interruption. Files that cannot be read are passed over.

        Raises:
            JournalProblem: the journal cannot be written.
        """
        contents = list(dict.fromkeys(self._readable(paths)))
        if contents and not any(self.entry(content).again for content in contents):
            self._add({"again": contents})

    def _readable(self, paths: Iterable[str | PathLike[str]]) -> Iterator[str]:
        for path in paths:
            with suppress(FileProblem):
                yield self.identify(path)

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
        for each in event.get("again", ()):
            if isinstance(each, str):
                self._entries[each] = Entry(again=True)
            else:
                self._by_state[_state(each)] = Entry(again=True)
        if "file" in event and "sha256" in event:
            state, content = _state(event["file"]), str(event["sha256"])
            self._contents[state] = content
            if earlier := self._by_state.pop(state, None):
                self._entries.setdefault(content, earlier)
        elif "sha256" in event:
            _update(self._entries.setdefault(str(event["sha256"]), Entry()), event)
        elif "file" in event:
            _update(self._by_state.setdefault(_state(event["file"]), Entry()), event)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise what the system says of a file of this package as JournalProblem."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise JournalProblem(f"cannot write or read {printable(str(path))}: {reason}") from error
    except UnicodeDecodeError as error:
        raise JournalProblem(f"{printable(str(path))} is not a journal") from error


def _state_of(path: Path) -> State:
    about = path.stat()
    return (str(path.resolve()), about.st_size, about.st_mtime_ns)


def _state(wire: Any) -> State:
    path, size, changed = wire
    return (path, size, changed)


def _update(entry: Entry, event: dict[str, Any]) -> None:
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
        return  # Windows has no such locks
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        name = printable(str(path))
        raise JournalProblem(
            f"another upload is using {name}; wait for it, or name another journal"
        ) from None
    except OSError:
        return  # nor have browsers
