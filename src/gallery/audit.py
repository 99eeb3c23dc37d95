"""The audit: a walk over all objects and artworks, page by page, for what no row knows and what is missing.

It is rarely needed, and its cost follows the bucket: after a restored database, an upgrade, a mistake of
another tool.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from gallery import cleanup
from gallery.cleanup import HOLD_SECONDS, recorded_of
from gallery.errors import InvalidRequest, PortError, Unavailable
from gallery.keys import ORIGINALS, RenditionKey, parse_original, parse_rendition, rendition_keys
from gallery.ports import ObjectInfo, Platform, Row
from gallery.store import artworks, uploads
from gallery.store.database import transact
from gallery.store.uploads import Upload
from gallery.sweep import Report
from gallery.variants import FOLDERS

PAGE = 500
ROWS = 100
# Another tool may have put an original whose create is still to come.
ORIGINAL_SECONDS = 24 * 3600
ARTWORKS = "artworks/"
WALK = (ORIGINALS, *FOLDERS.values(), ARTWORKS)
LONGEST_CURSOR = 1024  # of a key in R2


async def audit(platform: Platform, cursor: str | None = None, *, dry_run: bool = False) -> Report:
    """One page of the walk, from `cursor` on; `next_cursor` of the report is None after the last one.

    Raises InvalidRequest for a cursor that is none. A page that fails is named, and its cursor given back.
    """
    folder, position = place_of(cursor)
    report = Report(dry_run)
    try:
        report.next_cursor = await _page(platform, report, folder, position)
        if report.next_cursor is None and folder != WALK[-1]:
            report.next_cursor = WALK[WALK.index(folder) + 1]
    except (PortError, Unavailable) as error:
        platform.log({"event": "sweep_failed", "part": folder, "reason": repr(error)})
        report.failed.append(folder)
        report.next_cursor = cursor or folder
    platform.log({"event": "sweep", **report.out()})
    return report


def place_of(cursor: str | None) -> tuple[str, str]:
    """The folder, and the key or id after which to go on. Raises InvalidRequest for a cursor that is none."""
    text = WALK[0] if cursor is None else cursor
    folder = text.partition("/")[0] + "/"
    if folder not in WALK or len(text) > LONGEST_CURSOR:
        raise InvalidRequest('"cursor" must be the "nextCursor" of another page.')
    return folder, "" if text == folder else text


async def _page(platform: Platform, report: Report, folder: str, position: str) -> str | None:
    """Where the next page of the folder begins, None when there is none."""
    if folder == ARTWORKS:
        return await _check_rows(platform, report, position.removeprefix(ARTWORKS))
    page, more = await platform.objects.list(folder, position, PAGE)
    report.objects += len(page)
    if folder == ORIGINALS:
        await _end_originals(platform, report, page)
    else:
        await _end_renditions(platform, report, [r for info in page if (r := parse_rendition(info.key))])
    return page[-1].key if page and more else None


async def _end_originals(platform: Platform, report: Report, page: Sequence[ObjectInfo]) -> None:
    """Delete originals without an artwork that are a day old."""
    limit = platform.now() - ORIGINAL_SECONDS
    old = [info.key for info in page if parse_original(info.key) and info.uploaded <= limit]
    records = await recorded_of(platform, old)
    suspects = [key for key in old if key not in records]
    async with _leased(platform, report, suspects) as (taken, recorded):
        await _delete(platform, report, [k for k in suspects if k in taken and k not in recorded])


async def _end_renditions(platform: Platform, report: Report, page: Sequence[RenditionKey]) -> None:
    """Delete renditions that no artwork has, and that none can be recorded with meanwhile."""
    originals = {rendition: rendition.possible_originals() for rendition in page}
    records = await recorded_of(platform, _all(originals.values()))
    suspects = {r: keys for r, keys in originals.items() if not _is_recorded(records, keys, r)}
    async with _leased(platform, report, _all(suspects.values())) as (taken, recorded):
        orphans = [
            str(r)
            for r, keys in suspects.items()
            if taken.issuperset(keys) and not _is_recorded(recorded, keys, r)
        ]
        await _delete(platform, report, orphans)


@asynccontextmanager
async def _leased(
    platform: Platform, report: Report, keys: Sequence[str]
) -> AsyncIterator[tuple[set[str], dict[str, Row]]]:
    """Those of the originals that nobody works on, under lease for the length of the block, and which of them
    have artworks by then. A dry run takes no lease.
    """
    if not keys:
        yield set(), {}
        return
    if report.dry_run:
        busy = (await transact(platform, uploads.leased(keys)))[0]
        yield set(keys) - {row["key"] for row in busy}, await recorded_of(platform, keys)
        return
    holder = platform.uuid()
    rows = (await transact(platform, uploads.take_idle(keys, holder, HOLD_SECONDS)))[0]
    taken = [uploads.upload_of(row) for row in rows]
    # Not in a `finally`: what may still be being deleted stays under its lease.
    yield {upload.key for upload in taken}, await recorded_of(platform, keys)
    ours = [upload.key for upload in taken if _is_new(upload)]
    await transact(
        platform, uploads.end(ours, holder), uploads.release_all((upload.key for upload in taken), holder)
    )


async def _delete(platform: Platform, report: Report, keys: list[str]) -> None:
    spare = cleanup.unnamed if report.dry_run else cleanup.delete_objects
    report.removed += await spare(platform, keys)


def _all(lists: Iterable[list[str]]) -> list[str]:
    return [key for keys in lists for key in keys]


def _is_recorded(records: Mapping[str, Row], keys: Sequence[str], rendition: RenditionKey) -> bool:
    return any(key in records and records[key]["version"] == rendition.version for key in keys)


def _is_new(upload: Upload) -> bool:
    """Whether the row was made by the audit itself."""
    return upload.attempt == 0 and upload.expires_at is None and upload.artwork_id is None


async def _check_rows(platform: Platform, report: Report, position: str) -> str | None:
    """Report artworks whose files are missing or whose original was replaced."""
    rows = (await transact(platform, (artworks.ROWS_AFTER, (position, ROWS))))[0]
    report.artworks += len(rows)
    for row in rows:
        found = await _look(platform, row)
        missing = [key for key, info in found.items() if info is None]
        original = found.get(row["original_key"])
        is_replaced = original is not None and row["original_etag"] not in (None, original.etag)
        if not missing and not is_replaced:
            continue
        # What was changed or removed while we looked is not missing.
        recorded = (await recorded_of(platform, [row["original_key"]])).get(row["original_key"])
        if recorded is None or recorded["version"] != row["version"]:
            continue
        if missing:
            report.missing.append({"artwork": row["id"], "keys": missing})
        if is_replaced:
            report.replaced.append(row["id"])
    return f"{ARTWORKS}{rows[-1]['id']}" if len(rows) == ROWS else None


async def _look(platform: Platform, row: Row) -> dict[str, ObjectInfo | None]:
    """The four objects of an artwork, by key."""
    original = parse_original(row["original_key"])
    if original is None:  # another program's
        return {}
    keys = [row["original_key"], *rendition_keys(original, row["version"]).values()]
    found = await asyncio.gather(*(platform.objects.head(key) for key in keys))
    return dict(zip(keys, found, strict=True))
