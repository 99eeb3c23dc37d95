"""The table `users`: its SQL, and how a row becomes a User."""

from __future__ import annotations

from dataclasses import fields

from gallery.artwork import User
from gallery.ports import Row

PING = "SELECT 1 AS one"
_USER = """
SELECT id, username, artwork_limit, artwork_count, status, tokens_valid_after, issuer, subject, created_at
FROM users
"""
USER = f"{_USER} WHERE id = ?1"
# ?1 issuer, ?2 subject
USER_OF_SUBJECT = f"{_USER} WHERE issuer = ?1 AND subject = ?2"
USER_OF_NAME = f"{_USER} WHERE username = ?1"
# ?1 username to go on after, ?2 how many
USERS_AFTER = f"{_USER} WHERE username > ?1 ORDER BY username LIMIT ?2"

# ?1 id, ?2 username, ?3 artwork limit, ?4 issuer, ?5 subject, ?6 now
INSERT_USER = """
INSERT INTO users (id, username, artwork_limit, issuer, subject, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING
"""
# ?7 the username to take instead of ?2 where that is taken
INSERT_USER_ON_SIGHT = """
INSERT INTO users (id, username, artwork_limit, issuer, subject, created_at)
SELECT ?1, CASE WHEN EXISTS (SELECT 1 FROM users WHERE username = ?2) THEN ?7 ELSE ?2 END, ?3, ?4, ?5, ?6
WHERE TRUE ON CONFLICT DO NOTHING
"""
# Null leaves a value as it is; a username or subject that is taken leaves all of them. OR IGNORE would keep
# what the trigger before the update has done: the user's artworks would be gone from the index of lists.
# ?1 id, ?2 username, ?3 artwork limit, ?4 status, ?5 tokens valid after, ?6 issuer, ?7 subject
UPDATE_USER = """
UPDATE users SET username = COALESCE(?2, username), artwork_limit = COALESCE(?3, artwork_limit),
  status = COALESCE(?4, status), tokens_valid_after = MAX(tokens_valid_after, COALESCE(?5, 0)),
  issuer = COALESCE(?6, issuer), subject = COALESCE(?7, subject)
WHERE id = ?1 AND NOT EXISTS (
  SELECT 1 FROM users AS other, users AS own
  WHERE own.id = ?1 AND other.id <> ?1 AND (
    other.username = ?2
    OR other.issuer = COALESCE(?6, own.issuer) AND other.subject = COALESCE(?7, own.subject)))
"""


def user_of(row: Row) -> User:
    values = {each.name: row[each.name] for each in fields(User)}
    return User(**{**values, "id": str(row["id"])})
