"""The table `artworks`: its statements, and how a row becomes an Artwork.

Column lists come from the dataclasses. Each statement is idempotent: repeating it changes nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gallery.artwork import ACTIVE, OTHER, Artwork, Description, Rendered
from gallery.keys import ORIGINALS
from gallery.names import slug_of
from gallery.ports import Row, Statement
from gallery.store.database import NOW, assigned, bind, columns, json_list, listed, packed, unpacked
from gallery.times import iso, iso_of
from gallery.variants import VARIANTS

_FIELDS = columns(Artwork)
# How fields are read that are not simply the column of their name. Another program may leave columns empty.
_READ = {
    "id": "CAST(a.id AS TEXT)",
    "user_id": "CAST(a.user_id AS TEXT)",
    "username": "COALESCE(u.username, a.user_id)",
    "category": f"COALESCE(NULLIF(a.category, ''), '{OTHER}')",
    "created_at": "a.created_ms",
}
SELECT = f"""
SELECT {packed(_READ.get(name, f"a.{name}") for name in _FIELDS)} AS artwork
FROM artworks a LEFT JOIN users u ON u.id = a.user_id
"""  # noqa: S608 (constants only, here and below)
FIND = f"{SELECT} WHERE a.id = :id"
FIND_BY_ORIGINAL = f"{SELECT} WHERE a.original_key = :key"
FIND_BY_SLUG = f"{SELECT} WHERE u.username = :username AND a.slug = :slug"

# The smallest free one of slug, slug-1, slug-2, … A gap can only be at 0, at 1 or after a number in use.
_FREE_SLUG = """(
  SELECT CASE MIN(n) WHEN 0 THEN :slug ELSE :slug || '-' || MIN(n) END FROM (
    SELECT 0 AS n UNION SELECT 1 UNION
    SELECT CAST(substr(slug, length(:slug) + 2) AS INTEGER) + 1 FROM artworks
    WHERE user_id = :user_id AND slug > :slug || '-' AND slug < :slug || '.'
  ) WHERE NOT EXISTS (
    SELECT 1 FROM artworks
    WHERE user_id = :user_id AND slug = CASE n WHEN 0 THEN :slug ELSE :slug || '-' || n END
  )
)"""
_DESCRIPTION = columns(Description)
_RENDERED = columns(Rendered)
_INSERTED = {
    **{name: f":{name}" for name in ("id", "user_id", "original_key", *_DESCRIPTION, *_RENDERED)},
    "slug": _FREE_SLUG,
    "status": f"'{ACTIVE}'",
    "created_at": ":now",
    "updated_at": ":now",
}
# After the end of the lease, by D1's clock, the sweeper may have deleted the renditions.
_HOLDS_LEASE = f"""
EXISTS (SELECT 1 FROM uploads WHERE key = :original_key AND holder = :holder AND lease_until > {NOW})
"""  # noqa: S608
INSERT = f"""
INSERT INTO artworks ({listed(_INSERTED)})
SELECT {listed(_INSERTED.values())} FROM users
WHERE id = :user_id AND users.status = 'active' AND artwork_count < artwork_limit AND {_HOLDS_LEASE}
"""  # noqa: S608
COUNT = """
UPDATE users SET artwork_count = artwork_count + 1
WHERE id = :user_id AND EXISTS (SELECT 1 FROM artworks WHERE id = :id)
  AND EXISTS (SELECT 1 FROM uploads WHERE key = :original_key AND holder = :holder)
"""

# Each change names the revision that it was made from, so that none overwrites another.
_EDITABLE = (*_DESCRIPTION, "is_featured")
UPDATE = f"""
UPDATE artworks SET {assigned(_EDITABLE)}, updated_at = :updated_at, revision = revision + 1
WHERE id = :id AND revision = :revision
"""  # noqa: S608
# The ETag stays the first that was noted: a later original may be another picture.
RENEW = f"""
UPDATE artworks SET {assigned(name for name in _RENDERED if name != "original_etag")},
  original_etag = COALESCE(original_etag, :original_etag), updated_at = :now, revision = revision + 1
WHERE id = :id AND {_HOLDS_LEASE}
"""  # noqa: S608

# A removal, with `uploads.remove` between the two.
UNCOUNT = """
UPDATE users SET artwork_count = artwork_count - 1
WHERE artwork_count > 0 AND id = (SELECT user_id FROM artworks WHERE id = :id AND revision = :revision)
"""
DELETE = "DELETE FROM artworks WHERE id = :id AND revision = :revision"


@dataclass(frozen=True, slots=True)
class Record:
    """What the sweeper and the audit need of an artwork that has an original of ours."""

    id: str
    original_key: str
    version: int
    original_etag: str | None
    original_url: str | None
    display_sizes: tuple[tuple[int, int], ...]


_RECORD = listed(columns(Record))
RECORDS_OF_ORIGINALS = f"""
SELECT {_RECORD} FROM artworks WHERE original_key IN (SELECT value FROM json_each(:keys))
"""  # noqa: S608
RECORDS_AFTER = f"""
SELECT {_RECORD} FROM artworks WHERE id > :id AND original_key IS NOT NULL ORDER BY id LIMIT :most
"""  # noqa: S608
_FOLDER_OF_URL = {"original_url": ORIGINALS} | {f"{spec.name}_url": spec.folder for spec in VARIANTS.values()}
# Which keys are in the URLs of artworks that another program recorded.
REFERENCED = " UNION ALL ".join(
    f"""
