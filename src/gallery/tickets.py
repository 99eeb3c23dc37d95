"""Upload tickets: leave to put one original, once, straight into the bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gallery import fields
from gallery.keys import EXTENSIONS, OriginalKey, user_part
from gallery.ports import Platform
from gallery.settings import Settings
from gallery.signing import Signer
from gallery.times import iso, moment

LIFETIME = 15 * 60
# Download URLs of one such period are equal, so that an owner's ETag can hold that long.
PERIOD = 5 * 60


def signer_of(settings: Settings) -> Signer:
    return Signer(settings.s3_endpoint, settings.bucket, settings.access_key_id, settings.secret_access_key)


def download_url(settings: Settings, key: str, now: float) -> str:
    """Leave to get one original, for at least ten and at most fifteen minutes from now."""
    start = moment(now // PERIOD * PERIOD)
    return signer_of(settings).presign("GET", key, now=start, lifetime=LIFETIME)


def issue_ticket(
    platform: Platform, settings: Settings, user_id: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    """The upload ticket for one new original, as it goes to the client."""
    fields.require(body, "filename", "contentType")
    fields.filename_of(body)
    content_type = fields.content_type_of(body)
    size = fields.size_of(body, settings.max_upload_bytes)
    key = OriginalKey(user_part(user_id), platform.uuid(), EXTENSIONS[content_type])
    # `If-None-Match: *` is what makes a ticket single-use: a second put meets an object that exists.
    headers = {"Content-Type": content_type} | ({} if size is None else {"If-None-Match": "*"})
    now = platform.now()
    url = signer_of(settings).presign(
        "PUT",
        str(key),
        now=moment(now),
        lifetime=LIFETIME,
        # Every client sends a length by itself, and browsers allow no other: it is signed, not listed.
        headers=headers if size is None else headers | {"Content-Length": str(size)},
    )
    return {
        "uploadUrl": url,
        "key": str(key),
        "method": "PUT",
        "headers": headers,
        "expiresAt": iso(now + LIFETIME),
        "maxBytes": settings.max_upload_bytes if size is None else size,
    }
