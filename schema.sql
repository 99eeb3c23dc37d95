-- The whole D1 schema. Running it again changes nothing.
-- Answers derive URLs from original_key, version and R2_CDN_DOMAIN, so a domain may change; the row keeps those
-- that were valid when its renditions were made.
-- Times are ISO 8601 in UTC with milliseconds; those of uploads are milliseconds since 1970, by D1's clock.

CREATE TABLE IF NOT EXISTS users (
  id            TEXT PRIMARY KEY,
  username      TEXT NOT NULL UNIQUE COLLATE NOCASE,
  artwork_limit INTEGER NOT NULL DEFAULT 50 CHECK (artwork_limit >= 0),
  artwork_count INTEGER NOT NULL DEFAULT 0 CHECK (artwork_count >= 0),
  created_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE IF NOT EXISTS artworks (
  id              TEXT PRIMARY KEY,
  user_id         TEXT NOT NULL REFERENCES users (id),
  slug            TEXT NOT NULL,
  title           TEXT NOT NULL,
  description     TEXT,
  materials       TEXT,
  dimensions      TEXT,
  created_date    TEXT,
  category        TEXT NOT NULL DEFAULT 'other',
  tags            TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
  original_key    TEXT NOT NULL UNIQUE,
  version         INTEGER NOT NULL DEFAULT 1, -- of the renditions, part of their keys
  original_url    TEXT NOT NULL, -- the URLs as the create answered them
  display_url     TEXT NOT NULL,
  thumbnail_url   TEXT NOT NULL,
  icon_url        TEXT NOT NULL,
  width           INTEGER NOT NULL,           -- of the display rendition
  height          INTEGER NOT NULL,
  original_width  INTEGER NOT NULL,           -- of the original, upright
  original_height INTEGER NOT NULL,
  dominant_color  TEXT,
  thumb_hash      TEXT,
  status          TEXT NOT NULL DEFAULT 'ready',
  is_featured     INTEGER NOT NULL DEFAULT 0 CHECK (is_featured IN (0, 1)),
  revision        INTEGER NOT NULL DEFAULT 1, -- of the row, part of its ETag
  processed_at    TEXT NOT NULL,
  created_at      TEXT NOT NULL,
  updated_at      TEXT NOT NULL,
  original_etag   TEXT,                       -- of the original that was rendered; NULL where it was not noted
  UNIQUE (user_id, slug)
);

CREATE INDEX IF NOT EXISTS artworks_newest ON artworks (created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS artworks_newest_of_user ON artworks (user_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS artworks_newest_of_category ON artworks (category, created_at DESC, id DESC);

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
