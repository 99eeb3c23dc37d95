"""The sweeper: ends uploads that have expired. Its cost follows their number, not that of all objects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gallery import cleanup
from gallery.errors import Conflict, GalleryError, Overloaded, PortError, ProcessingFailed
from gallery.keys import all_keys, parse_original
from gallery.ports import Platform
from gallery.render import RenderContext
from gallery.reprocess import renew
from gallery.settings import Settings
from gallery.store import artworks, uploads
from gallery.store.artworks import Record, artwork_of
from gallery.store.database import only, rows_of, transact
from gallery.store.uploads import Upload
from gallery.times import Stopwatch

BATCH = 100  # uploads that are ended together
BATCHES = 50
# Objects that one run looks at, of artworks that something may have been written to since.
LOOKS = 400
LOOKS_OF_UPLOAD = 4  # the original and three renditions
SHOWN = 100  # entries of each list in a report
TRANSIENT = (Conflict, Overloaded, ProcessingFailed, PortError)


@dataclass(slots=True)
class Report:
    """What one run saw and did, as keys and ids; in a dry run `removed` is what would be deleted."""

    dry_run: bool
    uploads: int = 0
    objects: int = 0
    artworks: int = 0
    removed: list[str] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    next_cursor: str | None = None

    def out(self) -> dict[str, Any]:
        """The report on the wire."""
        return {
            "dryRun": self.dry_run,
            "uploadsSeen": self.uploads,
            "objectsSeen": self.objects,
            "artworksSeen": self.artworks,
            "objectsRemoved": len(self.removed),
            "removed": self.removed[:SHOWN],
            "missing": self.missing[:SHOWN],
            "replaced": self.replaced[:SHOWN],
            "renewed": self.renewed[:SHOWN],
            "failed": self.failed,
            "nextCursor": self.next_cursor,
        }


async def sweep(platform: Platform, settings: Settings, *, dry_run: bool = False) -> Report:
    """End the uploads that are due; nothing is raised, what fails is reported and due again in a later run.

    Uploads without an artwork are deleted with their objects; `removed` of the report has the originals'
    keys. Of uploads with an artwork, what earlier versions and attempts left is deleted, and what may have
    been replaced is compared: an artwork whose renditions were overwritten is rendered again.
    """
    report = Report(dry_run)
    try:
        if dry_run:
            await _preview(platform, report)
        else:
            await _end_all(platform, settings, report)
    except PortError as error:
        platform.log({"event": "sweep_failed", "part": "uploads", "reason": repr(error)})
        report.failed.append("uploads")
    platform.log({"event": "sweep", **report.out()})
    return report


async def _preview(platform: Platform, report: Report) -> None:
    rows = await rows_of(platform, uploads.due(BATCH * BATCHES))
    keys = [row["key"] for row in rows]
    records = await cleanup.find_records(platform, keys)
    report.uploads = len(keys)
    report.removed = await cleanup.unreferenced(platform, [key for key in keys if key not in records])


async def _end_all(platform: Platform, settings: Settings, report: Report) -> None:
    looks = LOOKS
    for _ in range(BATCHES):
        ended = await cleanup.end_due(platform, min(BATCH, looks // LOOKS_OF_UPLOAD))
        report.uploads += len(ended.removed) + len(ended.recorded)
        report.removed += ended.removed
        looks -= LOOKS_OF_UPLOAD * len(ended.recorded)
        for record in await _check(platform, report, ended.holder, ended.recorded):
            await _repair(platform, settings, report, record)
        if not ended.removed and not ended.recorded:
            return


async def _check(
    platform: Platform, report: Report, holder: str, recorded: Sequence[tuple[Upload, Record]]
) -> list[Record]:
    """Compare what may have been replaced; the artworks whose renditions were overwritten."""
    overwritten: list[Record] = []
    for upload, record in recorded:
        # A URL with a size could be used only once.
        if upload.size is None:
            await _report_original(platform, report, record)
        if await _is_overwritten(platform, upload, record):
            overwritten.append(record)
    again = {record.original_key for record in overwritten}
    done = [upload.key for upload, _ in recorded if upload.key not in again]
    if recorded:
        await transact(
            platform, checked=uploads.checked(done, holder), release=uploads.release_all(again, holder)
        )
    return overwritten


async def _report_original(platform: Platform, report: Report, record: Record) -> None:
    """Report an original that is missing or is not the one that was rendered. Raises StorageError."""
    found = await platform.objects.head(record.original_key)
    if found is None:
        report.missing.append({"artwork": record.id, "keys": [record.original_key]})
    elif record.original_etag not in (None, found.etag):
        report.replaced.append(record.id)


async def _is_overwritten(platform: Platform, upload: Upload, record: Record) -> bool:
    original = parse_original(upload.key)
    if upload.etags is None or original is None:
        return False
    etags = json.loads(upload.etags)
    keys = [key for key in all_keys(original, record.version) if key in etags]
    found = await asyncio.gather(*(platform.objects.head(key) for key in keys))
    return [info and info.etag for info in found] != [etags[key] for key in keys]


async def _repair(platform: Platform, settings: Settings, report: Report, record: Record) -> None:
    row = await only(platform, artworks.find(record.id))
    if row is None:
        return
    artwork = artwork_of(row)
    base = (record.original_url or "").removesuffix(f"/{record.original_key}")
    context = RenderContext(base, platform.uuid(), Stopwatch(platform.ticks))
    try:
        await renew(platform, settings, artwork, artwork.user_id, context)
        report.renewed.append(artwork.id)
    except TRANSIENT as error:
        # Its upload stays due, so that a later run repairs it.
        platform.log({"event": "sweep_failed", "part": artwork.id, "reason": repr(error)})
        report.failed.append(artwork.id)
    except GalleryError as error:
        platform.log({"event": "sweep_failed", "part": artwork.id, "reason": repr(error)})
        report.missing.append({"artwork": artwork.id, "keys": [artwork.original_key]})
