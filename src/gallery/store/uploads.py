"""The table `uploads`: each original from its ticket to its artwork or its end, and who works on it.

Each statement may be run twice: a repetition changes nothing more. Times are milliseconds by D1's clock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields

from gallery.ports import Row, Statement
from gallery.store.database import NOW, bind

# How long the URL of a ticket is valid, in seconds.
URL_SECONDS = 15 * 60
# A transfer that began in time may end later, and so may what a renderer writes for a create that has failed.
GRACE_SECONDS = 15 * 60
# Who holds the lease of an original whose artwork was deleted, until the sweeper comes.
REMOVED = "removed"

_URL_MS = URL_SECONDS * 1000
_GRACE_MS = GRACE_SECONDS * 1000


@dataclass(frozen=True, slots=True)
class Upload:
    """One row. `attempt` counts the leases that were taken, which numbers the tries at one original.

    `content_type` is None where no URL can be used any more, `size` where none was announced. The sweeper
    looks at a row `GRACE_SECONDS` after `expires_at`, and not at all when that is None. `etags` are those of
    the renditions, as a JSON object by variant, where a failed try may still write in their place.
    """

    key: str
    user_id: str
    content_type: str | None
    size: int | None
    issued_at: int
    expires_at: int | None
    holder: str
    attempt: int
    lease_until: int
    artwork_id: str | None
    etags: str | None


COLUMNS = ", ".join(field.name for field in fields(Upload))


def upload_of(row: Row) -> Upload:
    return Upload(**{field.name: row[field.name] for field in fields(Upload)})


# Which users may upload; everything else that a ticket needs is counted below.
_MAY_UPLOAD = "artwork_count < artwork_limit"
_OPEN = "user_id = :user_id AND artwork_id IS NULL AND content_type IS NOT NULL"

ISSUE = f"""
INSERT INTO uploads (key, user_id, content_type, size, issued_at, expires_at)
SELECT :key, id, :content_type, :size, {NOW}, {NOW} + {_URL_MS} FROM users
WHERE id = :user_id AND {_MAY_UPLOAD}
  AND (SELECT COUNT(*) FROM uploads WHERE {_OPEN} AND key <> :key) < :most_uploads
  AND (SELECT COALESCE(SUM(COALESCE(size, :largest)), 0) FROM uploads WHERE {_OPEN} AND key <> :key)
      + COALESCE(:size, :largest) <= :most_bytes
ON CONFLICT (key) DO UPDATE SET issued_at = uploads.issued_at
RETURNING key
"""  # noqa: S608 (constants only, here and below)

# Seconds until the sweeper may end the first of a user's open uploads.
FIRST_END = f"""
SELECT MAX(1, (MIN(expires_at) + {_GRACE_MS} - {NOW}) / 1000 + 1) AS seconds FROM uploads WHERE {_OPEN}
"""  # noqa: S608

# Takes the lease when it is free, has ended or is the holder's own already; makes the row when there is none.
TAKE = f"""
INSERT INTO uploads (key, user_id, issued_at, expires_at, holder, attempt, lease_until, artwork_id)
SELECT :key, :user_id, {NOW}, {NOW}, :holder, 1 + COALESCE(MAX(version), 0), {NOW} + :milliseconds, MAX(id)
FROM artworks WHERE original_key = :key
ON CONFLICT (key) DO UPDATE SET
  attempt = MAX(uploads.attempt, excluded.attempt - 1) + (uploads.holder <> excluded.holder),
  holder = excluded.holder,
  lease_until = excluded.lease_until,
  expires_at = MAX(COALESCE(uploads.expires_at, 0), excluded.expires_at)
