-- The whole D1 schema. Running it again changes nothing.
-- Answers derive URLs from original_key, version and R2_CDN_DOMAIN, so a domain may change; the row keeps those
-- that were valid when its renditions were made.
-- Times are ISO 8601 in UTC with milliseconds, claims.expires_at is milliseconds since 1970.

CREATE TABLE IF NOT EXISTS users (
  id            TEXT PRIMARY KEY,
  username      TEXT NOT NULL UNIQUE COLLATE NOCASE,
  artwork_limit INTEGER NOT NULL DEFAULT 50 CHECK (artwork_limit >= 0),
  artwork_count INTEGER NOT NULL DEFAULT 0 CHECK (artwork_count >= 0),
  created_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  status        TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  tokens_valid_after INTEGER NOT NULL DEFAULT 0, -- milliseconds since 1970; tokens issued before it are refused
  issuer        TEXT, -- the identity provider, and who the user is to it
  subject       TEXT
);

CREATE UNIQUE INDEX IF NOT EXISTS users_by_subject ON users (issuer, subject);

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
  UNIQUE (user_id, slug)
);

CREATE INDEX IF NOT EXISTS artworks_newest ON artworks (created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS artworks_newest_of_user ON artworks (user_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS artworks_newest_of_category ON artworks (category, created_at DESC, id DESC);

-- Who works on an original right now. A claim ends by itself at expires_at; its row stays for a day, so that
-- the next attempt gets a higher number and with it rendition keys no late sibling can write to.
CREATE TABLE IF NOT EXISTS claims (
  original_key TEXT PRIMARY KEY,
  holder       TEXT NOT NULL,
  attempt      INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL
);

CREATE INDEX IF NOT EXISTS claims_by_expiry ON claims (expires_at);

-- Where the sweeper goes on the next time.
CREATE TABLE IF NOT EXISTS sweep_positions (
  walk     TEXT PRIMARY KEY,
  position TEXT NOT NULL
);
