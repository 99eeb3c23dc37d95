-- One table for the life of an original takes the place of `claims`. Originals that wait for their artwork, and
-- have no claim, get a row when it is made; `vfa sweep --audit` finds those that never are.

CREATE TABLE uploads (
  key          TEXT PRIMARY KEY,
  user_id      TEXT NOT NULL,
  content_type TEXT,
  size         INTEGER,
  issued_at    INTEGER NOT NULL,
  expires_at   INTEGER,
  holder       TEXT NOT NULL DEFAULT '',
  attempt      INTEGER NOT NULL DEFAULT 0,
  lease_until  INTEGER NOT NULL DEFAULT 0,
  artwork_id   TEXT,
  etags        TEXT
) WITHOUT ROWID;

CREATE INDEX uploads_by_expiry ON uploads (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX uploads_open ON uploads (user_id, expires_at, size)
  WHERE artwork_id IS NULL AND content_type IS NOT NULL;

INSERT INTO uploads (key, user_id, issued_at, expires_at, holder, attempt, lease_until, artwork_id)
SELECT original_key, substr(original_key, 11, instr(substr(original_key, 11), '/') - 1),
       expires_at, MAX(expires_at, CAST(strftime('%s', 'now') AS INTEGER) * 1000),
       holder, attempt, expires_at, (SELECT id FROM artworks WHERE artworks.original_key = claims.original_key)
FROM claims;

DROP TABLE claims;

-- A full walk of the bucket is asked for, page by page, and needs no position of its own.
DROP TABLE sweep_positions;

ALTER TABLE artworks ADD COLUMN original_etag TEXT;
