"""The table `uploads`: each original from the URL that was issued for it to its artwork or its end.

A row also holds the lease of its original. Each statement is idempotent: repeating it changes nothing more.
Times are milliseconds since 1970 by D1's clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gallery.ports import Row, Statement
from gallery.store.database import NOW, bind, columns, json_list, listed

# How long an upload URL is valid, in seconds.
URL_SECONDS = 15 * 60
# A transfer that began in time may end later, and a renderer may still write for a create that has failed.
GRACE_SECONDS = 15 * 60
# The holder of the lease of an original whose artwork was deleted, until the sweeper has run.
REMOVED = "removed"

_URL_MS = URL_SECONDS * 1000
_GRACE_MS = GRACE_SECONDS * 1000


@dataclass(frozen=True, slots=True)
class Upload:
    """One row. `attempt` counts the leases, and so the attempts at rendering the original.

    `content_type` is None when no URL can be used any more, `size` when none was announced. The sweeper looks
    at a row GRACE_SECONDS after `expires_at`, and never when that is None. `etags` are those of the
    renditions, a JSON object by variant, while a failed attempt may still write in their place.
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


_FIELDS = columns(Upload)
COLUMNS = listed(_FIELDS)


def upload_of(row: Row) -> Upload:
    """The upload in a row of COLUMNS."""
    return Upload(**{name: row[name] for name in _FIELDS})


_MAY_UPLOAD = "artwork_count < artwork_limit"
_OPEN = "user_id = :user_id AND artwork_id IS NULL AND content_type IS NOT NULL"

ISSUE = f"""
INSERT INTO uploads (key, user_id, content_type, size, issued_at, expires_at)
SELECT :key, id, :content_type, :size, {NOW}, {NOW} + {_URL_MS} FROM users
WHERE id = :user_id AND {_MAY_UPLOAD}
  AND (SELECT COUNT(*) FROM uploads WHERE {_OPEN} AND key <> :key) < :max_uploads
  AND (SELECT COALESCE(SUM(COALESCE(size, :largest)), 0) FROM uploads WHERE {_OPEN} AND key <> :key)
      + COALESCE(:size, :largest) <= :max_bytes
ON CONFLICT (key) DO UPDATE SET issued_at = uploads.issued_at
RETURNING key
"""  # noqa: S608 (constants only, here and below)

FIRST_END = f"""
SELECT MAX(1, (MIN(expires_at) + {_GRACE_MS} - {NOW}) / 1000 + 1) AS seconds FROM uploads WHERE {_OPEN}
"""  # noqa: S608

# Takes the lease when it is free, has ended or is the holder's already. Inserts the row when there is none.
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

# The row stays, and with it the number of attempts. A commit that is still on its way finds no holder.
RELEASE = "UPDATE uploads SET holder = '', lease_until = 0 WHERE key = :key AND holder = :holder"

# Gives the lease a new holder, so that statements which the old one has sent change nothing any more.
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

# Deletes the row of an original that was never uploaded and has no upload URL.
FORGET = """
DELETE FROM uploads
WHERE key = :key AND holder = :holder AND content_type IS NULL AND artwork_id IS NULL AND attempt = 1
"""

# Ends a lease whose work is recorded. The sweeper looks once more at what may still be written: an original
# whose URL can be used twice, and renditions of an earlier attempt.
SETTLE = f"""
UPDATE uploads SET artwork_id = :artwork_id, holder = '', lease_until = 0, etags = :etags,
  expires_at = CASE WHEN attempt > 1 OR size IS NULL THEN MAX(COALESCE(expires_at, 0), {NOW}) END
WHERE key = :key AND holder = :holder AND EXISTS (SELECT 1 FROM artworks WHERE id = :artwork_id)
"""  # noqa: S608

# Takes a lease until the sweeper runs, so that no artwork is created of a deleted original.
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
# Takes the leases of uploads that are due: of all users, or of one.
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

_IS_LISTED = "key IN (SELECT value FROM json_each(:keys))"
END = f"DELETE FROM uploads WHERE holder = :holder AND {_IS_LISTED}"  # noqa: S608
CHECKED = f"""
UPDATE uploads SET holder = '', lease_until = 0, expires_at = NULL, etags = NULL,
  artwork_id = (SELECT id FROM artworks WHERE original_key = uploads.key)
WHERE holder = :holder AND {_IS_LISTED}
"""  # noqa: S608
RELEASE_ALL = f"""
UPDATE uploads SET holder = '', lease_until = 0 WHERE holder = :holder AND {_IS_LISTED}
"""  # noqa: S608

# Takes the lease of each original that nobody holds, whether it has a row or not.
TAKE_IDLE = f"""
INSERT INTO uploads (key, user_id, issued_at, holder, lease_until, artwork_id)
SELECT value, substr(value, 11, instr(substr(value, 11), '/') - 1), {NOW}, :holder, {NOW} + :milliseconds,
       (SELECT id FROM artworks WHERE original_key = value)
FROM json_each(:keys) WHERE true
ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
WHERE uploads.lease_until <= {NOW} OR uploads.holder = excluded.holder
RETURNING {COLUMNS}
"""  # noqa: S608
LEASED = f"SELECT key FROM uploads WHERE lease_until > {NOW} AND {_IS_LISTED}"  # noqa: S608


def issue(
    key: str,
    user_id: str,
    content_type: str,
    size: int | None,
    *,
    max_uploads: int,
    max_bytes: int,
    largest: int,
) -> Statement:
    """Records an upload if the user may have one more: then it returns a row.

    Sizes are in bytes; an upload without a size counts as `largest`.
    """
    return bind(
        ISSUE,
        key=key,
        user_id=user_id,
        content_type=content_type,
        size=size,
        max_uploads=max_uploads,
        max_bytes=max_bytes,
        largest=largest,
    )


def first_end(user_id: str) -> Statement:
    """The seconds until the sweeper may end the first of a user's open uploads."""
    return bind(FIRST_END, user_id=user_id)


def take(key: str, user_id: str, holder: str, seconds: float) -> Statement:
    return bind(TAKE, key=key, user_id=user_id, holder=holder, milliseconds=_ms(seconds))


def find(key: str) -> Statement:
    """The upload, and `is_leased`: whether its lease is in force."""
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
    """Takes the leases of at most so many uploads that are due, those that expired first."""
    values = {"holder": holder, "milliseconds": _ms(seconds), "most": most}
    if user_id is None:
        return bind(TAKE_DUE, **values)
    return bind(TAKE_DUE_OF_USER, user_id=user_id, **values)


def end(keys: Iterable[str], holder: str) -> Statement:
    """Deletes rows whose objects are all deleted."""
    return bind(END, keys=json_list(keys), holder=holder)


def checked(keys: Iterable[str], holder: str) -> Statement:
    """Records that the sweeper has nothing more to look at."""
    return bind(CHECKED, keys=json_list(keys), holder=holder)


def release_all(keys: Iterable[str], holder: str) -> Statement:
    return bind(RELEASE_ALL, keys=json_list(keys), holder=holder)


def take_idle(keys: Iterable[str], holder: str, seconds: float) -> Statement:
    return bind(TAKE_IDLE, keys=json_list(keys), holder=holder, milliseconds=_ms(seconds))


def leased(keys: Iterable[str]) -> Statement:
    return bind(LEASED, keys=json_list(keys))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
