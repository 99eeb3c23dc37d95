"""The three steps of an upload: ticket, original, artwork."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from vfa_gallery.errors import Forbidden, GalleryError, NotFound, UploadRefused
from vfa_gallery.models import Artwork, Progress, Stage, UploadTicket, to_wire
from vfa_gallery.originals import Original
from vfa_gallery.retries import passing, persist
from vfa_gallery.transport import Tell, Transport

OnKey = Callable[[str], None]


def upload(
    transport: Transport,
    original: Original,
    details: Mapping[str, Any],
    tell: Tell,
    *,
    key: str | None = None,
    on_key: OnKey = lambda _: None,
) -> Artwork:
    """Upload an original and record its artwork.

    `on_key` is called with the key before the original is sent. With that `key`, an interrupted upload is
    continued: the same key never becomes two artworks.

    Raises:
        GalleryError: as Gallery.upload.
    """
    if key:
        try:
            return record(transport, key, original, details, tell)
        except (Forbidden, NotFound):
            pass  # another user's, or interrupted before the original was sent
    key = send(transport, original, tell, on_key)
    return record(transport, key, original, details, tell)


def send(transport: Transport, original: Original, tell: Tell, on_key: OnKey) -> str:
    """Put the original into the bucket, with a new ticket if the first has expired; its key."""
    tickets: list[UploadTicket] = []

    def renew() -> None:
        tickets.append(_ticket(transport, original, tell))
        on_key(tickets[-1].key)

    def once() -> None:
        if not tickets or tickets[-1].expires_at <= datetime.now(UTC):
            renew()
        try:
            transport.put(tickets[-1], original, tell)
        except UploadRefused as error:
            if _is_there(error):
                return
            if error.status != 403 or len(tickets) > 1:
                raise
            renew()
            transport.put(tickets[-1], original, tell)

    persist(once, transport.policy, passing, lambda seconds: transport.pause(seconds, tell))
    return tickets[-1].key


def record(
    transport: Transport, key: str, original: Original, details: Mapping[str, Any], tell: Tell
) -> Artwork:
    """Create the artwork; a repeated create of the same key answers the artwork that exists."""
    tell(Progress(Stage.RENDERING, original.size, original.size))
    body = to_wire({**details, "original_key": key})
    answer = transport.call("POST", "/api/artworks", json=body, tell=tell)
    artwork = Artwork.from_wire(answer.body.get("data"), etag=answer.etag)
    tell(Progress(Stage.DONE, original.size, original.size))
    return artwork


def copies_unsigned(transport: Transport, original: Original, key: str) -> bool:
    """Whether a ticket for `original` also copies the object under `key`, by a header that is not signed."""
    ticket = _ticket(transport, original, lambda _: None)
    bucket = urlsplit(ticket.upload_url).path.removesuffix(ticket.key).strip("/").rpartition("/")[2]
    with original.open() as file:
        data = file.read()
    _, text = transport.probe(ticket, data, {"x-amz-copy-source": f"/{bucket}/{key}"})
    # S3 answers only a copy so; a store that ignores the header has stored the body.
    return "CopyObjectResult" in text


def _ticket(transport: Transport, original: Original, tell: Tell) -> UploadTicket:
    body = {"filename": original.name, "contentType": original.content_type, "size": original.size}
    return UploadTicket.from_wire(
        transport.call("POST", "/api/artworks/upload-url", json=body, tell=tell).body
    )


def _is_there(error: GalleryError) -> bool:
    """Only the ticket's holder knows the key, so what is in its place came from an earlier try."""
    return error.status == 412
