"""Every SQL statement of the gateway. Each may be run twice: a repetition changes nothing more."""

from __future__ import annotations

# One text crosses from JavaScript to Python, not two dozen values; its order is that of `Artwork`'s fields.
_ARTWORK = """
SELECT json_array(a.id, a.user_id, u.username, a.slug, a.title, a.description, a.materials, a.dimensions,
                  a.created_date, a.category, a.original_key, a.version, a.width, a.height, a.original_width,
                  a.original_height, a.dominant_color, a.thumb_hash, a.status, a.revision, a.processed_at,
                  a.created_at, a.updated_at, json(a.tags), a.is_featured) AS artwork
FROM artworks a JOIN users u ON u.id = a.user_id
"""

PING = "SELECT 1 AS one"
USER = "SELECT id, username, artwork_limit, artwork_count FROM users WHERE id = ?1"
ARTWORK = f"{_ARTWORK} WHERE a.id = ?1"
ARTWORK_OF_ORIGINAL = f"{_ARTWORK} WHERE a.original_key = ?1"
ARTWORK_BY_SLUG = f"{_ARTWORK} WHERE u.username = ?1 AND a.slug = ?2"

# Takes the claim when it is free, has expired or is the holder's own already.
# ?1 original key, ?2 holder, ?3 expires at, ?4 now
CLAIM = """
INSERT INTO claims (original_key, holder, attempt, expires_at)
VALUES (?1, ?2, 1 + COALESCE((SELECT version FROM artworks WHERE original_key = ?1), 0), ?3)
ON CONFLICT (original_key) DO UPDATE SET
  attempt = claims.attempt + (claims.holder <> excluded.holder),
  holder = excluded.holder,
  expires_at = excluded.expires_at
WHERE claims.expires_at <= ?4 OR claims.holder = excluded.holder
RETURNING attempt
"""

# The row stays, and with it the number of attempts; a commit that is still on its way finds no holder.
# ?1 original key, ?2 holder, ?3 now
RELEASE = "UPDATE claims SET holder = '', expires_at = ?3 WHERE original_key = ?1 AND holder = ?2"

CLAIM_OF = "SELECT attempt, expires_at FROM claims WHERE original_key = ?1"

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
# ?21 holder of the claim, ?22 to ?25 URLs of original, display version, thumbnail and icon,
# ?26 now in milliseconds: once the claim is over the sweeper may have taken the renditions
INSERT_ARTWORK = f"""
INSERT INTO artworks (id, user_id, slug, title, description, materials, dimensions, created_date, category,
                      tags, original_key, version, original_url, display_url, thumbnail_url, icon_url,
                      width, height, original_width, original_height,
                      dominant_color, thumb_hash, processed_at, created_at, updated_at)
SELECT ?1, ?2, {_FREE_SLUG}, ?4, ?5, ?6, ?7, ?8, ?9,
       ?10, ?11, ?12, ?22, ?23, ?24, ?25, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?20
FROM users
WHERE id = ?2 AND artwork_count < artwork_limit
  AND EXISTS (SELECT 1 FROM claims WHERE original_key = ?11 AND holder = ?21 AND expires_at > ?26)
"""  # noqa: S608 (only the constant above is put in)

# ?1 user, ?2 artwork, ?3 original key, ?4 holder of the claim
COUNT_ARTWORK = """
UPDATE users SET artwork_count = artwork_count + 1
WHERE id = ?1 AND EXISTS (SELECT 1 FROM artworks WHERE id = ?2)
  AND EXISTS (SELECT 1 FROM claims WHERE original_key = ?3 AND holder = ?4)
"""

# The end of a claim whose work is recorded. ?1 original key, ?2 holder, ?3 artwork
SETTLE_CLAIM = """
DELETE FROM claims WHERE original_key = ?1 AND holder = ?2 AND EXISTS (SELECT 1 FROM artworks WHERE id = ?3)
"""

# Two changes of one artwork never overwrite each other: each names the revision it has read.
# ?1 id, ?2 revision, ?3 title, ?4 description, ?5 materials, ?6 dimensions, ?7 created date, ?8 category,
# ?9 tags, ?10 featured, ?11 now
UPDATE_ARTWORK = """
UPDATE artworks SET title = ?3, description = ?4, materials = ?5, dimensions = ?6, created_date = ?7,
  category = ?8, tags = ?9, is_featured = ?10, updated_at = ?11, revision = revision + 1
WHERE id = ?1 AND revision = ?2
"""

# ?1 id, ?2 original key, ?3 holder of the claim, ?4 version, ?5 ?6 width and height, ?7 ?8 those of the
# original, ?9 dominant colour, ?10 ThumbHash, ?11 processed at, ?12 now, ?13 to ?16 the four URLs,
# ?17 now in milliseconds
RENEW_ARTWORK = """
UPDATE artworks SET version = ?4, width = ?5, height = ?6, original_width = ?7, original_height = ?8,
  dominant_color = ?9, thumb_hash = ?10, processed_at = ?11, updated_at = ?12, revision = revision + 1,
  original_url = ?13, display_url = ?14, thumbnail_url = ?15, icon_url = ?16
WHERE id = ?1
  AND EXISTS (SELECT 1 FROM claims WHERE original_key = ?2 AND holder = ?3 AND expires_at > ?17)
"""

