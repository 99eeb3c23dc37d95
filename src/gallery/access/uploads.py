"""Upload URLs: the permission to put one original straight into the bucket, and to get it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gallery import cleanup
from gallery.access.signing import Signer
from gallery.errors import ArtworkLimitReached, UploadLimitReached, UserNotFound
from gallery.formats import EXTENSIONS
from gallery.keys import OriginalKey, user_part
from gallery.ports import Platform, Statement
from gallery.settings import Settings
from gallery.store import uploads, users
from gallery.store.database import first, only, transact
from gallery.store.uploads import URL_SECONDS
from gallery.store.users import user_of
from gallery.times import iso, moment

# Download URLs are equal for this many seconds, so that the ETag of an owner's response stays valid as long.
PERIOD = 5 * 60


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """`content_type` is as the client wrote it, `media_type` what it means; `size` in bytes, if announced."""

    content_type: str
    media_type: str
    size: int | None


def download_url(settings: Settings, key: str, now: float) -> str:
    """A URL to get one original, valid for 10 to 15 minutes from `now`, in seconds since 1970."""
    start = moment(now // PERIOD * PERIOD)
    return _signer_of(settings).presign("GET", key, now=start, lifetime=URL_SECONDS)


async def issue_upload(
    platform: Platform, settings: Settings, user_id: str, request: UploadRequest
) -> dict[str, Any]:
    """The URL and headers to upload one new original with, as they are on the wire.

    Raises UserNotFound, ArtworkLimitReached, UploadLimitReached, DatabaseError.
    """
    key = OriginalKey(user_part(user_id), platform.uuid(), EXTENSIONS[request.media_type])
    await _record(platform, settings, user_id, key, request)
    headers = {"Content-Type": request.content_type}
    signed = dict(headers)
    if request.size is not None:
        # `If-None-Match: *` makes the URL single-use: a second put meets an object that exists.
        headers["If-None-Match"] = "*"
        # Clients send the length by themselves, and browsers let no page set it: it is signed, but not
        # listed.
        signed = headers | {"Content-Length": str(request.size)}
    now = platform.now()
    return {
        "uploadUrl": _signer_of(settings).presign(
            "PUT", str(key), now=moment(now), lifetime=URL_SECONDS, headers=signed
        ),
        "key": str(key),
        "method": "PUT",
        "headers": headers,
        "expiresAt": iso(now + URL_SECONDS),
        "maxBytes": settings.max_upload_bytes if request.size is None else request.size,
    }


def _signer_of(settings: Settings) -> Signer:
    return Signer(settings.s3_endpoint, settings.bucket, settings.access_key_id, settings.secret_access_key)


async def _record(
    platform: Platform, settings: Settings, user_id: str, key: OriginalKey, request: UploadRequest
) -> None:
    """Record the upload if the user may have one more; one statement counts and inserts."""
    issue = uploads.issue(
        str(key),
        user_id,
        request.media_type,
        request.size,
        max_uploads=settings.max_open_uploads,
        max_bytes=settings.max_open_bytes,
        largest=settings.max_upload_bytes,
    )
    if await _is_recorded(platform, user_id, issue):
        return
    # Uploads that the sweeper would end at its next run make room now.
    await cleanup.end_due_of_user(platform, user_id, settings.max_open_uploads)
    if await _is_recorded(platform, user_id, issue):
        return
    row = await only(platform, uploads.first_end(user_id))
    raise UploadLimitReached(retry_after=int(row["seconds"] or 1) if row else 1)


async def _is_recorded(platform: Platform, user_id: str, issue: Statement) -> bool:
    """False when too many uploads are open. Raises UserNotFound, ArtworkLimitReached."""
    rows = await transact(platform, issue=issue, user=users.find(user_id))
    if rows["issue"]:
        return True
    found = first(rows["user"])
    if found is None:
        raise UserNotFound
    if not user_of(found).remaining:
        raise ArtworkLimitReached
    return False
