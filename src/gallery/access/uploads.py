"""Upload tickets: leave to put one original straight into the bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gallery import cleanup
from gallery.access.signing import Signer
from gallery.errors import ArtworkLimitReached, PortError, Unavailable, UploadLimitReached, UserNotFound
from gallery.formats import EXTENSIONS
from gallery.keys import OriginalKey, user_part
from gallery.ports import Platform, Statement
from gallery.settings import Settings
from gallery.store import uploads, users
from gallery.store.database import first, transact
from gallery.store.uploads import URL_SECONDS
from gallery.store.users import user_of
from gallery.times import iso, moment

# Download URLs of one such period are equal, so that an owner's ETag can hold that long.
PERIOD = 5 * 60


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """`content_type` is as the client wrote it, `media_type` what it means; `size` in bytes, if announced."""

    content_type: str
    media_type: str
    size: int | None


def signer_of(settings: Settings) -> Signer:
    return Signer(settings.s3_endpoint, settings.bucket, settings.access_key_id, settings.secret_access_key)


def download_url(settings: Settings, key: str, now: float) -> str:
    """Leave to get one original, for at least ten and at most fifteen minutes from now."""
    start = moment(now // PERIOD * PERIOD)
    return signer_of(settings).presign("GET", key, now=start, lifetime=URL_SECONDS)


async def issue_ticket(
    platform: Platform, settings: Settings, user_id: str, request: UploadRequest
) -> dict[str, Any]:
    """The upload ticket for one new original, as it goes to the client.

    Raises UserNotFound, ArtworkLimitReached, UploadLimitReached.
    """
    content_type, media_type, size = request.content_type, request.media_type, request.size
    key = OriginalKey(user_part(user_id), platform.uuid(), EXTENSIONS[media_type])
    await _note(platform, settings, user_id, key, media_type, size)
    headers = {"Content-Type": content_type}
    signed = dict(headers)
    if size is not None:
        # `If-None-Match: *` makes the URL single-use: a second put meets an object that exists.
        headers["If-None-Match"] = "*"
        # Every client sends a length by itself, and browsers allow no other: it is signed, not listed.
        signed = headers | {"Content-Length": str(size)}
    now = platform.now()
    return {
        "uploadUrl": signer_of(settings).presign(
            "PUT", str(key), now=moment(now), lifetime=URL_SECONDS, headers=signed
        ),
        "key": str(key),
        "method": "PUT",
        "headers": headers,
        "expiresAt": iso(now + URL_SECONDS),
        "maxBytes": settings.max_upload_bytes if size is None else size,
    }


async def _note(
    platform: Platform,
    settings: Settings,
    user_id: str,
    key: OriginalKey,
    content_type: str,
    size: int | None,
) -> None:
    """Record the upload, if the user may have one more: counted and inserted by one statement."""
    issue = uploads.issue(
        str(key),
        user_id,
        content_type,
        size,
        most_uploads=settings.max_open_uploads,
        most_bytes=settings.max_open_bytes,
        largest=settings.max_upload_bytes,
    )
    if await _is_issued(platform, user_id, issue):
        return
    await _end_due(platform, settings, user_id)
    if await _is_issued(platform, user_id, issue):
        return
    row = first((await transact(platform, uploads.first_end(user_id)))[0])
    raise UploadLimitReached(retry_after=int(row["seconds"] or 1) if row else 1)


async def _is_issued(platform: Platform, user_id: str, issue: Statement) -> bool:
    """False when too many uploads are open. Raises UserNotFound, ArtworkLimitReached."""
    rows = await transact(platform, issue, (users.USER, (user_id,)))
    if rows[0]:
        return True
    found = first(rows[1])
    if found is None:
        raise UserNotFound
    if not user_of(found).remaining:
        raise ArtworkLimitReached
    return False


async def _end_due(platform: Platform, settings: Settings, user_id: str) -> None:
    """What of the user's the sweeper would end at its next run is ended now."""
    try:
        await cleanup.end_due(platform, settings.max_open_uploads, user_id=user_id)
    except (PortError, Unavailable) as error:
        platform.log({"event": "sweep_failed", "part": "uploads", "reason": repr(error)})
