"""The audit: a walk over all objects and artworks, page by page, for orphans and for missing files.

Its cost follows the bucket, and it is rarely needed: after a database was restored, after an upgrade, or when
another tool made a mistake.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from gallery import cleanup
from gallery.cleanup import HOLD_SECONDS, find_records
from gallery.errors import InvalidRequest, PortError
from gallery.keys import (
    ORIGINALS,
    RenditionKey,
    narrower_keys,
    parse_original,
    parse_rendition,
    rendition_keys,
)
from gallery.ports import ListedObject, ObjectInfo, Platform
from gallery.store import artworks, uploads
from gallery.store.artworks import Record, record_of
from gallery.store.database import rows_of, transact
from gallery.store.uploads import Upload
from gallery.sweep import Report
from gallery.variants import FOLDERS, Variant

PAGE = 500  # objects
ROWS = 100
# Another tool may have put an original whose create is still to come.
ORIGINAL_SECONDS = 24 * 3600
ARTWORKS = "artworks/"
WALK = (ORIGINALS, *FOLDERS.values(), ARTWORKS)
LONGEST_CURSOR = 1024  # the longest key in R2


async def audit(platform: Platform, cursor: str | None = None, *, dry_run: bool = False) -> Report:
    """One page of the walk, from `cursor` on; `next_cursor` of the report is None after the last.

    A page that fails is reported, and its cursor is the next. Raises InvalidRequest for an invalid cursor.
    """
    folder, position = parse_cursor(cursor)
    report = Report(dry_run)
    try:
        report.next_cursor = await _page(platform, report, folder, position)
        if report.next_cursor is None and folder != WALK[-1]:
            report.next_cursor = WALK[WALK.index(folder) + 1]
    except PortError as error:
        platform.log({"event": "sweep_failed", "part": folder, "reason": repr(error)})
        report.failed.append(folder)
        report.next_cursor = cursor or folder
    platform.log({"event": "sweep", **report.out()})
    return report


def parse_cursor(cursor: str | None) -> tuple[str, str]:
    """The folder, and the key or id after which to go on, empty for all of it. Raises InvalidRequest."""
    text = WALK[0] if cursor is None else cursor
    folder = text.partition("/")[0] + "/"
    if folder not in WALK or len(text) > LONGEST_CURSOR:
        raise InvalidRequest('"cursor" must be the "nextCursor" of another page.')
    return folder, "" if text == folder else text


async def _page(platform: Platform, report: Report, folder: str, position: str) -> str | None:
    """Walk one page; where the next of this folder begins, None when there is none."""
    if folder == ARTWORKS:
        return await _check_artworks(platform, report, position.removeprefix(ARTWORKS))
    page, more = await platform.objects.list(folder, position, PAGE)
    report.objects += len(page)
    if folder == ORIGINALS:
        await _delete_originals(platform, report, page)
    else:
        renditions = [r for listed in page if (r := parse_rendition(listed.key))]
        await _delete_renditions(platform, report, renditions)
    return page[-1].key if page and more else None


async def _delete_originals(platform: Platform, report: Report, page: Sequence[ListedObject]) -> None:
    """Delete originals without an artwork that are a day old."""
    limit = platform.now() - ORIGINAL_SECONDS
    old = [listed.key for listed in page if parse_original(listed.key) and listed.uploaded <= limit]
    records = await find_records(platform, old)
    suspects = [key for key in old if key not in records]
    async with _leased(platform, report, suspects) as (leased, recorded):
        await _delete(platform, report, [k for k in suspects if k in leased and k not in recorded])


async def _delete_renditions(platform: Platform, report: Report, page: Sequence[RenditionKey]) -> None:
    """Delete renditions that no artwork has, and that none can be recorded with meanwhile."""
    originals = {rendition: rendition.possible_originals() for rendition in page}
    records = await find_records(platform, _flat(originals.values()))
    suspects = {r: keys for r, keys in originals.items() if not _is_recorded(records, keys, r)}
    async with _leased(platform, report, _flat(suspects.values())) as (leased, recorded):
        orphans = [
            str(r)
            for r, keys in suspects.items()
            if leased.issuperset(keys) and not _is_recorded(recorded, keys, r)
        ]
        await _delete(platform, report, orphans)


@asynccontextmanager
async def _leased(
    platform: Platform, report: Report, keys: Sequence[str]
) -> AsyncIterator[tuple[set[str], dict[str, Record]]]:
    """The originals whose leases are taken for the length of the block, and the records of all by then.

    A dry run takes no lease.
    """
    if not keys:
        yield set(), {}
        return
    if report.dry_run:
        busy = {row["key"] for row in await rows_of(platform, uploads.leased(keys))}
        yield set(keys) - busy, await find_records(platform, keys)
        return
    holder = platform.uuid()
    rows = await rows_of(platform, uploads.take_idle(keys, holder, HOLD_SECONDS))
    leased = [uploads.upload_of(row) for row in rows]
    # Not in a `finally`: what may still be being deleted stays under its lease.
    yield {upload.key for upload in leased}, await find_records(platform, keys)
    await transact(
        platform,
        end=uploads.end((upload.key for upload in leased if _is_new(upload)), holder),
        release=uploads.release_all((upload.key for upload in leased), holder),
    )


async def _delete(platform: Platform, report: Report, keys: list[str]) -> None:
    delete = cleanup.unreferenced if report.dry_run else cleanup.delete_objects
    report.removed += await delete(platform, keys)


def _flat(lists: Iterable[list[str]]) -> list[str]:
    return [key for keys in lists for key in keys]


def _is_recorded(records: Mapping[str, Record], keys: Sequence[str], rendition: RenditionKey) -> bool:
    return any(key in records and records[key].version == rendition.version for key in keys)


def _is_new(upload: Upload) -> bool:
    """Whether the audit itself inserted the row."""
    return upload.attempt == 0 and upload.expires_at is None and upload.artwork_id is None


async def _check_artworks(platform: Platform, report: Report, after: str) -> str | None:
    """Report artworks whose files are missing or whose original was replaced; the next position, if any."""
    page = [record_of(row) for row in await rows_of(platform, artworks.records_after(after, ROWS))]
    report.artworks += len(page)
    for record in page:
        found = await _heads(platform, record)
        missing = [key for key, info in found.items() if info is None]
        original = found.get(record.original_key)
        is_replaced = original is not None and record.original_etag not in (None, original.etag)
        if not missing and not is_replaced:
            continue
        # What was changed or deleted since the page was read is not missing.
        current = (await find_records(platform, [record.original_key])).get(record.original_key)
        if current is None or current.version != record.version:
            continue
        if missing:
            report.missing.append({"artwork": record.id, "keys": missing})
        if is_replaced:
            report.replaced.append(record.id)
    return f"{ARTWORKS}{page[-1].id}" if len(page) == ROWS else None


async def _heads(platform: Platform, record: Record) -> dict[str, ObjectInfo | None]:
    """What R2 knows of an artwork's objects, by key."""
    original = parse_original(record.original_key)
    if original is None:  # another program's key
        return {}
    narrower = narrower_keys(Variant.WATERMARK, original, record.version)
    keys = [
        record.original_key,
        *rendition_keys(original, record.version).values(),
        *(narrower[width] for width, _ in record.display_sizes if width in narrower),
    ]
    found = await asyncio.gather(*(platform.objects.head(key) for key in keys))
    return dict(zip(keys, found, strict=True))
