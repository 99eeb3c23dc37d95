"""The sweeper: removes what belongs to no artwork, and reports artworks whose objects are gone.

Each run looks at a bounded part of the bucket and of the records, and the next one goes on from there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gallery import sql
from gallery.errors import GalleryError, PortError
from gallery.keys import FOLDERS, ORIGINALS, RenditionKey, parse_original, parse_rendition, rendition_keys
from gallery.ports import ObjectInfo, Platform
from gallery.records import only, transact

PAGE = 500
PAGES = 4
ROWS = 100
ORIGINAL_SECONDS = 24 * 3600
# How long after its end a claim still protects: clocks differ, and a commit may have been long on its way.
CLAIM_MARGIN = 30
CLAIM_SECONDS = 24 * 3600
HOLD_SECONDS = 300
_SHOWN = 100


@dataclass(slots=True)
class Report:
    """What one run saw and did; `removed` in a dry run is what it would have removed."""

    dry_run: bool
    seen: int = 0
    rows: int = 0
    removed: list[str] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def out(self) -> dict[str, Any]:
        return {
            "dryRun": self.dry_run,
            "objectsSeen": self.seen,
            "artworksSeen": self.rows,
            "objectsRemoved": len(self.removed),
            "removed": self.removed[:_SHOWN],
            "missing": self.missing[:_SHOWN],
            "failed": self.failed,
        }


async def sweep(platform: Platform, *, dry_run: bool = False) -> Report:
    """One run over a bounded part of everything. A part that fails is named, the others go on."""
    report = Report(dry_run)
    # Originals last: the claims they are removed under would protect their renditions.
    for prefix in (*FOLDERS.values(), ORIGINALS):
        await _part(platform, report, prefix, _sweep_folder(platform, report, prefix))
    await _part(platform, report, "artworks", _check_rows(platform, report))
    if not dry_run:
        oldest = int((platform.now() - CLAIM_SECONDS) * 1000)
        await _part(platform, report, "claims", transact(platform, (sql.FORGET_CLAIMS, (oldest,))))
    platform.log({"event": "sweep", **report.out()})
    return report


async def _part(platform: Platform, report: Report, name: str, work: Any) -> None:
    try:
        await work
    except (PortError, GalleryError) as error:
        platform.log({"event": "sweep_failed", "part": name, "reason": repr(error)})
        report.failed.append(name)


async def _sweep_folder(platform: Platform, report: Report, prefix: str) -> None:
    position = await _position(platform, prefix)
    for _ in range(PAGES):
        page, more = await platform.objects.list(prefix, position, PAGE)
        report.seen += len(page)
        last = page[-1].key if page else ""
        page = await _without_named(platform, page)
        orphans = await _orphans(platform, report, prefix, page)
        if orphans and not report.dry_run:
            await platform.objects.delete(orphans)
        report.removed += orphans
        position = last if more else ""
        await _save_position(platform, report, prefix, position)
        if not position:
            return


async def _without_named(platform: Platform, page: list[ObjectInfo]) -> list[ObjectInfo]:
    """The objects that no artwork of another program names in its URLs."""
    rows = await transact(platform, (sql.NAMED_OF, (json.dumps([info.key for info in page]),)))
    named = {row["key"] for row in rows[0]}
    return [info for info in page if info.key not in named]


async def _orphans(platform: Platform, report: Report, prefix: str, page: list[ObjectInfo]) -> list[str]:
    if prefix == ORIGINALS:
        old = [info.key for info in page if info.uploaded <= platform.now() - ORIGINAL_SECONDS]
        return await _orphaned_originals(platform, report, [key for key in old if parse_original(key)])
    return await _orphaned_renditions(platform, [r for info in page if (r := parse_rendition(info.key))])


async def _orphaned_originals(platform: Platform, report: Report, keys: list[str]) -> list[str]:
    if not keys:
        return []
    now = int(platform.now() * 1000)
    if report.dry_run:
        recorded, claimed = await _known(platform, keys)
        return [key for key in keys if key not in recorded and key not in claimed]
    # A create that comes now meets the claim, and one that came before holds it: no original is removed
    # from under a create.
    claim = (sql.CLAIM_ORPHANS, (json.dumps(keys), platform.uuid(), now + HOLD_SECONDS * 1000, now))
    return sorted(row["original_key"] for row in (await transact(platform, claim))[0])


async def _orphaned_renditions(platform: Platform, renditions: list[RenditionKey]) -> list[str]:
    """Those that no record names and nobody may still record: without a claim in force no create can."""
    if not renditions:
        return []
    originals = {r: r.possible_originals() for r in renditions}
    every = [key for keys in originals.values() for key in keys]
    versions, claimed = await _known(platform, every)

    def is_needed(rendition: RenditionKey) -> bool:
        keys = originals[rendition]
        return any(versions.get(key) == rendition.version or key in claimed for key in keys)

    return [str(rendition) for rendition in renditions if not is_needed(rendition)]


async def _known(platform: Platform, keys: Iterable[str]) -> tuple[dict[str, int], set[str]]:
    """The versions of recorded originals, and which are claimed, at one moment: a commit ends the claim."""
    names, now = json.dumps(list(keys)), int((platform.now() - CLAIM_MARGIN) * 1000)
    versions, claims = await transact(platform, (sql.VERSIONS_OF, (names,)), (sql.CLAIMED_OF, (names, now)))
    return {row["original_key"]: row["version"] for row in versions}, {row["original_key"] for row in claims}


async def _check_rows(platform: Platform, report: Report) -> None:
    position = await _position(platform, "artworks")
    rows = (await transact(platform, (sql.ROWS_AFTER, (position, ROWS))))[0]
    report.rows += len(rows)
    for row in rows:
        missing = await _missing(platform, row["original_key"], row["version"])
        # What was changed or removed while we looked is not missing.
        recorded = (await _known(platform, [row["original_key"]]))[0] if missing else {}
        if missing and recorded == {row["original_key"]: row["version"]}:
            report.missing.append({"artwork": row["id"], "keys": missing})
    position = rows[-1]["id"] if len(rows) == ROWS else ""
    await _save_position(platform, report, "artworks", position)


async def _missing(platform: Platform, original_key: str, version: int) -> list[str]:
    original = parse_original(original_key)
    if original is None:  # another program's
        return []
    keys = [original_key, *rendition_keys(original, version).values()]
    found = await asyncio.gather(*(platform.objects.head(key) for key in keys))
    return [key for key, info in zip(keys, found, strict=True) if info is None]


async def _position(platform: Platform, walk: str) -> str:
    row = await only(platform, (sql.POSITION, (walk,)))
    return str(row["position"]) if row else ""


async def _save_position(platform: Platform, report: Report, walk: str, position: str) -> None:
    if not report.dry_run:
        await transact(platform, (sql.SAVE_POSITION, (walk, position)))
