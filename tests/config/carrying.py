"""Migrations that carry data forward, beside those of this repository, and rows for them to carry."""

from __future__ import annotations

import sqlite3
from typing import Any

from tests.config.projects import ROOT
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
        f"{NEXT + 1:04}_claimants.sql",
        "CREATE TABLE renewed (original_key TEXT PRIMARY KEY, holder TEXT NOT NULL, attempt INTEGER NOT NULL,"
        " expires_at INTEGER NOT NULL, claimant TEXT NOT NULL);\n"
        "INSERT INTO renewed SELECT claims.*, signature FROM claims JOIN artworks USING (original_key);\n"
        "DROP TABLE claims;\n"
        "ALTER TABLE renewed RENAME TO claims;\n"
        "CREATE INDEX claims_by_expiry ON claims (expires_at);\n",
    ),
]
# One row in each table, as the first migration made them.
ROWS = """
INSERT INTO users (id, username) VALUES ('usr_1', 'ann');
INSERT INTO artworks (id, user_id, slug, title, description, original_key,
  original_url, display_url, thumbnail_url, icon_url,
  width, height, original_width, original_height, processed_at, created_at, updated_at)
VALUES ('art_1', 'usr_1', 'dusk', 'Dusk', 'At the lake', 'originals/usr_1/1.jpg', 'o', 'd', 't', 'i',
  3, 2, 6, 4, '2026-11-01', '2026-11-01', '2026-11-02');
INSERT INTO claims VALUES ('originals/usr_1/1.jpg', 'holder', 1, 1764000000000);
INSERT INTO sweep_positions VALUES ('originals/', 'originals/usr_1/1.jpg');
"""

Table = list[dict[str, Any]]


def tables(database: sqlite3.Connection) -> dict[str, Table]:
    """Every row of every table."""
    names = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return {name: _rows(database, name) for (name,) in names.fetchall() if name != schema.LEDGER}


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
