"""The table `artworks`: its SQL, and how a row becomes an Artwork."""

from __future__ import annotations

import json
from typing import Any

from gallery.artwork import Artwork
from gallery.ports import Row
from gallery.store.database import NOW as _NOW
from gallery.times import iso, iso_of

# One text crosses from JavaScript to Python, not two dozen values; its order is that of `Artwork`'s fields.
_ARTWORK = """
SELECT json_array(CAST(a.id AS TEXT), CAST(a.user_id AS TEXT), COALESCE(u.username, a.user_id), a.slug,
                  a.title, a.description, a.materials, a.dimensions,
                  a.created_date, COALESCE(NULLIF(a.category, ''), 'other'), a.original_key, a.original_url,
                  a.display_url, a.thumbnail_url, a.icon_url, a.version, a.width, a.height, a.original_width,
                  a.original_height, a.dominant_color, a.thumb_hash, a.original_etag, a.status, a.revision,
                  a.processed_at, a.created_ms, a.updated_at, a.tags, a.is_featured) AS artwork
FROM artworks a LEFT JOIN users u ON u.id = a.user_id
"""
ARTWORK = f"{_ARTWORK} WHERE a.id = ?1"
ARTWORK_OF_ORIGINAL = f"{_ARTWORK} WHERE a.original_key = ?1"
ARTWORK_BY_SLUG = f"{_ARTWORK} WHERE u.username = ?1 AND a.slug = ?2"

# The smallest free one of slug, slug-1, slug-2, … A gap can only be at 0, at 1 or after a number in use.
_FREE_SLUG = """(
  SELECT CASE MIN(n) WHEN 0 THEN ?3 ELSE ?3 || '-' || MIN(n) END FROM (
    SELECT 0 AS n UNION SELECT 1 UNION
    SELECT CAST(substr(slug, length(?3) + 2) AS INTEGER) + 1 FROM artworks
    WHERE user_id = ?2 AND slug > ?3 || '-' AND slug < ?3 || '.'
  ) WHERE NOT EXISTS (
    SELECT 1 FROM artworks WHERE user_id = ?2 AND slug = CASE n WHEN 0 THEN ?3 ELSE ?3 || '-' || n END
  )
)"""

# ?1 id, ?2 user, ?3 slug, ?4 title, ?5 description, ?6 materials, ?7 dimensions, ?8 created date,
# ?9 category, ?10 tags, ?11 original key, ?12 version, ?13 ?14 width and height,
# ?15 ?16 those of the original, ?17 dominant colour, ?18 ThumbHash, ?19 processed at, ?20 now,
# ?21 holder of the lease, ?22 to ?25 URLs of original, display version, thumbnail and icon,
# ?26 ETag of the original. Once the lease is over, by D1's clock, the sweeper may have taken the renditions.
INSERT_ARTWORK = f"""
INSERT INTO artworks (id, user_id, slug, title, description, materials, dimensions, created_date, category,
                      tags, original_key, version, original_url, display_url, thumbnail_url, icon_url,
                      width, height, original_width, original_height,
                      dominant_color, thumb_hash, processed_at, created_at, updated_at, original_etag, status)
SELECT ?1, ?2, {_FREE_SLUG}, ?4, ?5, ?6, ?7, ?8, ?9,
       ?10, ?11, ?12, ?22, ?23, ?24, ?25, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?20, ?26, 'active'
FROM users
WHERE id = ?2 AND users.status = 'active' AND artwork_count < artwork_limit
  AND EXISTS (SELECT 1 FROM uploads WHERE key = ?11 AND holder = ?21 AND lease_until > {_NOW})
"""  # noqa: S608 (only constants are put in)

# ?1 user, ?2 artwork, ?3 original key, ?4 holder of the lease
COUNT_ARTWORK = """
UPDATE users SET artwork_count = artwork_count + 1
WHERE id = ?1 AND EXISTS (SELECT 1 FROM artworks WHERE id = ?2)
  AND EXISTS (SELECT 1 FROM uploads WHERE key = ?3 AND holder = ?4)
"""