# The three statements of a removal. The claim keeps creates away while the objects go.
# ?1 id, ?2 revision
UNCOUNT_ARTWORK = """
UPDATE users SET artwork_count = artwork_count - 1
WHERE artwork_count > 0 AND id = (SELECT user_id FROM artworks WHERE id = ?1 AND revision = ?2)
"""
# ?1 id, ?2 revision, ?3 holder, ?4 expires at
CLAIM_REMOVED = """
INSERT INTO claims (original_key, holder, attempt, expires_at)
SELECT original_key, ?3, version, ?4 FROM artworks WHERE id = ?1 AND revision = ?2
ON CONFLICT (original_key) DO UPDATE SET
  attempt = MAX(claims.attempt, excluded.attempt), holder = excluded.holder, expires_at = excluded.expires_at
"""
DELETE_ARTWORK = "DELETE FROM artworks WHERE id = ?1 AND revision = ?2"

# Lists of keys travel as one JSON text.
VERSIONS_OF = """
SELECT original_key, version FROM artworks WHERE original_key IN (SELECT value FROM json_each(?1))
"""
# ?1 keys, ?2 now
CLAIMED_OF = """
SELECT original_key FROM claims
WHERE expires_at > ?2 AND original_key IN (SELECT value FROM json_each(?1))
"""
# Takes the claims of all originals without a row that nobody works on.
# ?1 keys, ?2 holder, ?3 expires at, ?4 now
CLAIM_ORPHANS = """
INSERT INTO claims (original_key, holder, attempt, expires_at)
SELECT value, ?2, 1, ?3 FROM json_each(?1)
WHERE NOT EXISTS (SELECT 1 FROM artworks WHERE original_key = value)
ON CONFLICT (original_key) DO UPDATE SET
  attempt = claims.attempt + (claims.holder <> excluded.holder),
  holder = excluded.holder,
  expires_at = excluded.expires_at
WHERE claims.expires_at <= ?4 OR claims.holder = excluded.holder
RETURNING original_key
"""
FORGET_CLAIMS = "DELETE FROM claims WHERE expires_at <= ?1"
# ?1 id to go on after, ?2 how many
ROWS_AFTER = "SELECT id, original_key, version FROM artworks WHERE id > ?1 ORDER BY id LIMIT ?2"
POSITION = "SELECT position FROM sweep_positions WHERE walk = ?1"
SAVE_POSITION = """
INSERT INTO sweep_positions (walk, position) VALUES (?1, ?2)
ON CONFLICT (walk) DO UPDATE SET position = excluded.position
"""

# Lists. The rowids of the full-text index are positions: a page is read from them in order, without sorting.
# ?1 only positions below this one, ?2 at most so many. D1 binds a number as REAL, which FTS5 cannot seek.
_LISTED = f"p.position, ({_ARTWORK} WHERE a.id = p.artwork_id) AS artwork"
_FOUND = "FROM artwork_search s CROSS JOIN artwork_positions p ON p.position = s.rowid"
_NEXT = "s.rowid < CAST(?1 AS INTEGER) ORDER BY s.rowid DESC LIMIT ?2"
NEWEST = f"SELECT {_LISTED} FROM artwork_positions p WHERE p.position < ?1 ORDER BY p.position DESC LIMIT ?2"  # noqa: S608
# ?3 expression
SEARCH = f"SELECT {_LISTED} {_FOUND} WHERE artwork_search MATCH ?3 AND {_NEXT}"
# ?3 name of a facet
NEWEST_OF_FACET = f"""
SELECT {_LISTED} {_FOUND}
WHERE artwork_search MATCH COALESCE((SELECT '"' || token || '"' FROM search_facets WHERE name = ?3), '""')
  AND {_NEXT}
"""  # noqa: S608

# How far down so many matches of one term reach; no position when there are fewer.
# ?1 only positions below this one, ?2 matches to pass over, ?3 name of a facet or term
FACET_REACH = """
SELECT '"' || token || '"' AS term, (
  SELECT rowid FROM artwork_search
  WHERE artwork_search MATCH '"' || token || '"' AND rowid < CAST(?1 AS INTEGER)
  ORDER BY rowid DESC LIMIT 1 OFFSET ?2
) AS reach
FROM search_facets WHERE name = ?3
"""
WORD_REACH = """
SELECT ?3 AS term, (
  SELECT rowid FROM artwork_search
  WHERE artwork_search MATCH ?3 AND rowid < CAST(?1 AS INTEGER)
  ORDER BY rowid DESC LIMIT 1 OFFSET ?2
) AS reach
"""
# ?1 only those that begin below this position, ?2 at most so many
BLOCKS = """
SELECT start, '"' || token || '"' AS term FROM search_blocks WHERE start < ?1 ORDER BY start DESC LIMIT ?2
"""
