"""The records of the API as frozen values; names are snake_case here and camelCase on the wire."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Any, Literal, Required, Self, TypedDict

from vfa_gallery.errors import UnexpectedAnswer


class Category(StrEnum):
    """Suggestions; a category may be any text of up to 50 characters."""

    PAINTING = "painting"
    DRAWING = "drawing"
    PHOTOGRAPHY = "photography"
    SCULPTURE = "sculpture"
    DIGITAL = "digital"
    PRINTMAKING = "printmaking"
    ILLUSTRATION = "illustration"
    MIXED_MEDIA = "mixed_media"
    TEXTILE = "textile"
    CERAMICS = "ceramics"
    OTHER = "other"


class Changes(TypedDict, total=False):
    """Fields that can be changed; None clears a text. `limits` has the lengths."""

    title: str
    description: str | None
    alt_text: str | None
    materials: str | None
    dimensions: str | None
    created_date: str | date | None
    category: str | None
    tags: Iterable[str]
    is_featured: bool


class Details(TypedDict, total=False):
    """Fields of a new artwork. `limits` has the lengths."""

    title: Required[str]
    description: str | None
    alt_text: str | None
    materials: str | None
    dimensions: str | None
    created_date: str | date | None
    category: str | None
    tags: Iterable[str]


def camel(name: str) -> str:
    """A name in camelCase, as on the wire.

    >>> camel("created_date")
    'createdDate'
    """
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def to_wire(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by their wire names.

    >>> to_wire({"title": "Dusk", "created_date": "2024"})
    {'title': 'Dusk', 'createdDate': '2024'}
    """
    return {camel(name): value for name, value in values.items()}


def moment(text: str) -> datetime:
    """A point in time from ISO 8601.

    >>> moment("2026-01-02T03:04:05.678Z")
    datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc)
    """
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_TIME = {"read": moment}


