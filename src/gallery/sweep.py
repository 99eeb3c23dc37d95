"""The sweeper: ends uploads that are over. Its cost follows their number, not that of all objects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gallery import cleanup
from gallery.errors import Conflict, GalleryError, Overloaded, PortError, ProcessingFailed, Unavailable
from gallery.keys import parse_original, rendition_keys
from gallery.ports import Platform, Row
from gallery.reprocess import renew
from gallery.settings import Settings
from gallery.store import artworks, uploads
from gallery.store.artworks import artwork_of
from gallery.store.database import only, transact
from gallery.store.uploads import Upload
from gallery.times import Stopwatch

BATCH = 100
BATCHES = 50
# Objects that one run looks at, of artworks that something may have been written to since.
LOOKS = 400
SHOWN = 100
PASSING = (Conflict, Overloaded, ProcessingFailed, Unavailable, PortError)


@dataclass(slots=True)
class Report:
    """What one run saw and did; `removed` in a dry run is what it would have removed."""

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
    """End the uploads that are due: their objects and rows go; their keys, of the originals, are `removed`.

    Of those with an artwork, what an earlier version or try has left goes, and what may have been replaced is
    compared: an artwork whose renditions another wrote over is rendered again. What fails is named and comes
    again in a later run.
    """
    report = Report(dry_run)
    try:
        if dry_run:
            await _look_ahead(platform, report)
        else:
            await _end_all(platform, settings, report)
    except (PortError, Unavailable) as error:
        platform.log({"event": "sweep_failed", "part": "uploads", "reason": repr(error)})
        report.failed.append("uploads")
    platform.log({"event": "sweep", **report.out()})
    return report


async def _look_ahead(platform: Platform, report: Report) -> None:
    rows = (await transact(platform, uploads.due(BATCH * BATCHES)))[0]
    keys = [row["key"] for row in rows]
    records = await cleanup.recorded_of(platform, keys)
    report.uploads = len(keys)
    report.removed = await cleanup.unnamed(platform, [key for key in keys if key not in records])


async def _end_all(platform: Platform, settings: Settings, report: Report) -> None:
    looks = LOOKS
    for _ in range(BATCHES):
        # A batch may need one look at each original and at three renditions.
        ended = await cleanup.end_due(platform, min(BATCH, looks // 4))
        report.uploads += len(ended.removed) + len(ended.recorded)
        report.removed += ended.removed
        looks -= 4 * len(ended.recorded)
        spoilt = await _check(platform, report, ended.holder, ended.recorded)
        for record in spoilt:
            await _repair(platform, settings, report, record)
        if not ended.removed and not ended.recorded:
            return


async def _check(
    platform: Platform, report: Report, holder: str, recorded: Sequence[tuple[Upload, Row]]
) -> list[Row]:
    """Compare what may have been replaced; the artworks whose renditions have to be made again."""
    spoilt: list[Row] = []
    for upload, record in recorded:
        # A URL with a size in it could be used only once.
        if upload.size is None:
            await check_original(platform, report, record)
        if await _is_spoilt(platform, upload, record):
            spoilt.append(record)
    again = {record["original_key"] for record in spoilt}
    done = [upload.key for upload, _ in recorded if upload.key not in again]
    if recorded:
        await transact(platform, uploads.checked(done, holder), uploads.release_all(again, holder))
    return spoilt


async def check_original(platform: Platform, report: Report, record: Row) -> None:
    """Report an original that is not the one its artwork was made of."""
    found = await platform.objects.head(record["original_key"])
    if found is None:
        report.missing.append({"artwork": record["id"], "keys": [record["original_key"]]})
    elif record["original_etag"] not in (None, found.etag):
        report.replaced.append(record["id"])


async def _is_spoilt(platform: Platform, upload: Upload, record: Row) -> bool:
    original = parse_original(upload.key)
    if upload.etags is None or original is None:
        return False
    wanted = json.loads(upload.etags)
    keys = rendition_keys(original, record["version"])
    found = await asyncio.gather(*(platform.objects.head(keys[variant]) for variant in keys))
    return [info and info.etag for info in found] != [wanted.get(variant) for variant in keys]


async def _repair(platform: Platform, settings: Settings, report: Report, record: Row) -> None:
    row = await only(platform, (artworks.ARTWORK, (record["id"],)))
    if row is None:
        return
    artwork = artwork_of(row)
    try:
        await renew(
            platform,
            settings,
            artwork,
            user_id=artwork.user_id,
            base=record["original_url"].removesuffix(f"/{artwork.original_key}"),
            request_id=platform.uuid(),
            watch=Stopwatch(platform.ticks),
        )
        report.renewed.append(artwork.id)
    except PASSING as error:
        # Its upload stays due, so that a later run comes back to it.
        platform.log({"event": "sweep_failed", "part": artwork.id, "reason": repr(error)})
        report.failed.append(artwork.id)
    except GalleryError as error:
        platform.log({"event": "sweep_failed", "part": artwork.id, "reason": repr(error)})
        report.missing.append({"artwork": artwork.id, "keys": [artwork.original_key]})
