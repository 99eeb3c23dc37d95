-- The whole D1 schema. Running it again changes nothing.
-- Answers derive URLs from original_key, version and R2_CDN_DOMAIN, so a domain may change; the row keeps those
-- that were valid when its renditions were made.
-- Times are written as ISO 8601 in UTC with milliseconds; those of uploads are milliseconds since 1970, by D1's clock.

CREATE TABLE IF NOT EXISTS users (
  id            TEXT PRIMARY KEY,
  username      TEXT NOT NULL UNIQUE COLLATE NOCASE,
  artwork_limit INTEGER NOT NULL DEFAULT 50 CHECK (artwork_limit >= 0),
  artwork_count INTEGER NOT NULL DEFAULT 0 CHECK (artwork_count >= 0),
  created_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

-- Other programs may write artworks, too: who leaves out what is ours gets defaults, and a row without
-- original_key is served by its URLs. Its times may be ISO 8601, SQLite's own form, or seconds or milliseconds
-- since 1970; created_ms is all of them alike. Only artworks with the status 'active' are public.
CREATE TABLE IF NOT EXISTS artworks (
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

CREATE UNIQUE INDEX IF NOT EXISTS artworks_by_slug ON artworks (user_id, slug);
CREATE UNIQUE INDEX IF NOT EXISTS artworks_by_original ON artworks (original_key);
CREATE INDEX IF NOT EXISTS artworks_newest ON artworks (created_ms DESC, id DESC) WHERE status = 'active';
CREATE INDEX IF NOT EXISTS artworks_newest_of_user
  ON artworks (user_id, created_ms DESC, id DESC) WHERE status = 'active';
CREATE INDEX IF NOT EXISTS artworks_newest_of_category
  ON artworks (category, created_ms DESC, id DESC) WHERE status = 'active';

-- The keys in the URLs of rows without original_key (up to a question mark), so that the sweeper spares them.
CREATE INDEX IF NOT EXISTS artworks_named_originals
  ON artworks (substr(original_url, instr(original_url, '/originals/') + 1, instr(original_url || char(63), char(63)) - instr(original_url, '/originals/') - 1))
  WHERE original_key IS NULL;
CREATE INDEX IF NOT EXISTS artworks_named_displays
  ON artworks (substr(display_url, instr(display_url, '/display/') + 1, instr(display_url || char(63), char(63)) - instr(display_url, '/display/') - 1))
  WHERE original_key IS NULL;
CREATE INDEX IF NOT EXISTS artworks_named_thumbnails
  ON artworks (substr(thumbnail_url, instr(thumbnail_url, '/thumbnails/') + 1, instr(thumbnail_url || char(63), char(63)) - instr(thumbnail_url, '/thumbnails/') - 1))
  WHERE original_key IS NULL;
CREATE INDEX IF NOT EXISTS artworks_named_icons
  ON artworks (substr(icon_url, instr(icon_url, '/icons/') + 1, instr(icon_url || char(63), char(63)) - instr(icon_url, '/icons/') - 1))
  WHERE original_key IS NULL;

-- The life of an original: its ticket, who works on it, and its artwork or its end.
CREATE TABLE IF NOT EXISTS uploads (
  key          TEXT PRIMARY KEY,
  user_id      TEXT NOT NULL,
  content_type TEXT,                        -- that its URL takes; NULL when no URL can be used any more
  size         INTEGER,                     -- that its URL takes; NULL for any
  issued_at    INTEGER NOT NULL,
  expires_at   INTEGER,                     -- the sweeper looks at it some time after; NULL for never
  holder       TEXT NOT NULL DEFAULT '',    -- of the lease, which ends by itself
  attempt      INTEGER NOT NULL DEFAULT 0,  -- counts the leases: a renderer of an earlier one overwrites nothing
  lease_until  INTEGER NOT NULL DEFAULT 0,
  artwork_id   TEXT,
  etags        TEXT                         -- of the renditions, while an earlier try may still write to them
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS uploads_by_expiry ON uploads (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS uploads_open ON uploads (user_id, expires_at, size)
  WHERE artwork_id IS NULL AND content_type IS NOT NULL;
