"""Databases of a gallery that was there before: its own users and artworks, with rows in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

USERS = """
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  email_verified INTEGER DEFAULT 0,
  username TEXT NOT NULL UNIQUE,
  display_name TEXT,
  avatar_url TEXT,
  artwork_limit INTEGER DEFAULT 50,
  artwork_count INTEGER DEFAULT 0,
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_users_email ON users (email);
"""
ARTWORKS = """
CREATE TABLE artworks (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  slug TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT,
  materials TEXT,
  dimensions TEXT,
  created_date TEXT,
  category TEXT,
  tags TEXT,
  original_url TEXT NOT NULL,
  display_url TEXT NOT NULL,
  thumbnail_url TEXT NOT NULL,
  icon_url TEXT NOT NULL,
  status TEXT DEFAULT 'active' CHECK (status IN ('active', 'draft', 'deleted')),
  is_featured INTEGER DEFAULT 0,
  view_count INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE (user_id, slug)
);
CREATE INDEX idx_artworks_user ON artworks (user_id);
CREATE TABLE collections (id TEXT PRIMARY KEY, artwork_id TEXT REFERENCES artworks (id) ON DELETE CASCADE);
CREATE TRIGGER artworks_touched AFTER UPDATE OF title ON artworks
BEGIN UPDATE artworks SET view_count = view_count + 1 WHERE id = NEW.id; END;
CREATE VIEW popular AS SELECT id, view_count FROM artworks WHERE view_count > 100;
CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP);
INSERT INTO d1_migrations (name) VALUES ('0001_initial.sql'), ('0002_uploads.sql');
"""
ROWS = """
INSERT INTO users (id, email, username)
VALUES ('u1', 'ann@example.org', 'ann'), ('u-2', 'bob@example.org', 'Bob');
INSERT INTO artworks (id, user_id, slug, title, category, tags, original_url, display_url, thumbnail_url,
  icon_url, status, created_at, updated_at)
VALUES
  ('5f0c7f0e-3f6e-4d5e-9a53-0f2f5f6f7f8f', 'u1', 'dusk', 'Dusk', 'Oil', '["sea"]', 'https://i/originals/1.jpg',
   'https://i/display/1.jpg', 'https://i/thumbnails/1.jpg', 'https://i/icons/1.jpg', 'active',
   '2025-01-02 03:04:05', '2025-01-02 03:04:05'),
  ('2', 'u1', 'dawn', 'Dawn', NULL, NULL, 'https://i/originals/2.jpg', 'https://i/display/2.jpg',
   'https://i/thumbnails/2.jpg', 'https://i/icons/2.jpg', 'draft',
   '2025-01-03T00:00:00Z', '2025-01-03T00:00:00Z'),
  ('3', 'u-2', 'dusk', 'Dusk', '', '', 'https://i/originals/3.jpg', 'https://i/display/3.jpg',
   'https://i/thumbnails/3.jpg', 'https://i/icons/3.jpg', 'active', 1735787047, 1735787047);
INSERT INTO collections VALUES ('c1', '2');
"""


def _changed(*pairs: tuple[str, str]) -> str:
    text = USERS + ARTWORKS + ROWS
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


GALLERIES = {
    "as it was specified": _changed(),
    "without limits": _changed(
        ("  artwork_limit INTEGER DEFAULT 50,\n  artwork_count INTEGER DEFAULT 0,\n", "")
    ),
    "with wrong counts and no limits": _changed(
        ("users (id, email, username)", "users (id, email, username, artwork_limit, artwork_count)"),
        ("'ann@example.org', 'ann'", "'ann@example.org', 'ann', NULL, NULL"),
        ("'bob@example.org', 'Bob'", "'bob@example.org', 'Bob', 3, 77"),
    ),
    "without foreign keys": _changed((" REFERENCES users (id) ON DELETE CASCADE", "")),
    "without times of users": _changed(
        (
            "artwork_count INTEGER DEFAULT 0,\n  created_at TEXT",
            "artwork_count INTEGER DEFAULT 0,\n  began TEXT",
        ),
    ),
    "in other words": _changed(
        ("CREATE TABLE artworks", 'CREATE TABLE IF NOT EXISTS "artworks"'),
        ("CREATE TABLE users", "create table [users]"),
        ("  user_id TEXT NOT NULL", '  "user_id" VARCHAR(64) not null'),
    ),
    "with numbers for times": _changed(
        ("  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP", "  created_at INTEGER DEFAULT (unixepoch())")
    ),
    "with less": _changed(
        ("  materials TEXT,\n  dimensions TEXT,\n", ""), ("  is_featured INTEGER DEFAULT 0,\n", "")
    ),
}
# Two artworks of one user at one address, and an address that is taken by what would be the next.
TWICE = _changed(
    ("  UNIQUE (user_id, slug)\n", "  CHECK (title <> '')\n"),
    ("('2', 'u1', 'dawn'", "('2', 'u1', 'dusk'"),
    (
        "INSERT INTO collections",
        """INSERT INTO artworks (id, user_id, slug, title, original_url, display_url, thumbnail_url, icon_url)
VALUES ('4', 'u1', 'dusk-1', 'Dusk', '', '', '', ''), ('5', 'u1', '', 'None', '', '', '', '');
INSERT INTO collections""",
    ),
)


def open_gallery(script: str) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(script)
    return database


def ask_of(database: sqlite3.Connection) -> Callable[[str], list[dict[str, Any]]]:
    """Rows of a query by the names of their columns, as Wrangler answers them."""

    def ask(sql: str) -> list[dict[str, Any]]:
        cursor = database.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    return ask
