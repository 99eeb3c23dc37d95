"""Many uploads at once, each of which arrives exactly once however often the batch is interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from vfa_gallery.errors import (
    ArtworkLimitReached,
    FileProblem,
    GalleryError,
    Stopped,
    TooLarge,
    Unauthorized,
    Unreachable,
    UnreadableImage,
    UnsupportedType,
)
from vfa_gallery.gallery import Gallery
from vfa_gallery.journal import Journal, file_id
from vfa_gallery.models import Artwork, Details, Progress, Stage
from vfa_gallery.originals import printable
from vfa_gallery.parallel import spread

MOST_WORKERS = 10
# The picture is at fault: it would be refused again.
LASTING = (TooLarge, UnreadableImage, UnsupportedType)
# What stops one upload stops all of them.
FATAL = (ArtworkLimitReached, Unauthorized, Unreachable)

Job = tuple[Path, Details]
OnProgress = Callable[[Path, Progress], None]


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

    `on_progress` is told from the threads that upload. With one worker everything happens in the caller's
    thread, which is what a browser needs.

    >>> with Journal(folder / "journal.jsonl") as journal:
    ...     batch = Batch(gallery, journal)
    ...     jobs = [(path, {"title": path.stem}) for path in sorted(folder.glob("*.jpg"))]
    ...     sorted((outcome.path.name, str(outcome.fate)) for outcome in batch.run(jobs))
    [('bad.jpg', 'failed'), ('dawn.jpg', 'arrived'), ('dusk.jpg', 'arrived')]
    """

    def __init__(
        self, gallery: Gallery, journal: Journal, *, workers: int = 4, on_progress: OnProgress | None = None
    ) -> None:
        if not 1 <= workers <= MOST_WORKERS:
            raise ValueError(f"1 to {MOST_WORKERS} workers")
        self._gallery = gallery
        self._journal = journal
        self._workers = workers
        self._on_progress = on_progress
        self._cause: GalleryError | None = None

    def stop(self) -> None:
        """End soon: what is being sent is broken off, what is rendered is waited for, the rest is left."""
        self._cause = self._cause or Stopped("stopped")

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """The outcome of every job, in the order in which they come to an end; jobs are taken as needed."""
        return spread(lambda job: self._one(*job), jobs, self._workers, self.stop)

    def _one(self, path: Path, details: Details) -> Outcome:
        if self._cause:
            return Outcome(path, Fate.LEFT, error=self._cause)
        started = time.monotonic()
        try:
            outcome = self._upload(path, details)
        except FATAL as error:
            self._cause = self._cause or error
            return Outcome(path, Fate.FAILED, error=error, seconds=time.monotonic() - started)
        except Stopped as error:
            return Outcome(path, Fate.LEFT, error=error)
        except GalleryError as error:
            return Outcome(path, Fate.FAILED, error=error, seconds=time.monotonic() - started)
        return outcome

    def _upload(self, path: Path, details: Details) -> Outcome:
        try:
            file = file_id(path)
        except OSError as error:
            raise FileProblem(f"{printable(str(path))}: {error.strerror or error}") from error
        entry = self._journal.entry(file)
        if entry.artwork_id:
            return Outcome(path, Fate.KNOWN, artwork_id=entry.artwork_id)
        if entry.refusal:
            return Outcome(path, Fate.FAILED, error=entry.refusal)
        started = time.monotonic()
        try:
            artwork = self._gallery.upload(
                path,
                on_progress=partial(self._tell, path),
                resume_key=entry.key,
                on_key=partial(self._journal.granted, file),
                **details,
            )
        except LASTING as error:
            self._journal.refused(file, error)
            raise
        self._journal.arrived(file, artwork.id)
        return Outcome(path, Fate.ARRIVED, artwork.id, artwork, seconds=time.monotonic() - started)

    def _tell(self, path: Path, progress: Progress) -> None:
        # An artwork that is made already is recorded, whatever else is stopped.
        if isinstance(self._cause, Stopped) and progress.stage != Stage.DONE:
            raise self._cause
        if self._on_progress:
            self._on_progress(path, progress)
