"""Many uploads at once, each of which arrives exactly once however often the batch is interrupted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path

from vfa_gallery.errors import (
    ArtworkLimitReached,
    GalleryError,
    JournalProblem,
    NotConfigured,
    Passing,
    Stopped,
    TooLarge,
    Unauthorized,
    Unreachable,
    UnreadableImage,
    UnsupportedType,
    UploadLimitReached,
    UploadRefused,
)
from vfa_gallery.gallery import Gallery
from vfa_gallery.journal import FileId, Journal, file_id
from vfa_gallery.models import Artwork, Details, Progress, Stage
from vfa_gallery.originals import file_problem
from vfa_gallery.parallel import spread, usual_workers

MOST_WORKERS = 10
# The picture is at fault: it would be refused again.
LASTING = (TooLarge, UnreadableImage, UnsupportedType)

_FATAL = (ArtworkLimitReached, JournalProblem, NotConfigured, Unauthorized, Unreachable, UploadLimitReached)
# A bucket that is not there, or that takes nothing under the gallery's signature.
_SHUT = {403, 404}

Job = tuple[Path, Details]
OnProgress = Callable[[Path, Progress], None]


def fatal(error: GalleryError) -> bool:
    """Whether what stops one upload stops all of them.

    >>> fatal(Unreachable("no connection")), fatal(UploadRefused("no", status=403)), fatal(TooLarge("25 MB"))
    (True, True, False)
    """
    return isinstance(error, _FATAL) or (isinstance(error, UploadRefused) and error.status in _SHUT)


class Fate(StrEnum):
    """What became of a file."""

    ARRIVED = "arrived"
    KNOWN = "known"  # had arrived before
    FAILED = "failed"
    LEFT = "left"  # not tried, or broken off: the next run goes on with it


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file's fate; `artwork` is there when it arrived now, `error` when it failed or was left."""

    path: Path
    fate: Fate
    artwork_id: str | None = None
    artwork: Artwork | None = None
    error: GalleryError | None = None
    seconds: float = 0.0


class Batch:
    """Uploads jobs, several at a time, and remembers in a journal what became of them.

    `on_progress` is told from the threads that upload. With one worker, as in a browser where nothing else is
    said, everything happens in the caller's thread. A picture that was refused is not sent again, unless
    `retry_refused` says so. A file that is named twice is one file: the second time it is known.

    >>> with Journal(folder / "journal.jsonl") as journal:
    ...     batch = Batch(gallery, journal)
    ...     jobs = [(path, {"title": path.stem}) for path in sorted(folder.glob("*.jpg"))]
    ...     sorted((outcome.path.name, str(outcome.fate)) for outcome in batch.run(jobs))
    [('bad.jpg', 'failed'), ('dawn.jpg', 'arrived'), ('dusk.jpg', 'arrived')]
    """

    def __init__(
        self,
        gallery: Gallery,
        journal: Journal,
        *,
        workers: int | None = None,
        on_progress: OnProgress | None = None,
        retry_refused: bool = False,
    ) -> None:
        self._workers = usual_workers() if workers is None else workers
        if not 1 <= self._workers <= MOST_WORKERS:
            raise ValueError(f"1 to {MOST_WORKERS} workers")
        self._gallery = gallery
        self._journal = journal
        self._on_progress = on_progress
        self._retry_refused = retry_refused
        self._cause: GalleryError | None = None
        self._held: set[str] = set()
        self._given_back = threading.Condition()

    def stop(self) -> None:
        """End soon: what is being sent is broken off, what is rendered is waited for, the rest is left."""
        self._cause = self._cause or Stopped("stopped")

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """The outcome of every job, in the order in which they come to an end; jobs are taken as needed.

        What ended an earlier run of the same batch does not end this one.
        """
        self._cause = None
        return spread(lambda job: self._one(*job), jobs, self._workers, self.stop)

    def _one(self, path: Path, details: Details) -> Outcome:
        started = time.monotonic()
        try:
            outcome = self._settle(path, details)
        except Stopped as error:
            outcome = Outcome(path, Fate.LEFT, error=error)
        except GalleryError as error:
            if fatal(error):
                self._cause = self._cause or error
            outcome = Outcome(path, Fate.FAILED, error=error)
        return replace(outcome, seconds=time.monotonic() - started)

    def _settle(self, path: Path, details: Details) -> Outcome:
        try:
            file = file_id(path)
        except OSError as error:
            raise file_problem(path, error) from error
        with self._alone(file[0]):
            if self._cause:
                return Outcome(path, Fate.LEFT, error=self._cause)
            entry = self._journal.entry(file)
            if entry.artwork_id:
                return Outcome(path, Fate.KNOWN, artwork_id=entry.artwork_id)
            if isinstance(entry.refusal, LASTING) and not self._retry_refused:
                return Outcome(path, Fate.FAILED, error=entry.refusal)
            artwork = self._upload(path, file, entry.key, details)
        return Outcome(path, Fate.ARRIVED, artwork.id, artwork)

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """One thread at a time has a file: the next one finds in the journal what became of it."""
        with self._given_back:
            self._given_back.wait_for(lambda: name not in self._held)
            self._held.add(name)
        try:
            yield
        finally:
            with self._given_back:
                self._held.remove(name)
                self._given_back.notify_all()

    def _upload(self, path: Path, file: FileId, key: str | None, details: Details) -> Artwork:
        try:
            artwork = self._gallery.upload(
                path,
                on_progress=partial(self._tell, path),
                resume_key=key,
                on_key=partial(self._journal.granted, file),
                **details,
            )
        except GalleryError as error:
            if not isinstance(error, Passing | Stopped) and not fatal(error):
                self._journal.refused(file, error)
            raise
        self._journal.arrived(file, artwork.id)
        return artwork

    def _tell(self, path: Path, progress: Progress) -> None:
        # An artwork that is made already is recorded, whatever else is stopped.
        if isinstance(self._cause, Stopped) and progress.stage != Stage.DONE:
            raise self._cause
        if self._on_progress:
            self._on_progress(path, progress)
