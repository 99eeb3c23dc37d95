"""Many uploads at once, each of which arrives exactly once however often the batch is interrupted."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from os import PathLike
from pathlib import Path

from vfa_gallery.errors import (
    GalleryError,
    Passing,
    Stopped,
    TooLarge,
    UnreadableImage,
    UnsupportedType,
)
from vfa_gallery.gallery import Gallery
from vfa_gallery.journal import Journal
from vfa_gallery.many import Done, Run, fatal
from vfa_gallery.models import Artwork, Details, Progress, Stage

# The picture is at fault: it would be refused again.
LASTING = (TooLarge, UnreadableImage, UnsupportedType)

Job = tuple[str | PathLike[str], Details]
OnProgress = Callable[[Path, Progress], None]


class Fate(StrEnum):
    """What came of a file."""

    ARRIVED = "arrived"  # uploaded now
    KNOWN = "known"  # uploaded before
    FAILED = "failed"
    LEFT = "left"  # not tried, or broken off: the next run continues with it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file; `artwork` is set if it arrived now, `error` if it failed or was left."""

    path: Path
    fate: Fate
    artwork_id: str | None = None
    artwork: Artwork | None = None
    error: GalleryError | None = None
    seconds: float = 0.0


class Batch:
    """Uploads jobs, up to ten at a time, and records in a journal what came of them.

    `on_progress` is called from the uploading threads. With one worker, the default in a browser, everything
    happens in the caller's thread. A picture that was refused is not sent again unless `retry_refused` is
    true. Files with the same content are one artwork: the second is known.

    Raises:
        ValueError: the number of workers is not 1 to 10.

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
        self._gallery = gallery
        self._journal = journal
        self.on_progress = on_progress
        self._retry_refused = retry_refused
        self._run: Run[Job, tuple[str, Artwork | None]] = Run(self._upload_once, workers)
        self._held: set[str] = set()
        self._given_back = threading.Condition()

    def stop(self) -> None:
        """End soon: files being sent are broken off, rendering is waited for, the rest is left."""
        self._run.stop()

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """The outcome of every job, in the order in which they end; jobs are taken as they are needed.

        A job is a path and the fields of the new artwork. What ended an earlier run does not end this one.

        Raises:
            TypeError: a job has a field that artworks do not have, or no title.
        """
        for done in self._run.over(jobs):
            yield _outcome(done)

    def _upload_once(self, job: Job) -> tuple[str, Artwork | None]:
        """The artwork's id, with the artwork if it was uploaded now."""
        path, details = Path(job[0]), job[1]
        content = self._journal.identify(path)
        with self._alone(content):
            self._run.checkpoint()
            entry = self._journal.entry(content)
            if entry.artwork_id:
                return entry.artwork_id, None
            if isinstance(entry.refusal, LASTING) and not self._retry_refused:
                raise entry.refusal
            artwork = self._upload(path, content, entry.key, details)
        return artwork.id, artwork

    @contextmanager
    def _alone(self, content: str) -> Iterator[None]:
        """One thread at a time uploads a content: the next one finds in the journal what came of it."""
        with self._given_back:
            self._given_back.wait_for(lambda: content not in self._held)
            self._held.add(content)
        try:
            yield
        finally:
            with self._given_back:
                self._held.remove(content)
                self._given_back.notify_all()

    def _upload(self, path: Path, content: str, key: str | None, details: Details) -> Artwork:
        try:
            artwork = self._gallery.upload(
                path,
                on_progress=partial(self._tell, path),
                resume_key=key,
                on_key=partial(self._journal.granted, content),
                **details,
            )
        except GalleryError as error:
            # What was refused here, without the gallery, is cheap to check again.
            if error.status and not isinstance(error, Passing | Stopped) and not fatal(error):
                self._journal.refused(content, error)
            raise
        self._journal.arrived(content, artwork.id)
        return artwork

    def _tell(self, path: Path, progress: Progress) -> None:
        # An artwork that exists already is recorded, even if the run is stopped.
        if self._run.stopped and progress.stage != Stage.DONE:
            self._run.checkpoint()
        if self.on_progress:
            self.on_progress(path, progress)


def _outcome(done: Done[Job, tuple[str, Artwork | None]]) -> Outcome:
    path = Path(os.fspath(done.item[0]))
    if done.left:
        return Outcome(path, Fate.LEFT, error=done.error, seconds=done.seconds)
    if done.error or not done.value:
        return Outcome(path, Fate.FAILED, error=done.error, seconds=done.seconds)
    artwork_id, artwork = done.value
    fate = Fate.ARRIVED if artwork else Fate.KNOWN
    return Outcome(path, fate, artwork_id, artwork, seconds=done.seconds)