WHERE uploads.lease_until <= {NOW} OR uploads.holder = excluded.holder
RETURNING {COLUMNS}
"""  # noqa: S608

FIND = f"SELECT {COLUMNS}, lease_until > {NOW} AS is_leased FROM uploads WHERE key = :key"  # noqa: S608

# The row stays, and with it the number of tries; a commit that is still on its way finds no holder.
RELEASE = "UPDATE uploads SET holder = '', lease_until = 0 WHERE key = :key AND holder = :holder"

# Gives the lease a new holder, so that what the old one has sent changes nothing any more.
RECLAIM = f"""
UPDATE uploads SET holder = :new_holder, lease_until = {NOW} + :milliseconds
WHERE key = :key AND (lease_until <= {NOW} OR holder IN (:holder, :new_holder))
  AND NOT EXISTS (SELECT 1 FROM artworks WHERE original_key = :key)
RETURNING {COLUMNS}
"""  # noqa: S608

# After the original was deleted: the upload is open only while something can still be put with its URL.
CLOSE = f"""
UPDATE uploads SET holder = '', lease_until = 0,
  content_type = CASE WHEN expires_at > {NOW} THEN content_type END
WHERE key = :key AND holder = :holder
"""  # noqa: S608

# An original that was never uploaded, and for which there is no ticket.
FORGET = """
DELETE FROM uploads
WHERE key = :key AND holder = :holder AND content_type IS NULL AND artwork_id IS NULL AND attempt = 1
"""

# The end of a lease whose work is recorded. The sweeper looks once more at what may be written to after this:
# an original whose URL can be used twice, renditions that an earlier try may still write.
SETTLE = f"""
UPDATE uploads SET artwork_id = :artwork_id, holder = '', lease_until = 0, etags = :etags,
  expires_at = CASE WHEN attempt > 1 OR size IS NULL THEN MAX(COALESCE(expires_at, 0), {NOW}) END
WHERE key = :key AND holder = :holder AND EXISTS (SELECT 1 FROM artworks WHERE id = :artwork_id)
"""  # noqa: S608

# The lease of a deletion ends when the sweeper comes, so that nothing is made of this original again.
REMOVE = f"""
INSERT INTO uploads (key, user_id, issued_at, expires_at, holder, attempt, lease_until)
SELECT original_key, user_id, {NOW}, {NOW}, '{REMOVED}', version, {NOW} + {_GRACE_MS} FROM artworks
WHERE id = :artwork_id AND revision = :revision AND original_key IS NOT NULL
ON CONFLICT (key) DO UPDATE SET
  attempt = MAX(uploads.attempt, excluded.attempt), holder = excluded.holder, artwork_id = NULL, etags = NULL,
  content_type = CASE WHEN uploads.issued_at + {_URL_MS} > excluded.expires_at THEN uploads.content_type END,
  expires_at = MAX(excluded.expires_at, uploads.issued_at + {_URL_MS}),
  lease_until = MAX(excluded.expires_at, uploads.issued_at + {_URL_MS}) + {_GRACE_MS}
"""  # noqa: S608

_DUE = f"expires_at <= {NOW} - {_GRACE_MS} AND lease_until <= {NOW}"
DUE = f"SELECT {COLUMNS} FROM uploads WHERE {_DUE} ORDER BY expires_at LIMIT :most"  # noqa: S608
# Takes the leases of uploads that are due, of one user where one is named.
TAKE_DUE = f"""
UPDATE uploads SET holder = :holder, lease_until = {NOW} + :milliseconds
WHERE key IN (SELECT key FROM uploads WHERE {_DUE} ORDER BY expires_at LIMIT :most)
RETURNING {COLUMNS}
"""  # noqa: S608
TAKE_DUE_OF_USER = f"""
UPDATE uploads SET holder = :holder, lease_until = {NOW} + :milliseconds
WHERE key IN (SELECT key FROM uploads WHERE {_OPEN} AND {_DUE} ORDER BY expires_at LIMIT :most)
RETURNING {COLUMNS}
"""  # noqa: S608

# Lists of keys travel as one JSON text.
_LISTED = "key IN (SELECT value FROM json_each(:keys))"
END = f"DELETE FROM uploads WHERE holder = :holder AND {_LISTED}"  # noqa: S608
CHECKED = f"""
UPDATE uploads SET holder = '', lease_until = 0, expires_at = NULL, etags = NULL,
  artwork_id = (SELECT id FROM artworks WHERE original_key = uploads.key)