# Two changes of one artwork never overwrite each other: each names the revision it has read.
# ?1 id, ?2 revision, ?3 title, ?4 description, ?5 materials, ?6 dimensions, ?7 created date, ?8 category,
# ?9 tags, ?10 featured, ?11 now
UPDATE_ARTWORK = """
UPDATE artworks SET title = ?3, description = ?4, materials = ?5, dimensions = ?6, created_date = ?7,
  category = ?8, tags = ?9, is_featured = ?10, updated_at = ?11, revision = revision + 1
WHERE id = ?1 AND revision = ?2
"""

# ?1 id, ?2 original key, ?3 holder of the lease, ?4 version, ?5 ?6 width and height, ?7 ?8 those of the
# original, ?9 dominant colour, ?10 ThumbHash, ?11 processed at, ?12 now, ?13 to ?16 the four URLs,
# ?17 the original's ETag
RENEW_ARTWORK = f"""
UPDATE artworks SET version = ?4, width = ?5, height = ?6, original_width = ?7, original_height = ?8,
  dominant_color = ?9, thumb_hash = ?10, processed_at = ?11, updated_at = ?12, revision = revision + 1,
  original_url = ?13, display_url = ?14, thumbnail_url = ?15, icon_url = ?16,
  original_etag = COALESCE(original_etag, ?17)
WHERE id = ?1
  AND EXISTS (SELECT 1 FROM uploads WHERE key = ?2 AND holder = ?3 AND lease_until > {_NOW})
"""  # noqa: S608 (only constants are put in)

# A removal, with `uploads.remove` between the two. ?1 id, ?2 revision
UNCOUNT_ARTWORK = """
UPDATE users SET artwork_count = artwork_count - 1
WHERE artwork_count > 0 AND id = (SELECT user_id FROM artworks WHERE id = ?1 AND revision = ?2)
"""
DELETE_ARTWORK = "DELETE FROM artworks WHERE id = ?1 AND revision = ?2"

# Lists of keys travel as one JSON text.
RECORDED_OF = """
SELECT id, original_key, version, original_etag, original_url FROM artworks
WHERE original_key IN (SELECT value FROM json_each(?1))
"""
# ?1 id to go on after, ?2 how many
ROWS_AFTER = """
SELECT id, original_key, version, original_etag FROM artworks
WHERE id > ?1 AND original_key IS NOT NULL ORDER BY id LIMIT ?2
"""
# Which of these keys are named by the URLs of artworks that another program recorded. ?1 keys
NAMED_OF = " UNION ALL ".join(
    f"""
SELECT value AS key FROM json_each(?1) WHERE EXISTS (
  SELECT 1 FROM artworks
  WHERE original_key IS NULL AND value = substr(
    {column}, instr({column}, '/{folder}/') + 1,
    instr({column} || char(63), char(63)) - instr({column}, '/{folder}/') - 1
  )
)
"""  # noqa: S608 (only the constants below are put in)
    for column, folder in (
        ("original_url", "originals"),
        ("display_url", "display"),
        ("thumbnail_url", "thumbnails"),
        ("icon_url", "icons"),
    )
)


def artwork_of(row: Row) -> Artwork:
    *values, processed, created_ms, updated, tags, is_featured = json.loads(row["artwork"])
    created = iso(created_ms / 1000)
    read: list[Any] = [
        iso_of(processed),
        created,
        iso_of(updated) or created,
        tags_of(tags),
        bool(is_featured),
    ]
    return Artwork(*values, *read)


def tags_of(text: str | None) -> tuple[str, ...]:
    """Recorded tags: a JSON array, or what another program writes: texts between commas."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        found = None
    parts = found if isinstance(found, list) else str(text).split(",")
    return tuple(tag for part in parts if (tag := str(part).strip()))


def text_of_tags(tags: tuple[str, ...]) -> str | None:
    """Tags as they are recorded; None when there are none."""
    return json.dumps(tags, ensure_ascii=False) if tags else None
