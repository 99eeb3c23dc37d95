"""The three steps of an upload: ticket, original, artwork."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from vfa_gallery.errors import Forbidden, GalleryError, NotFound, UploadRefused
from vfa_gallery.models import Artwork, Details, Progress, Stage, UploadTicket, to_wire
from vfa_gallery.originals import Original
from vfa_gallery.retries import passing, persist
from vfa_gallery.transport import Tell, Transport

OnKey = Callable[[str], None]


def upload(
    transport: Transport,
    original: Original,
    details: Details,
    tell: Tell,
    *,
    key: str | None = None,
    on_key: OnKey = lambda _: None,
) -> Artwork:
    """Upload an original and record its artwork.

    `on_key` hears the key before the original is sent. Given that `key` later, an upload that was broken off
    goes on where it was: the same key never becomes two artworks.
    """
    if key:
        try:
            return record(transport, key, original, details, tell)
        except (Forbidden, NotFound):
            pass  # someone else's, or broken off before the original had arrived
    key = send(transport, original, tell, on_key)
    return record(transport, key, original, details, tell)


def send(transport: Transport, original: Original, tell: Tell, on_key: OnKey) -> str:
    """Put the original into the bucket, with a new ticket when the first has expired; its key."""
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


def record(transport: Transport, key: str, original: Original, details: Details, tell: Tell) -> Artwork:
    """Have the artwork made; asking again for the same key answers the artwork that exists."""
    tell(Progress(Stage.RENDERING, original.size, original.size))
    wanted = to_wire({**details, "original_key": key})
    answer = transport.call("POST", "/api/artworks", json=wanted, tell=tell)
    artwork = Artwork.from_wire(answer.body.get("data"), etag=answer.etag)
    tell(Progress(Stage.DONE, original.size, original.size))
    return artwork


def copies_unsigned(transport: Transport, original: Original, key: str) -> bool:
    """Whether a ticket for `original` also copies the object under `key`, by a header that nobody signed."""
    ticket = _ticket(transport, original, lambda _: None)
    bucket = urlsplit(ticket.upload_url).path.removesuffix(ticket.key).strip("/").rpartition("/")[2]
    with original.open() as file:
        data = file.read()
    _, text = transport.probe(ticket, data, {"x-amz-copy-source": f"/{bucket}/{key}"})
    # S3 answers a copy, and nothing else, so; a store that passes over the header has put the body.
    return "CopyObjectResult" in text


def _ticket(transport: Transport, original: Original, tell: Tell) -> UploadTicket:
    wish = {"filename": original.name, "contentType": original.content_type, "size": original.size}
    return UploadTicket.from_wire(
        transport.call("POST", "/api/artworks/upload-url", json=wish, tell=tell).body
    )


def _is_there(error: GalleryError) -> bool:
    """Only its ticket's holder knows a key, which is put once: what is there came from an earlier try."""
    return error.status == 412