WHERE holder = :holder AND {_LISTED}
"""  # noqa: S608
RELEASE_ALL = f"UPDATE uploads SET holder = '', lease_until = 0 WHERE holder = :holder AND {_LISTED}"  # noqa: S608

# Takes the lease of each original that nobody works on, whether it has a row or not.
TAKE_IDLE = f"""
INSERT INTO uploads (key, user_id, issued_at, holder, lease_until, artwork_id)
SELECT value, substr(value, 11, instr(substr(value, 11), '/') - 1), {NOW}, :holder, {NOW} + :milliseconds,
       (SELECT id FROM artworks WHERE original_key = value)
FROM json_each(:keys) WHERE true
ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
WHERE uploads.lease_until <= {NOW} OR uploads.holder = excluded.holder
RETURNING {COLUMNS}
"""  # noqa: S608
LEASED = f"SELECT key FROM uploads WHERE lease_until > {NOW} AND {_LISTED}"  # noqa: S608


def issue(
    key: str,
    user_id: str,
    content_type: str,
    size: int | None,
    *,
    most_uploads: int,
    most_bytes: int,
    largest: int,
) -> Statement:
    """Notes a ticket when the user may have one; a row says that it is noted."""
    return bind(
        ISSUE,
        key=key,
        user_id=user_id,
        content_type=content_type,
        size=size,
        most_uploads=most_uploads,
        most_bytes=most_bytes,
        largest=largest,
    )


def first_end(user_id: str) -> Statement:
    return bind(FIRST_END, user_id=user_id)


def take(key: str, user_id: str, holder: str, seconds: float) -> Statement:
    return bind(TAKE, key=key, user_id=user_id, holder=holder, milliseconds=_ms(seconds))


def find(key: str) -> Statement:
    """The upload, and as `is_leased` whether somebody works on it."""
    return bind(FIND, key=key)


def release(key: str, holder: str) -> Statement:
    return bind(RELEASE, key=key, holder=holder)


def reclaim(key: str, holder: str, new_holder: str, seconds: float) -> Statement:
    return bind(RECLAIM, key=key, holder=holder, new_holder=new_holder, milliseconds=_ms(seconds))


def close(key: str, holder: str) -> Statement:
    return bind(CLOSE, key=key, holder=holder)


def forget(key: str, holder: str) -> Statement:
    return bind(FORGET, key=key, holder=holder)


def settle(key: str, holder: str, artwork_id: str, etags: str | None = None) -> Statement:
    return bind(SETTLE, key=key, holder=holder, artwork_id=artwork_id, etags=etags)


def remove(artwork_id: str, revision: int) -> Statement:
    return bind(REMOVE, artwork_id=artwork_id, revision=revision)


def due(most: int) -> Statement:
    return bind(DUE, most=most)


def take_due(holder: str, seconds: float, most: int, user_id: str | None = None) -> Statement:
    """Takes the leases of at most so many uploads that are over, those that ended first."""
    values = {"holder": holder, "milliseconds": _ms(seconds), "most": most}
    if user_id is None:
        return bind(TAKE_DUE, **values)
    return bind(TAKE_DUE_OF_USER, user_id=user_id, **values)


def end(keys: Iterable[str], holder: str) -> Statement:
    """Deletes rows of which nothing is left."""
    return bind(END, keys=listed(keys), holder=holder)


def checked(keys: Iterable[str], holder: str) -> Statement:
    """Notes that nothing has to be looked at any more."""
    return bind(CHECKED, keys=listed(keys), holder=holder)


def release_all(keys: Iterable[str], holder: str) -> Statement:
    return bind(RELEASE_ALL, keys=listed(keys), holder=holder)


def take_idle(keys: Iterable[str], holder: str, seconds: float) -> Statement:
    return bind(TAKE_IDLE, keys=listed(keys), holder=holder, milliseconds=_ms(seconds))


def leased(keys: Iterable[str]) -> Statement:
    return bind(LEASED, keys=listed(keys))


def listed(keys: Iterable[str]) -> str:
    return json.dumps(list(keys))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
