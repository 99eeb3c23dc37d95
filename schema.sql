-- The whole D1 schema. Running it again changes nothing.
-- Responses derive URLs from original_key, version and R2_CDN_DOMAIN, so that a domain may change. The row keeps
-- the URLs that were valid when its renditions were made.
-- Times are written as ISO 8601 in UTC with milliseconds; those of uploads are milliseconds since 1970, by D1's clock.

CREATE TABLE IF NOT EXISTS users (
  id            TEXT PRIMARY KEY,
  username      TEXT NOT NULL UNIQUE COLLATE NOCASE,
  artwork_limit INTEGER NOT NULL DEFAULT 50 CHECK (artwork_limit >= 0),
  artwork_count INTEGER NOT NULL DEFAULT 0 CHECK (artwork_count >= 0),
  created_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  status        TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  tokens_valid_after INTEGER NOT NULL DEFAULT 0, -- milliseconds since 1970; tokens issued earlier are refused
  issuer        TEXT, -- the identity provider, and its `sub` of the user
  subject       TEXT
);

CREATE UNIQUE INDEX IF NOT EXISTS users_by_subject ON users (issuer, subject);

-- Other programs may write artworks, too. Columns that they leave out have defaults, and a row without original_key
-- is served by its URLs. Times may be ISO 8601, SQLite's own form, or seconds or milliseconds since 1970; created_ms
-- is the same for all of them. Only artworks with the status 'active' are public.
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
  alt_text        TEXT,             -- what the picture shows, for people who cannot see it
  original_key    TEXT,
  original_etag   TEXT,             -- of the original that was rendered; NULL when unknown
  version         INTEGER NOT NULL DEFAULT 1, -- of the renditions, part of their keys
  original_url    TEXT,             -- the URLs in the response of the create
  display_url     TEXT,
  thumbnail_url   TEXT,
  icon_url        TEXT,
  width           INTEGER,          -- of the display rendition
  height          INTEGER,
  display_sizes   TEXT,             -- of narrower display renditions: a JSON array of [width, height], NULL for none
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

-- The keys in the URLs of rows without original_key (up to a question mark), so that the sweeper does not delete them.
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

