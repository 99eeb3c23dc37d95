"""The gallery, as a script sees it."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import Self, Unpack
from urllib.parse import quote

from vfa_gallery.errors import GalleryError, NotFound, ServerFault, UnexpectedAnswer, Unreachable
from vfa_gallery.models import Artwork, Changes, Details, Me, Readiness, SweepReport, to_wire
from vfa_gallery.originals import original_of
from vfa_gallery.retries import RetryPolicy, passing, refused
from vfa_gallery.transport import Answer, Tell, Transport
from vfa_gallery.uploads import OnKey, ticket_copies, upload

TIMEOUT_SECONDS = 60.0


def _silent(_: object) -> None:
    pass


class Gallery:
    """One gallery, and who you are to it.

    `timeout` bounds the silence of the other side in seconds, not the whole call. Reading needs no token; a
    token that no header can carry is Unauthorized at once.

    >>> with Gallery(url, token) as gallery:
    ...     artwork = gallery.upload(picture, title="Dusk over the lake", category="painting")
    ...     artwork.slug, [each.title for each in gallery.artworks(username="ann")]
    ('dusk-over-the-lake', ['Dusk over the lake'])
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._transport = Transport(base_url, token, timeout, retry or RetryPolicy())

    def __repr__(self) -> str:
        return f"Gallery({self.base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        return self._transport.base_url

    @property
    def has_token(self) -> bool:
        return self._transport.has_token

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    def upload(
        self,
        original: str | PathLike[str] | bytes,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        on_progress: Tell | None = None,
        resume_key: str | None = None,
        on_key: OnKey | None = None,
        **details: Unpack[Details],
    ) -> Artwork:
        """Upload a picture and return its artwork.

        `original` is a path, which is streamed, or bytes. `details` are title (needed), description,
        materials, dimensions, created_date, category and tags. `on_progress` is told of every block; what it
        raises stops the upload. A key that `on_key` heard may be given as `resume_key` to go on after an
        interruption.
        """
        return upload(
            self._transport,
            original_of(original, filename, content_type),
            details,
            on_progress or _silent,
            key=resume_key,
            on_key=on_key or _silent,
        )

    def artworks(
        self,
        *,
        username: str | None = None,
        category: str | None = None,
        tag: str | None = None,
        query: str | None = None,
        featured: bool | None = None,
        page_size: int = 50,
    ) -> Iterator[Artwork]:
        """All artworks that match, newest first; pages are fetched as the iteration reaches them."""
        given = {"username": username, "category": category, "tag": tag, "q": query, "cursor": None}
        if featured is not None:
            given["featured"] = "true" if featured else "false"
        while True:
            params = {name: value for name, value in given.items() if value is not None} | {
                "limit": str(page_size)
            }
            page = self._transport.call("GET", "/api/artworks", params=params).body
            if not isinstance(page, dict) or not isinstance(page.get("data"), list):
                raise UnexpectedAnswer("the gallery answered no list of artworks")
            yield from (Artwork.from_wire(each) for each in page["data"])
            given["cursor"] = page.get("nextCursor")
            if given["cursor"] is None:
                return

    def get(self, artwork_id: str) -> Artwork:
        """One artwork by its id."""
        return _artwork(self._transport.call("GET", _path(artwork_id)))

    def update(
        self, artwork: Artwork | str, *, overwrite: bool = False, **changes: Unpack[Changes]
    ) -> Artwork:
        """Change what is said of an artwork.

        Given the artwork itself rather than its id, changes that someone else made since it was read are
        respected: PreconditionFailed. `overwrite` overrules them.

        >>> mine = gallery.upload(picture, title="Draft")
        >>> gallery.update(mine, title="Final", tags=["lake"]).tags
        ('lake',)
        >>> gallery.update(mine, title="Too late")
        Traceback (most recent call last):
        vfa_gallery.errors.PreconditionFailed: The artwork was changed in the meantime.
        """
        guard = artwork.etag if isinstance(artwork, Artwork) and not overwrite else None
        answer = self._transport.call(
            "PATCH",
            _path(artwork),
            json=to_wire(changes),
            headers={"If-Match": guard} if guard else None,
            # A guarded change that took effect would be refused the second time.
            worth=refused if guard else passing,
        )
        return _artwork(answer)

    def delete(self, artwork: Artwork | str) -> None:
        """Remove an artwork, its original and its renditions."""
        doubtful = False

        def worth(error: GalleryError) -> bool:
            nonlocal doubtful
            doubtful = doubtful or isinstance(error, Unreachable | ServerFault)
            return passing(error)

        try:
            self._transport.call("DELETE", _path(artwork), worth=worth)
        except NotFound:
            # After a try without a clear answer, "not found" means that it was that try which removed it.
            if not doubtful:
                raise

    def reprocess(self, artwork: Artwork | str, *, on_progress: Tell | None = None) -> Artwork:
        """Render an artwork again, as after a change of style; its URLs change.

        `on_progress` is told while another try is waited for; what it raises stops the waiting.
        """
        path = _path(artwork) + "/reprocess"
        return _artwork(self._transport.call("POST", path, json={}, tell=on_progress))

    def readiness(self, original: Artwork | str) -> Readiness:
        """Which renditions of an original are ready; takes the artwork or the original's key."""
        key = original.original_key if isinstance(original, Artwork) else original
        answer = self._transport.call("GET", "/api/artworks/readiness", params={"originalKey": key})
        return Readiness.from_wire(answer.body)

    def me(self) -> Me:
        """Who the token belongs to, and the quota.

        >>> gallery.me().username
        'ann'
        """
        return Me.from_wire(_data(self._transport.call("GET", "/api/me")))

    def ticket_copies(self, artwork: Artwork) -> bool:
        """Whether the store lets an upload ticket copy this artwork's original, as no store should."""
        return ticket_copies(self._transport, original_of(b"GIF89a;", "copy.gif"), artwork.original_key)

    def sweep(self, *, dry_run: bool = True) -> SweepReport:
        """Remove objects without an artwork, for operators; a dry run only says which."""
        path = "/api/sweep?dryRun=" + ("true" if dry_run else "false")
        return SweepReport.from_wire(_data(self._transport.call("POST", path)))

    def fetch(self, url: str) -> bytes:
        """The bytes of a rendition, by one of an artwork's URLs."""
        return self._transport.fetch(url)


def _path(artwork: Artwork | str) -> str:
    return "/api/artworks/" + quote(artwork.id if isinstance(artwork, Artwork) else artwork, safe="")


def _data(answer: Answer) -> object:
    return answer.body.get("data") if isinstance(answer.body, dict) else None


def _artwork(answer: Answer) -> Artwork:
    return Artwork.from_wire(_data(answer), etag=answer.etag)