class _Record:
    """A frozen dataclass that is read from JSON; unknown names are ignored."""

    __slots__ = ()

    @classmethod
    def from_wire(cls, wire: Any, **extra: Any) -> Self:
        """The record in decoded JSON; `extra` has values that the JSON does not have.

        Raises:
            UnexpectedAnswer: a field is missing or of the wrong type.
        """
        values = dict(extra)
        try:
            for each in dataclasses.fields(cls):  # type: ignore[arg-type]
                if each.name in extra:
                    continue
                wanted = each.default is dataclasses.MISSING
                value = wire[camel(each.name)] if wanted else wire.get(camel(each.name), each.default)
                read = each.metadata.get("read")
                values[each.name] = read(value) if read and value is not None else value
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnexpectedAnswer(f"the gallery answered no {cls.__name__.lower()}: {error!r}") from error
        return cls(**values)

    def to_wire(self) -> dict[str, Any]:
        """The record as JSON, with names in camelCase."""
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}  # type: ignore[arg-type]
        return to_wire({name: _plain(value) for name, value in values.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, _Record):
        return value.to_wire()
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Display(_Record):
    """One size of the display version."""

    url: str
    width: int
    height: int


def _displays(wire: Any) -> tuple[Display, ...]:
    return tuple(sorted(map(Display.from_wire, wire), key=lambda display: display.width))


@dataclass(frozen=True, slots=True)
class Artwork(_Record):
    """One artwork.

    `width` and `height` are those of the display version in pixels, `display` its sizes from the narrowest to
    the widest (empty where the gallery makes one size). `dominant_color` is `#rrggbb`, `thumb_hash` a
    ThumbHash in base64. `etag` is the state that was read. Artworks recorded by another program may lack
    URLs, sizes and colours.
    """

    id: str
    user_id: str
    username: str
    slug: str
    title: str
    description: str | None
    materials: str | None
    dimensions: str | None
    created_date: str | None
    category: str
    tags: tuple[str, ...] = field(metadata={"read": tuple})
    display_url: str | None
    thumbnail_url: str | None
    icon_url: str | None
    width: int | None
    height: int | None
    original_width: int | None
    original_height: int | None
    dominant_color: str | None
    thumb_hash: str | None
    status: str
    is_featured: bool
    created_at: datetime = field(metadata=_TIME)
    updated_at: datetime = field(metadata=_TIME)
    processed_at: datetime | None = field(default=None, metadata=_TIME)
    alt_text: str | None = None
    display: tuple[Display, ...] = field(default=(), metadata={"read": _displays})
    # For the owner and operators, and for everyone where originals are public.
    original_url: str | None = field(default=None, compare=False)
    # Signed anew for each answer, so it does not count in comparisons; nor does the ETag, which covers it.
    original_download_url: str | None = field(default=None, repr=False, compare=False)
    # For its owner: the original in the bucket is another file now.
    original_replaced: bool = False
    etag: str | None = field(default=None, compare=False)

    @property
    def original_key(self) -> str:
        """The original's key in the bucket; empty where its URL is unknown or another program's."""
        _, found, name = (self.original_url or "").partition("/originals/")
        return f"originals/{name}" if found else ""

    def display_at(self, width: int | None = None) -> str | None:
        """URL of the narrowest display version of at least `width` pixels, else of the widest.

        None where there is no display version.
        """
        if width is None or not self.display:
            return self.display_url
        wide_enough = (each for each in self.display if each.width >= width)
        return next(wide_enough, self.display[-1]).url

    def _repr_html_(self) -> str:
        """The artwork in a notebook: its thumbnail and its title."""
        picture = html_image(self.thumbnail_url, self.alt_text or self.title, 150)
        facts = [f"by {self.username}", self.category, self.created_date, ", ".join(self.tags), self.id]
        lines = "<br>".join(escape(fact) for fact in facts if fact)
        return f"<div>{picture}<p><b>{escape(self.title)}</b><br>{lines}</p></div>"


def html_image(url: str | None, text: str, side: int) -> str:
    """An `<img>` of `side` pixels in height; nothing for what is no address of a picture.

    >>> html_image("javascript:alert(1)", "Dusk", 64)
    ''
    """
    if not (url or "").startswith(("https://", "http://")):
        return ""
    return f'<img src="{escape(url or "")}" alt="{escape(text)}" height="{side}">'


@dataclass(frozen=True, slots=True)
class Me(_Record):
    """The user whom a token names, and the quota."""

    id: str
    username: str
    artwork_limit: int
    artwork_count: int
    artwork_remaining: int


@dataclass(frozen=True, slots=True)
class Account(_Record):
    """A user as operators read it; tokens issued before `tokens_valid_after` are refused."""

    id: str
    username: str
    artwork_limit: int
    artwork_count: int
    artwork_remaining: int
    status: str
    tokens_valid_after: datetime | None = field(metadata=_TIME)
    issuer: str | None
    subject: str | None
    created_at: datetime = field(metadata=_TIME)


class AccountChanges(TypedDict, total=False):
    """Fields of a user that operators can change."""

    username: str
    artwork_limit: int
    status: str
    revoke_tokens: Literal[True]
    subject: str


@dataclass(frozen=True, slots=True)
class Readiness(_Record):
    """Which renditions of an original can be fetched; it may lag behind by a minute."""

    display: bool
    thumbnail: bool
    icon: bool

    @property
    def complete(self) -> bool:
        return self.display and self.thumbnail and self.icon


@dataclass(frozen=True, slots=True)
class UploadTicket(_Record):
    """The permission to put one original into the bucket, once."""

    upload_url: str
    key: str
    method: str
    headers: Mapping[str, str]
    expires_at: datetime = field(metadata=_TIME)


@dataclass(frozen=True, slots=True)
class SweepReport(_Record):
    """What one run of the sweeper looked at and removed, or would remove; long lists are cut.

    Fields that an older gallery does not send are None. `next_cursor` is where an audit continues.
    """

    dry_run: bool
    objects_seen: int
    artworks_seen: int
    objects_removed: int
    removed: tuple[str, ...] = field(metadata={"read": tuple})
    missing: tuple[Mapping[str, Any], ...] = field(metadata={"read": tuple})
    failed: tuple[str, ...] = field(metadata={"read": tuple})
    uploads_seen: int | None = None
    replaced: tuple[str, ...] | None = field(default=None, metadata={"read": tuple})
    renewed: tuple[str, ...] | None = field(default=None, metadata={"read": tuple})
    next_cursor: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """The report as JSON, without the fields that are None."""
        # `super()` needs the class that `slots=True` has replaced.
        return {name: value for name, value in _Record.to_wire(self).items() if value is not None}


class Stage(StrEnum):
    """What an upload or download is doing."""

    SENDING = "sending"
    RENDERING = "rendering"
    WAITING = "waiting"
    RECEIVING = "receiving"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """How many bytes of how many were sent or received; `total` is 0 where it is unknown."""

    stage: Stage
    sent: int
    total: int


@dataclass(frozen=True, slots=True)
class Download:
    """A downloaded file: its path, size in bytes, content type, and SHA-256 in hexadecimal."""

    path: Path
    size: int
    content_type: str
    sha256: str