SELECT value AS key FROM json_each(:keys) WHERE EXISTS (
  SELECT 1 FROM artworks
  WHERE original_key IS NULL AND value = substr(
    {column}, instr({column}, '/{folder}') + 1,
    instr({column} || char(63), char(63)) - instr({column}, '/{folder}') - 1
  )
)
"""  # noqa: S608
    for column, folder in _FOLDER_OF_URL.items()
)


def find(artwork_id: str) -> Statement:
    return bind(FIND, id=artwork_id)


def find_by_original(key: str) -> Statement:
    return bind(FIND_BY_ORIGINAL, key=key)


def find_by_slug(username: str, slug: str) -> Statement:
    return bind(FIND_BY_SLUG, username=username, slug=slug)


def insert(
    artwork_id: str,
    user_id: str,
    original_key: str,
    description: Description,
    rendered: Rendered,
    *,
    holder: str,
    now: str,
) -> Statement:
    """Records a new artwork, while `holder` has the lease and the user has room for it."""
    return bind(
        INSERT,
        id=artwork_id,
        user_id=user_id,
        original_key=original_key,
        slug=slug_of(description.title),
        holder=holder,
        now=now,
        **_encoded(asdict(description)),
        **_encoded(asdict(rendered)),
    )


def count(artwork_id: str, user_id: str, original_key: str, holder: str) -> Statement:
    """Adds the artwork to its user's count, after `insert` and before the lease is given back."""
    return bind(COUNT, id=artwork_id, user_id=user_id, original_key=original_key, holder=holder)


def update(artwork: Artwork) -> Statement:
    """Writes the editable columns, unless another change came after the revision before this one."""
    values = _encoded({name: getattr(artwork, name) for name in _EDITABLE})
    return bind(UPDATE, id=artwork.id, revision=artwork.revision - 1, updated_at=artwork.updated_at, **values)


def renew(artwork_id: str, original_key: str, rendered: Rendered, *, holder: str, now: str) -> Statement:
    """Records new renditions, while `holder` has the lease."""
    return bind(
        RENEW, id=artwork_id, original_key=original_key, holder=holder, now=now, **_encoded(asdict(rendered))
    )


def uncount(artwork_id: str, revision: int) -> Statement:
    return bind(UNCOUNT, id=artwork_id, revision=revision)


def delete(artwork_id: str, revision: int) -> Statement:
    return bind(DELETE, id=artwork_id, revision=revision)


def records_of_originals(keys: Iterable[str]) -> Statement:
    return bind(RECORDS_OF_ORIGINALS, keys=json_list(keys))


def records_after(artwork_id: str, most: int) -> Statement:
    """Records in the order of their ids."""
    return bind(RECORDS_AFTER, id=artwork_id, most=most)


def referenced(keys: Iterable[str]) -> Statement:
    return bind(REFERENCED, keys=json_list(keys))


def artwork_of(row: Row) -> Artwork:
    """The artwork in a row of SELECT."""
    values = unpacked(_FIELDS, row["artwork"])
    decoded = {name: _DECODE.get(name, _unchanged)(value) for name, value in values.items()}
    return Artwork(**decoded | {"updated_at": decoded["updated_at"] or decoded["created_at"]})


def record_of(row: Row) -> Record:
    values = {name: row[name] for name in columns(Record)}
    return Record(**values | {"display_sizes": sizes_of(values["display_sizes"])})


def tags_of(text: str | None) -> tuple[str, ...]:
    """Recorded tags: a JSON array, or what another program writes: texts between commas."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        found = None
    parts = found if isinstance(found, list) else str(text).split(",")
    return tuple(tag for part in parts if (tag := str(part).strip()))


def sizes_of(text: str | None) -> tuple[tuple[int, int], ...]:
    """Recorded widths and heights: a JSON array of pairs."""
    return tuple((width, height) for width, height in json.loads(text or "[]"))


def _text_of_sizes(sizes: tuple[tuple[int, int], ...]) -> str | None:
    return json.dumps(sizes, separators=(",", ":")) if sizes else None


def _unchanged(value: Any) -> Any:
    return value


def _text_of_tags(tags: tuple[str, ...]) -> str | None:
    return json.dumps(tags, ensure_ascii=False) if tags else None


def _encoded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _ENCODE.get(name, _unchanged)(value) for name, value in values.items()}


_DECODE: dict[str, Callable[[Any], Any]] = {
    "tags": tags_of,
    "display_sizes": sizes_of,
    "is_featured": bool,
    "processed_at": iso_of,
    "created_at": lambda milliseconds: iso(milliseconds / 1000),
    "updated_at": iso_of,
}
_ENCODE: dict[str, Callable[[Any], Any]] = {
    "tags": _text_of_tags,
    "display_sizes": _text_of_sizes,
    "is_featured": int,
}
