-- Alternative texts, and the sizes of narrower display renditions, which reprocessing adds to older artworks.
ALTER TABLE artworks ADD COLUMN alt_text TEXT;
ALTER TABLE artworks ADD COLUMN display_sizes TEXT;
