"""Migrations that carry data forward, beside those of this repository, and rows for them to carry."""

from __future__ import annotations

import sqlite3
from typing import Any

from tests.support.deploy.projects import ROOT
from tools.deploy import schema
from tools.deploy.schema import Migration

OURS = schema.migrations_in(ROOT / "migrations")
NEXT = len(OURS) + 1
# The second needs what the first made; the first alone would leave every table as it is.
LATER = [
    Migration(
        f"{NEXT:04}_signatures.sql",
        "ALTER TABLE artworks ADD COLUMN signature TEXT NOT NULL DEFAULT '';\n"
        "UPDATE artworks SET signature = (SELECT username FROM users WHERE users.id = artworks.user_id);\n",
    ),
    Migration(
        f"{NEXT + 1:04}_signers.sql",
        "CREATE TABLE renewed (id TEXT PRIMARY KEY, signer TEXT NOT NULL);\n"
        "INSERT INTO renewed SELECT artwork_id, signature FROM uploads JOIN artworks ON artwork_id = id;\n"
        "ALTER TABLE renewed RENAME TO signers;\n",
    ),
]
_ARTWORK = """
INSERT INTO users (id, username) VALUES ('usr_1', 'ann');
INSERT INTO artworks (id, user_id, slug, title, description, original_key,
  original_url, display_url, thumbnail_url, icon_url,
  width, height, original_width, original_height, processed_at, created_at, updated_at)
VALUES ('art_1', 'usr_1', 'dusk', 'Dusk', 'At the lake', 'originals/usr_1/1.jpg', 'o', 'd', 't', 'i',
  3, 2, 6, 4, '2026-11-01', '2026-11-01', '2026-11-02');
"""
# One row in each table: as the first migration made them, and as they are.
FIRST_ROWS = (
    _ARTWORK
    + """
INSERT INTO claims VALUES ('originals/usr_1/1.jpg', 'holder', 2, 4000000000000);
INSERT INTO sweep_positions VALUES ('originals/', 'originals/usr_1/1.jpg');
"""
)
ROWS = (
    _ARTWORK
    + """
INSERT INTO uploads (key, user_id, content_type, size, issued_at, artwork_id)
VALUES ('originals/usr_1/1.jpg', 'usr_1', 'image/jpeg', 5, 1764000000000, 'art_1');
"""
)

Table = list[dict[str, Any]]


def tables(database: sqlite3.Connection) -> dict[str, Table]:
    """Every row of every table."""
    names = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return {name: _rows(database, name) for (name,) in names.fetchall() if name != schema.MIGRATIONS_TABLE}


def lost(before: dict[str, Table], after: dict[str, Table]) -> list[str]:
    """Tables of which a row, or a value of a row, is not there any more."""
    return [
        name
        for name, rows in before.items()
        if [{column: row.get(column) for column in rows[0]} for row in after.get(name, [])] != rows
    ]


def _rows(database: sqlite3.Connection, table: str) -> Table:
    cursor = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
