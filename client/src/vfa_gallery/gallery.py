"""The client of a gallery."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Self, Unpack, cast
from urllib.parse import quote

import requests

from vfa_gallery.downloads import Which, download
from vfa_gallery.errors import GalleryError, InvalidRequest, NotFound, ServerFault, Unreachable
from vfa_gallery.limits import (
    MAX_UPLOAD_BYTES,
    USERNAME_RULE,
    check_changes,
    check_details,
    parse_username,
)
from vfa_gallery.listing import PAGE, Artworks, pages
from vfa_gallery.models import (
    Account,
    AccountChanges,
    Artwork,
    Changes,
    Details,
    Download,
    Me,
    Readiness,
    SweepReport,
    to_wire,
)
from vfa_gallery.originals import Source, opened
from vfa_gallery.retries import RetryPolicy, passing, refused
from vfa_gallery.transport import (
    Answer,
    Tell,
    Token,
    Transport,
    address_from_environment,
    token_from_environment,
)
from vfa_gallery.uploads import OnKey, copies_unsigned, upload

TIMEOUT_SECONDS = 60.0
AUDIT_TRIES = 3


def _ignore(_: object) -> None:
    pass


class Gallery:
    """A gallery at an address, and the user whom the token names.

    Without an address, VFA_URL and VFA_TOKEN are read from the environment; VFA_TOKEN is only sent to
    VFA_URL. `token` may be a function that returns the token; it is called for every request. An empty token
    is none; reading needs none. `timeout` is how many seconds may pass without anything from the other side.
    `session` is a session of requests to use in place of a new one, and is not closed; `verify` is the path
    of a file with certificates to trust, or False to check none. `max_upload_bytes` is for galleries that
    accept larger or only smaller originals than 30 MB; None leaves it to the gallery.

    A Gallery may be used by several threads at once.

    Raises:
        ValueError: there is no address, or it is not one of http:// or https://.
        Unauthorized: the token has characters that no header can carry.

    >>> with Gallery(url, token) as gallery:
    ...     artwork = gallery.upload(picture, title="Dusk over the lake", category="painting")
    ...     artwork.slug, [each.title for each in gallery.artworks(username="ann")]
    ('dusk-over-the-lake', ['Dusk over the lake'])
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: Token = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retry: RetryPolicy | None = None,
        session: requests.Session | None = None,
        verify: bool | str | None = None,
        max_upload_bytes: int | None = MAX_UPLOAD_BYTES,
    ) -> None:
        base_url = base_url or address_from_environment()
        if not base_url:
            raise ValueError("not the address of a gallery: pass one, or set VFA_URL")
        if token is None:
            token = token_from_environment(base_url)
        self._transport = Transport(base_url, token, timeout, retry or RetryPolicy(), session, verify)
        self._most = max_upload_bytes

    def __repr__(self) -> str:
        return f"Gallery({self.base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """The address, without a slash at its end."""
        return self._transport.base_url

    @property
    def has_token(self) -> bool:
        """Whether requests are sent with a token."""
        return self._transport.has_token

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def upload(
        self,
        original: Source,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        on_progress: Tell | None = None,
        resume_key: str | None = None,
        on_key: OnKey | None = None,
        **details: Unpack[Details],
    ) -> Artwork:
        """Upload a picture and return its artwork.

        `original` is a path, bytes, a file opened in binary mode (from where it stands), or a URL. Paths and
        files are read in blocks of 64 KiB; what cannot be read twice is copied to a temporary file first.
        `details` are the fields of Details; title is needed. Everything is checked before anything is sent.
        `on_progress` is called after each block; an exception that it raises stops the upload. `on_key` is
        called with the original's key before it is sent; with that as `resume_key`, an interrupted upload
        goes on.

        Raises:
            TypeError: a keyword that is no field, or no title.
            InvalidRequest: a field has a value that the gallery does not accept.
            FileProblem: the file is empty, unreadable, or changed while it was sent.
            TooLarge, UnsupportedType, UnreadableImage: the gallery does not accept the picture.
            ArtworkLimitReached, UploadLimitReached: a quota is used up.
            Unauthorized, Suspended: the token is missing, expired or not accepted.
            UploadRefused: the bucket did not accept the original.
            Conflict, ProcessingFailed, RateLimited, Overloaded, ServerFault, Unreachable: a temporary failure
                that lasted through all tries.
        """
        checked = check_details(details)
        with opened(
            original, filename, content_type, most=self._most, fetch=self._transport.download
        ) as source:
            return upload(
                self._transport,
                source,
                checked,
                on_progress or _ignore,
                key=resume_key,
                on_key=on_key or _ignore,
            )

    def artworks(
        self,
        *,
        username: str | None = None,
        category: str | None = None,
        tag: str | None = None,
        query: str | None = None,
        featured: bool | None = None,
        limit: int | None = None,
        page_size: int = 50,
    ) -> Artworks:
        """The artworks that match, newest first, at most `limit`.

        Pages of `page_size` (1 to 100) are fetched as the iteration reaches them.

        Raises, while iterating:
            InvalidRequest: a filter is longer than 100 characters.
            GalleryError: a page cannot be read.
        """
        params = {"username": username, "category": category, "tag": tag, "q": query}
        if featured is not None:
            params["featured"] = "true" if featured else "false"
        if limit is not None:
            page_size = max(1, min(page_size, limit))
        found = pages(
            Artwork,
            lambda query: self._transport.call("GET", "/api/artworks", params=query).body,
            params,
            page_size,
        )
        return Artworks(found, limit)

    def get(self, artwork_id: str) -> Artwork:
        """One artwork by its id.

        Raises:
            NotFound: there is no such artwork.
        """
        return _artwork(self._transport.call("GET", _path(artwork_id)))

    def get_by_slug(self, username: str, slug: str) -> Artwork:
        """One artwork by its readable address, `<username>/<slug>`.

        Raises:
            NotFound: there is no such artwork.

        >>> gallery.upload(picture, title="Noon at sea").slug
        'noon-at-sea'
        >>> gallery.get_by_slug("ann", "noon-at-sea").title
        'Noon at sea'
        """
        path = f"/api/users/{quote(username, safe='')}/artworks/{quote(slug, safe='')}"
        return _artwork(self._transport.call("GET", path))

    def update(
        self, artwork: Artwork | str, *, overwrite: bool = False, **changes: Unpack[Changes]
    ) -> Artwork:
        """Change fields of an artwork and return it as it is now.

        With an Artwork in place of an id, nothing is changed if someone else changed it since it was read;
        `overwrite` changes it nevertheless. The fields are those of Changes.

        Raises:
            TypeError: a keyword that is no field.
            InvalidRequest: a field has a value that the gallery does not accept.
            PreconditionFailed: the artwork was changed by someone else.
            NotFound, Forbidden: there is no such artwork, or it is another user's.

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
            json=to_wire(check_changes(changes)),
            headers={"If-Match": guard} if guard else None,
            # A guarded change that took effect would be refused the second time.
            worth=refused if guard else passing,
        )
        return _artwork(answer)

    def delete(self, artwork: Artwork | str) -> None:
        """Delete an artwork, its original and its renditions.

        Raises:
            NotFound, Forbidden: there is no such artwork, or it is another user's.
        """
        doubtful = False

        def worth(error: GalleryError) -> bool:
            nonlocal doubtful
            doubtful = doubtful or isinstance(error, Unreachable | ServerFault)
            return passing(error)

        try:
            self._transport.call("DELETE", _path(artwork), worth=worth)
        except NotFound:
            # After a try without a clear answer, "not found" means that this try deleted it.
            if not doubtful:
                raise

    def reprocess(self, artwork: Artwork | str, *, on_progress: Tell | None = None) -> Artwork:
        """Render an artwork again, as after a change of style; its URLs change.

        `on_progress` is called while another try is waited for; an exception that it raises stops the
        waiting.

        Raises:
            NotFound, Forbidden: there is no such artwork, or it is another user's.
            OriginalReplaced: the original in the bucket is another file now.
        """
        path = _path(artwork) + "/reprocess"
        return _artwork(self._transport.call("POST", path, json={}, tell=on_progress))

    def readiness(self, original: Artwork | str, *, wait: int = 0) -> Readiness:
        """Which renditions of an original can be fetched; takes the artwork or the original's key.

        With `wait` (0 to 25 seconds) the gallery answers as soon as all three can be.

        Raises:
            Forbidden: the key is another user's.
        """
        key = original.original_key if isinstance(original, Artwork) else original
        params = {"originalKey": key} | ({"wait": str(wait)} if wait else {})
        answer = self._transport.call("GET", "/api/artworks/readiness", params=params)
        return Readiness.from_wire(answer.body)

    def download(
        self,
        artwork: Artwork | str,
        path: str | PathLike[str],
        *,
        which: Which = "display",
        width: int | None = None,
        on_progress: Tell | None = None,
    ) -> Download:
        """Save a rendition or the original of an artwork, and return its size and SHA-256.

        `path` is the file to write, or a folder, in which the file is named after the artwork. With `width`,
        the narrowest display version of at least so many pixels is taken, or the widest. The file appears
        when it is complete; it replaces one of the same name. Originals are for their owner and operators.

        Raises:
            NotFound: there is no such artwork, or it lacks this rendition.
            Forbidden: the original is another user's.
            FileProblem: the file cannot be written.
            Unreachable: the connection broke in all tries.

        >>> artwork = gallery.upload(picture, title="Evening")
        >>> saved = gallery.download(artwork, folder, which="original")
        >>> saved.path.name, saved.size == picture.stat().st_size
        ('evening.jpg', True)
        """
        if isinstance(artwork, str) or which == "original":
            artwork = self.get(artwork if isinstance(artwork, str) else artwork.id)
        return download(self._transport, artwork, Path(path), which, width, on_progress)

    def fetch(self, url: str | None) -> bytes:
        """The bytes at one of an artwork's URLs; the token is not sent.

        Raises:
            NotFound: the URL is None or leads nowhere.
            Forbidden: it is an original that is not public.
        """
        if url is None:
            raise NotFound("The artwork has no such rendition.")
        with tempfile.SpooledTemporaryFile(1 << 22) as file:
            self._transport.download(url, cast(BinaryIO, file))
            file.seek(0)
            return file.read()

    def me(self) -> Me:
        """The user whom the token names, and the quota.

        Raises:
            Unauthorized: the token is missing, expired or not accepted.
            NotFound: the gallery does not know the user.

        >>> gallery.me().username
        'ann'
        """
        return Me.from_wire(_data(self._transport.call("GET", "/api/me")))

    def users(self, *, username: str | None = None, page_size: int = PAGE) -> Iterator[Account]:
        """All users in the order of their names, or the one of a name; for operators.

        Raises, while iterating:
            Forbidden: the token is not an operator's.
        """
        return pages(
            Account,
            lambda query: self._transport.call("GET", "/api/users", params=query).body,
            {"username": username},
            page_size,
        )

    def add_user(self, username: str, *, artwork_limit: int | None = None) -> Account:
        """Make a user, for operators.

        Raises:
            AlreadyExists: the name is taken.
            InvalidRequest: the name is not allowed.
            Forbidden: the token is not an operator's.
        """
        values = {"username": _username(username), "artwork_limit": artwork_limit}
        body = to_wire({name: value for name, value in values.items() if value is not None})
        # A user made by a try whose answer was lost would look like another's in the second try.
        return Account.from_wire(_data(self._transport.call("POST", "/api/users", json=body, worth=refused)))

    def change_user(self, user_id: str, **changes: Unpack[AccountChanges]) -> Account:
        """Rename, limit, suspend or sign out a user, for operators.

        Raises:
            NotFound: there is no such user.
            AlreadyExists: the new name is taken.
            InvalidRequest: a value is not allowed.
            Forbidden: the token is not an operator's.
        """
        if "username" in changes:
            _username(changes["username"])
        path = "/api/users/" + quote(user_id, safe="")
        return Account.from_wire(_data(self._transport.call("PATCH", path, json=to_wire(changes))))

    def sweep(self, *, dry_run: bool = True) -> SweepReport:
        """Delete what is left of uploads that are over, for operators; a dry run only reports.

        Raises:
            Forbidden: the token is not an operator's.
        """
        path = "/api/sweep?dryRun=" + ("true" if dry_run else "false")
        return SweepReport.from_wire(_data(self._transport.call("POST", path)))

    def audit(self, *, dry_run: bool = True) -> Iterator[SweepReport]:
        """Compare the whole bucket with all records, for operators: one report for each page.

        Objects without a record are deleted; missing ones are reported. The audit ends early after a page of
        which a part could not be read in three tries.

        Raises, while iterating:
            Forbidden: the token is not an operator's.
        """
        params = {"audit": "true", "dryRun": "true" if dry_run else "false"}
        failures = 0
        while True:
            report = SweepReport.from_wire(_data(self._transport.call("POST", "/api/sweep", params=params)))
            failures = failures + 1 if report.failed else 0
            if 0 < failures < AUDIT_TRIES:
                self._transport.pause(failures, None)
                continue
            yield report
            if failures or report.next_cursor is None:
                return
            params["cursor"] = report.next_cursor

    def copies_unsigned(self, picture: bytes, artwork: Artwork) -> bool:
        """Whether the bucket lets the ticket of `picture` copy the artwork's original, so any original.

        Raises:
            UploadLimitReached: there is no ticket to try it with.
        """
        with opened(picture, None, None, most=None, fetch=self._transport.download) as source:
            return copies_unsigned(self._transport, source, artwork.original_key)


def _username(text: str) -> str:
    if parse_username(text) is None:
        raise InvalidRequest(USERNAME_RULE)
    return text


def _path(artwork: Artwork | str) -> str:
    return "/api/artworks/" + quote(artwork.id if isinstance(artwork, Artwork) else artwork, safe="")


def _data(answer: Answer) -> object:
    return answer.body.get("data") if isinstance(answer.body, dict) else None


def _artwork(answer: Answer) -> Artwork:
    return Artwork.from_wire(_data(answer), etag=answer.etag)
