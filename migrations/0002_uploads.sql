-- What was rendered, known by the bucket's own digest.
ALTER TABLE artworks ADD COLUMN original_etag TEXT;