-- The life of an original: issued, uploaded, leased, and recorded or expired.
CREATE TABLE IF NOT EXISTS uploads (
  key          TEXT PRIMARY KEY,
  user_id      TEXT NOT NULL,
  content_type TEXT,                        -- that its URL accepts; NULL when its URL has expired
  size         INTEGER,                     -- that its URL accepts; NULL for any
  issued_at    INTEGER NOT NULL,
  expires_at   INTEGER,                     -- after it the sweeper looks at the upload; NULL for never
  holder       TEXT NOT NULL DEFAULT '',    -- of the lease, which ends at lease_until
  attempt      INTEGER NOT NULL DEFAULT 0,  -- counts the leases; renderers of an earlier one overwrite nothing
  lease_until  INTEGER NOT NULL DEFAULT 0,
  artwork_id   TEXT,
  etags        TEXT                         -- of the renditions, while an earlier attempt may still write
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS uploads_by_expiry ON uploads (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS uploads_open ON uploads (user_id, expires_at, size)
  WHERE artwork_id IS NULL AND content_type IS NOT NULL;

-- Lists and search.
-- Every list reads the rowids of a full-text index in descending order. A filter is a term, as words are, so that any
-- set of filters is one MATCH, newest first, without sorting. Triggers maintain the index, whichever program writes
-- the rows. It holds active artworks only.

-- The order of lists: milliseconds of created_at × 1024, plus a number among the artworks of one millisecond. More
-- than 1,024 of them overflow into the next second. Until the year 2109 a position is below 2^53, which JavaScript
-- represents exactly.
CREATE TABLE IF NOT EXISTS artwork_positions (
  position   INTEGER PRIMARY KEY,
  artwork_id TEXT NOT NULL UNIQUE
);

-- The filters' values, each with the term that stands for it: three private characters, which no query contains.
CREATE TABLE IF NOT EXISTS search_facets (
  id    INTEGER PRIMARY KEY,
  name  TEXT NOT NULL UNIQUE, -- 'user:<id>', 'category:<name>', 'tag:<tag>', 'featured:0', 'featured:1'
  token TEXT GENERATED ALWAYS AS (char(57344, 983040 + (id >> 15), 983040 + (id & 32767))) VIRTUAL
);

-- Ranges of positions, each with a term of its own, so that a search can be limited to a few of them. A block begins
-- only above all existing positions, so that no artwork changes its block.
CREATE TABLE IF NOT EXISTS search_blocks (
  id    INTEGER PRIMARY KEY,
  start INTEGER NOT NULL UNIQUE, -- the lowest position in it
  size  INTEGER NOT NULL,        -- how many were put into it
  token TEXT GENERATED ALWAYS AS (char(57344, 983040 + id)) VIRTUAL
);

CREATE TRIGGER IF NOT EXISTS artwork_positions_inserted AFTER INSERT ON artwork_positions BEGIN
  INSERT INTO search_blocks (start, size) SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM search_blocks);
  INSERT INTO search_blocks (start, size)
  SELECT NEW.position, 0
  WHERE NEW.position = (SELECT max(position) FROM artwork_positions)
    AND (SELECT size FROM search_blocks ORDER BY start DESC LIMIT 1) >= 16384;
  UPDATE search_blocks SET size = size + 1
  WHERE start = (SELECT max(start) FROM search_blocks WHERE start <= NEW.position);
END;

CREATE VIEW IF NOT EXISTS artwork_tags AS
SELECT artworks.id AS artwork_id, trim(tag.value) AS tag
FROM artworks, json_each(CASE
  WHEN json_valid(tags) THEN tags
  ELSE '["' || replace(substr(json_quote(COALESCE(tags, '')), 2, length(json_quote(COALESCE(tags, ''))) - 2), ',', '","') || '"]'
END) AS tag
WHERE tag.atom IS NOT NULL AND trim(tag.value) <> '';

CREATE VIEW IF NOT EXISTS artwork_facets AS
SELECT artworks.id AS artwork_id, 'user:' || lower(COALESCE(username, user_id)) AS name
FROM artworks LEFT JOIN users ON users.id = user_id
UNION ALL SELECT id, 'category:' || COALESCE(NULLIF(category, ''), 'other') FROM artworks
UNION ALL SELECT id, 'featured:' || iif(is_featured, 1, 0) FROM artworks
UNION ALL SELECT artwork_id, 'tag:' || tag FROM artwork_tags;

-- Scripts that are written without spaces (Chinese, Japanese, Thai, Khmer …) are also indexed by pairs of neighbouring
-- characters, up to the 1,500th of a text.
CREATE VIEW IF NOT EXISTS artwork_words AS
SELECT artworks.id AS artwork_id, (
  WITH RECURSIVE
    said (words) AS MATERIALIZED (
      SELECT replace(
          COALESCE(title, '')
          || ' ' || COALESCE((SELECT group_concat(tag, ' ') FROM artwork_tags WHERE artwork_id = artworks.id), '')
          || ' ' || COALESCE((SELECT username FROM users WHERE users.id = user_id), '')
          || ' ' || COALESCE(description, ''), char(57344), ' ')
    ),
    tail (text) AS (
      SELECT substr(words, 1, 1500) FROM said WHERE length(CAST(words AS BLOB)) > length(words)
      UNION ALL
      SELECT substr(text, 2) FROM tail WHERE length(text) > 1
    ),
    pair (both, one, two) AS (SELECT substr(text, 1, 2), unicode(text), unicode(substr(text, 2, 1)) FROM tail)
  SELECT words || ' ' || COALESCE((
    SELECT group_concat(CASE
      WHEN two BETWEEN 3584 AND 4255 OR two BETWEEN 6016 AND 6143 OR two BETWEEN 11904 AND 40959
        OR two BETWEEN 63744 AND 64255 OR two BETWEEN 131072 AND 262143 THEN both ELSE substr(both, 1, 1) END, ' ')
    FROM pair
    WHERE one BETWEEN 3584 AND 4255 OR one BETWEEN 6016 AND 6143 OR one BETWEEN 11904 AND 40959
      OR one BETWEEN 63744 AND 64255 OR one BETWEEN 131072 AND 262143
  ), '') FROM said
) AS words
FROM artworks;

-- The text that is indexed of each artwork. A migration that changes this view, or one it reads, rebuilds the index.
CREATE VIEW IF NOT EXISTS artwork_terms AS
SELECT position, artwork_id,
  (SELECT words FROM artwork_words WHERE artwork_words.artwork_id = artwork_positions.artwork_id)
  || ' ' || (SELECT group_concat(token, ' ') FROM search_facets
             WHERE name IN (SELECT name FROM artwork_facets
                            WHERE artwork_facets.artwork_id = artwork_positions.artwork_id))
  || ' ' || (SELECT token FROM search_blocks WHERE start <= position ORDER BY start DESC LIMIT 1) AS terms
FROM artwork_positions;

CREATE VIRTUAL TABLE IF NOT EXISTS artwork_search USING fts5 (
  terms,
  content = 'artwork_terms',
  content_rowid = 'position',
  columnsize = 0,
  detail = none,
  prefix = '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16',
  tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
);

-- Inserting an artwork's id here indexes it.
CREATE TRIGGER IF NOT EXISTS artwork_terms_insert INSTEAD OF INSERT ON artwork_terms BEGIN
  INSERT INTO search_facets (name)
  SELECT DISTINCT name FROM artwork_facets
  WHERE artwork_id = NEW.artwork_id AND NOT EXISTS (SELECT 1 FROM search_facets f WHERE f.name = artwork_facets.name);

  INSERT INTO artwork_positions (artwork_id, position)
  SELECT id, COALESCE(
    (SELECT position + 1 FROM artwork_positions
     WHERE position BETWEEN slot AND slot + iif(
       EXISTS (SELECT 1 FROM artwork_positions WHERE position = slot + 1023), 1048575, 1023)
     ORDER BY position DESC LIMIT 1),
    slot)
  FROM (
    SELECT id, min(max(created_ms, 0), 4398046511103) << 10 AS slot
    FROM artworks
    WHERE id = NEW.artwork_id AND status = 'active' AND NOT EXISTS (SELECT 1 FROM artwork_positions WHERE artwork_id = NEW.artwork_id)
  );

  INSERT INTO artwork_search (rowid, terms)
  SELECT position, terms FROM artwork_terms WHERE artwork_id = NEW.artwork_id;
END;

CREATE TRIGGER IF NOT EXISTS artworks_inserted AFTER INSERT ON artworks BEGIN
  INSERT INTO artwork_terms (artwork_id) VALUES (NEW.id);
END;

-- The index deletes terms by reading the row, so the deletion comes before the row changes.
CREATE TRIGGER IF NOT EXISTS artworks_changing
BEFORE UPDATE OF id, user_id, title, description, tags, category, is_featured, created_at, status ON artworks BEGIN
  DELETE FROM artwork_search WHERE rowid = (SELECT position FROM artwork_positions WHERE artwork_id = OLD.id);
  DELETE FROM artwork_positions
  WHERE artwork_id = OLD.id
    AND (NEW.id IS NOT OLD.id OR NEW.created_at IS NOT OLD.created_at OR NEW.status IS NOT OLD.status);
END;

CREATE TRIGGER IF NOT EXISTS artworks_changed
AFTER UPDATE OF id, user_id, title, description, tags, category, is_featured, created_at, status ON artworks BEGIN
  INSERT INTO artwork_terms (artwork_id) VALUES (NEW.id);
END;

CREATE TRIGGER IF NOT EXISTS artworks_deleting BEFORE DELETE ON artworks BEGIN
  DELETE FROM artwork_search WHERE rowid = (SELECT position FROM artwork_positions WHERE artwork_id = OLD.id);
  DELETE FROM artwork_positions WHERE artwork_id = OLD.id;
END;

CREATE TRIGGER IF NOT EXISTS users_renaming BEFORE UPDATE OF username ON users BEGIN
  DELETE FROM artwork_search WHERE rowid IN (
    SELECT position FROM artwork_positions JOIN artworks ON id = artwork_id WHERE user_id = OLD.id);
END;

CREATE TRIGGER IF NOT EXISTS users_renamed AFTER UPDATE OF username ON users BEGIN
  INSERT INTO artwork_terms (artwork_id) SELECT id FROM artworks WHERE user_id = NEW.id;
END;
