-- Artworks as other programs write them, too: 'active' in place of 'ready', and what is ours may be absent.
PRAGMA defer_foreign_keys = ON;

CREATE TABLE artworks_0003 (
  id              TEXT PRIMARY KEY,
  user_id         TEXT NOT NULL REFERENCES users (id),
  slug            TEXT NOT NULL,
  title           TEXT NOT NULL,
  description     TEXT,
  materials       TEXT,
  dimensions      TEXT,
  created_date    TEXT,
  category        TEXT DEFAULT 'other',
  tags            TEXT,             -- a JSON array, NULL when there are none
  original_key    TEXT,
  original_etag   TEXT,
  version         INTEGER NOT NULL DEFAULT 1, -- of the renditions, part of their keys
  original_url    TEXT,             -- the URLs as the create answered them
  display_url     TEXT,
  thumbnail_url   TEXT,
  icon_url        TEXT,
  width           INTEGER,          -- of the display rendition
  height          INTEGER,
  original_width  INTEGER,          -- of the original, upright
  original_height INTEGER,
  dominant_color  TEXT,
  thumb_hash      TEXT,
  status          TEXT NOT NULL DEFAULT 'active',
  is_featured     INTEGER NOT NULL DEFAULT 0,
  revision        INTEGER NOT NULL DEFAULT 1, -- of the row, part of its ETag
  processed_at    TEXT,
  created_at      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  updated_at      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  created_ms      INTEGER GENERATED ALWAYS AS (
    CASE
      WHEN created_at <> '' AND created_at NOT GLOB '*[^0-9.]*' THEN
        CAST(CAST(created_at AS REAL) * iif(CAST(created_at AS REAL) < 100000000000, 1000, 1) AS INTEGER)
      WHEN created_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' AND strftime('%s', created_at) IS NOT NULL
        THEN strftime('%s', created_at) * 1000 + substr(strftime('%f', created_at), 4)
      ELSE 0
    END
  ) VIRTUAL
);

INSERT INTO artworks_0003 (
  id, user_id, slug, title, description, materials, dimensions, created_date, category, tags,
  original_key, original_etag, version, original_url, display_url, thumbnail_url, icon_url, width,
  height, original_width, original_height, dominant_color, thumb_hash, status, is_featured, revision,
  processed_at, created_at, updated_at
)
SELECT
  id, user_id, slug, title, description, materials, dimensions, created_date, category, nullif(tags,
  '[]'), original_key, original_etag, version, original_url, display_url, thumbnail_url, icon_url,
  width, height, original_width, original_height, dominant_color, thumb_hash, iif(status = 'ready',
  'active', status), is_featured, revision, processed_at, created_at, updated_at
FROM artworks;

DROP TABLE artworks;
ALTER TABLE artworks_0003 RENAME TO artworks;

CREATE UNIQUE INDEX artworks_by_slug ON artworks (user_id, slug);
CREATE UNIQUE INDEX artworks_by_original ON artworks (original_key);
CREATE INDEX artworks_newest ON artworks (created_ms DESC, id DESC) WHERE status = 'active';
CREATE INDEX artworks_newest_of_user
  ON artworks (user_id, created_ms DESC, id DESC) WHERE status = 'active';
CREATE INDEX artworks_newest_of_category
  ON artworks (category, created_ms DESC, id DESC) WHERE status = 'active';

-- The keys in the URLs of rows without original_key (up to a question mark), so that the sweeper spares them.
CREATE INDEX artworks_named_originals
  ON artworks (substr(original_url, instr(original_url, '/originals/') + 1, instr(original_url || char(63), char(63)) - instr(original_url, '/originals/') - 1))
  WHERE original_key IS NULL;
CREATE INDEX artworks_named_displays
  ON artworks (substr(display_url, instr(display_url, '/display/') + 1, instr(display_url || char(63), char(63)) - instr(display_url, '/display/') - 1))
  WHERE original_key IS NULL;
CREATE INDEX artworks_named_thumbnails
  ON artworks (substr(thumbnail_url, instr(thumbnail_url, '/thumbnails/') + 1, instr(thumbnail_url || char(63), char(63)) - instr(thumbnail_url, '/thumbnails/') - 1))
  WHERE original_key IS NULL;
CREATE INDEX artworks_named_icons
  ON artworks (substr(icon_url, instr(icon_url, '/icons/') + 1, instr(icon_url || char(63), char(63)) - instr(icon_url, '/icons/') - 1))
  WHERE original_key IS NULL;
